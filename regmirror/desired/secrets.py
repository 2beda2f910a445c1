"""The Secrets of a mirror, as manifests: the only place that contains secret values."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import yaml

from regmirror.config.model import Mirror, Upstream
from regmirror.desired import names
from regmirror.desired.auth_config import auth_config
from regmirror.desired.mirror_secrets import REDIS_CA, MirrorSecrets, SignInSecrets
from regmirror.desired.redis_client import REDIS_CA_KEY
from regmirror.desired.redis_config import redis_config
from regmirror.desired.registry_config import registry_config
from regmirror.desired.self_signed import COMPONENT, SelfSigned
from regmirror.desired.sign_in_config import database_config, sign_in_config, sign_in_files
from regmirror.signing.key_pair import KeyPair, fingerprint

Manifest = dict[str, Any]
AUTH_CONFIG_KEY = "auth_config.yml"
TLS = "kubernetes.io/tls"
"""The type of a Secret with a certificate and its key."""


def secret_manifests(mirror: Mirror, mirror_secrets: MirrorSecrets) -> list[Manifest]:
    """Every Secret of the mirror, in the order in which they are applied."""
    signing = [signing_secret(mirror, mirror_secrets.signing)] if mirror_secrets.signing else []
    return [
        *signing,
        bundle_secret(mirror, mirror_secrets.bundle),
        *_self_signed_secrets(mirror, mirror_secrets.self_signed),
        *configuration_secrets(mirror, mirror_secrets),
    ]


def _self_signed_secrets(mirror: Mirror, self_signed: SelfSigned | None) -> list[Manifest]:
    """The CA and the certificates of the public hosts, as the Ingress controller reads them."""
    data = self_signed.data() if self_signed else {}
    return [_secret(mirror, name, COMPONENT, content, TLS) for name, content in data.items()]


def configuration_secrets(mirror: Mirror, mirror_secrets: MirrorSecrets) -> list[Manifest]:
    """The Secrets with the programs' configuration files and accounts; without the signing key."""
    registries = [
        manifest
        for upstream in mirror.upstreams
        for manifest in (
            _secret(
                mirror,
                names.registry_secret(upstream.name),
                "registry",
                {"config.yml": _yaml(registry_config(mirror, upstream, mirror_secrets))}
                | _way_out(upstream, mirror_secrets)
                | _redis_ca(mirror_secrets),
            ),
            _secret(
                mirror,
                names.credential_secret(upstream.name),
                "registry",
                {"credential.json": _credential(upstream, mirror_secrets)},
            ),
        )
    ]
    redis = [] if mirror.redis.external else [_redis_secret(mirror, mirror_secrets)]
    if mirror.access.sign_in and mirror_secrets.sign_in:
        redis.append(_sign_in_secret(mirror, mirror_secrets.sign_in))
    auth = [] if mirror.auth.external else [_auth_secret(mirror, mirror_secrets)]
    return [*redis, *auth, *registries]


def _auth_secret(mirror: Mirror, mirror_secrets: MirrorSecrets) -> Manifest:
    sign_in = mirror_secrets.sign_in
    password = sign_in.database_password.get_secret_value() if sign_in else ""
    config = auth_config(mirror, mirror_secrets.users) | sign_in_config(mirror, password)
    return auth_secret(mirror, config, sign_in_files(mirror, mirror_secrets))


def auth_secret(mirror: Mirror, config: dict[str, Any], sign_in: Mapping[str, bytes]) -> Manifest:
    """The configuration of docker_auth, with the hashes of passwords, and the files of ``access.signIn``."""
    return _secret(mirror, names.AUTH_SECRET, "auth", {AUTH_CONFIG_KEY: _yaml(config), **sign_in})


def users_secret(mirror: Mirror, entries: dict[str, bytes]) -> Manifest:
    """The accounts; ``entries`` has them by name, as ``UserAccount.entry`` writes them."""
    return _secret(mirror, names.USERS_SECRET, "auth", entries)


def _redis_secret(mirror: Mirror, mirror_secrets: MirrorSecrets) -> Manifest:
    password = mirror_secrets.redis_password.get_secret_value()
    content = {"valkey.conf": redis_config(mirror, mirror_secrets).encode(), "password": password.encode()}
    return _secret(mirror, names.REDIS_SECRET, "redis", content)


def _sign_in_secret(mirror: Mirror, sign_in: SignInSecrets) -> Manifest:
    password = sign_in.database_password.get_secret_value()
    content = {"valkey.conf": database_config(password).encode(), "password": password.encode()}
    return _secret(mirror, names.SIGN_IN_SECRET, "redis", content)


def _redis_ca(mirror_secrets: MirrorSecrets) -> dict[str, bytes]:
    ca = mirror_secrets.ca_bundles.get(REDIS_CA)
    return {REDIS_CA_KEY: ca} if ca else {}


def bundle_secret(mirror: Mirror, bundle: bytes) -> Manifest:
    """PEM bundle of the certificates that the registries trust."""
    return _secret(mirror, names.BUNDLE_SECRET, "registry", {"bundle.crt": bundle})


def signing_secret(mirror: Mirror, pair: KeyPair, name: str = names.SIGNING_SECRET) -> Manifest:
    """The key pair, which only docker_auth mounts; its annotations show its age without its content."""
    certificate = pair.certificate
    manifest = _secret(
        mirror,
        name,
        "auth",
        {"tls.crt": pair.certificate_pem, "tls.key": pair.key_pem},
        TLS,
    )
    manifest["metadata"]["annotations"] = {
        names.FINGERPRINT_ANNOTATION: fingerprint(certificate),
        names.NOT_AFTER_ANNOTATION: certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return manifest


def _way_out(upstream: Upstream, mirror_secrets: MirrorSecrets) -> dict[str, bytes]:
    """The files that only a registry with a CA bundle or a proxy has."""
    ca, proxy = mirror_secrets.ca_bundles.get(upstream.name), mirror_secrets.proxy
    files = {names.CA_KEY: ca} if ca else {}
    return files | ({names.PROXY_KEY: proxy.get_secret_value().encode()} if proxy else {})


def _credential(upstream: Upstream, mirror_secrets: MirrorSecrets) -> bytes:
    """The answer of a Docker credential helper to ``get``; empty values mean anonymous.

    The helper uses it if the registry has no account in Secrets of others, which it mounts and follows.
    """
    follows = upstream.credentials and upstream.credentials.follows_secrets
    account = None if follows else mirror_secrets.upstreams.get(upstream.name)
    return json.dumps(
        {
            "ServerURL": upstream.url,
            "Username": account.name.get_secret_value() if account else "",
            "Secret": account.password.get_secret_value() if account else "",
        }
    ).encode()


class _QuotingDumper(yaml.SafeDumper):
    """Quotes every string: Go's parser reads some unquoted strings of Python's as numbers, such as 1e5 or 0o17."""


_QuotingDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


def _yaml(content: dict[str, Any]) -> bytes:
    return yaml.dump(content, Dumper=_QuotingDumper, sort_keys=False, width=2**31).encode()


def _secret(
    mirror: Mirror,
    name: str,
    component: str,
    data: dict[str, bytes],
    secret_type: str = "Opaque",  # noqa: S107 - the type of a Secret, not a secret
) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": mirror.namespace, "labels": names.labels(component)},
        "type": secret_type,
        "data": {key: base64.b64encode(value).decode() for key, value in data.items()},
    }
