"""Checks that ask as one container runtime does, and not as all others do."""

from regmirror.client_config.registries import registry_name
from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.distribution.challenge import parse_challenge
from regmirror.distribution.client import MANIFEST_TYPES, RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, UpstreamCheck
from regmirror.verify.checks.registry import with_image
from regmirror.verify.hints import BETWEEN, restart
from regmirror.verify.live_mirror import LiveMirror

_NOBODY = ("regmirror-verify", "no-password")
"""An account that exists nowhere."""


def _containerd(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Outcome:
    """By tag a HEAD, first without a token, then by digest a GET; every path says which registry is meant.

    What is answered otherwise than by 200 or 401 sends containerd to the upstream (containerd v2
    ``core/remotes/docker/resolver.go``).
    """
    client = live.client(upstream)
    path = _meant(f"/v2/{image.repository}/manifests/{image.reference}", upstream)
    refused = client.request("HEAD", path, None, (*MANIFEST_TYPES, "*/*"))
    challenge = parse_challenge(refused.headers.get("www-authenticate", ""))
    if refused.status != 401 or challenge is None:
        return Failed(f"HEAD {path} without a token was answered {refused.status} instead of a challenge", BETWEEN)
    token = client.token(challenge.realm, challenge.service, (f"repository:{image.repository}:pull",))
    told = client.request("HEAD", path, token, (*MANIFEST_TYPES, "*/*"))
    digest = told.headers.get("docker-content-digest", "")
    if told.status != 200 or not digest:
        return Failed(f"HEAD {path} was answered {told.status} with {digest or 'no digest'}", BETWEEN)
    path = _meant(f"/v2/{image.repository}/manifests/{digest}", upstream)
    got = client.request("GET", path, token, (*MANIFEST_TYPES, "*/*"))
    if got.status != 200:
        return Failed(f"GET {path} was answered {got.status}", BETWEEN)
    return Passed(f"{image}, as {registry_name(upstream)}")


def _meant(path: str, upstream: Upstream) -> str:
    return f"{path}?ns={registry_name(upstream)}"


def _credentials(live: LiveMirror, upstream: Upstream) -> Outcome:
    """Some clients send a login that is meant for the upstream; whether it fits anybody is told by the answer alone."""
    client = RegistryClient(live.http, live.client(upstream).base, _NOBODY)
    status = client.ask_token(live.realm(upstream), live.mirror.host_of(upstream)).status
    if status != 401:
        return Failed(
            f"/auth answered {status} instead of 401 to an account that exists nowhere", restart(live, names.AUTH)
        )
    name = registry_name(upstream)
    return Passed(f"401 to what dockerd (docker login) and containerd (a pod's pull secret) may send for {name}")


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "clients-containerd",
        "containerd gets what it asks for",
        Category.CLIENTS,
        with_image(_containerd),
        needs=("registry-manifest",),
    ),
    UpstreamCheck(
        "clients-credentials",
        "a login that is meant for another registry is refused",
        Category.CLIENTS,
        _credentials,
        needs=("registry-challenge", "token-issued", "config-users"),
    ),
)
