"""For each alert, the fault of a real mirror that makes it fire, and what clients do meanwhile."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from regmirror.desired.names import VERIFICATION_METRICS, VERIFICATION_RESULT
from regmirror.errors import RegistryError
from tests.e2e import inject
from tests.e2e.docker_hub import published
from tests.e2e.inject import Undo
from tests.e2e.outage import OutageEnvironment
from tests.e2e.outages import AUTH, REGISTRY, hub, s3_down
from tests.e2e.pulls import TAG, TOKEN, CachedImage, Puller

NEW_IMAGES = "library/alerts"


@dataclass(frozen=True)
class Clients:
    """A client of the mirror, an image that it has pulled, and where it makes new ones."""

    puller: Puller
    cached: CachedImage
    directory: Path

    def pull_cached(self) -> None:
        """Request the tag of the image that is cached."""
        self._renew(self.cached.repository)
        self.puller.asks(self.cached)[TAG]()

    def pull_new(self) -> None:
        """Pull an image that nobody has pulled before."""
        self._renew(NEW_IMAGES)
        self.puller.pull(published(NEW_IMAGES, self.directory))

    def request_token(self) -> None:
        """Request a token."""
        self.puller.asks(self.cached)[TOKEN]()

    def _renew(self, repository: str) -> None:
        """Tokens expire during a test; without docker_auth, the old one is used."""
        with suppress(RegistryError):
            self.puller.renew(repository)


Begin = Callable[[OutageEnvironment], Undo]
Act = Callable[[Clients], None]


def nothing(_: Clients) -> None:
    """Clients are idle."""


@dataclass(frozen=True)
class AlertFault:
    """A fault; ``meanwhile`` is what clients do until the alerts fire, again and again, and ``afterwards`` until they
    are resolved.
    """

    alerts: tuple[str, ...]
    begin: Begin
    meanwhile: Act = nothing
    afterwards: Act = Clients.pull_cached


def verification(samples: str) -> Begin:
    """The result of a verification, as the CronJob publishes it."""

    def begin(env: OutageEnvironment) -> Undo:
        def put(text: str) -> None:
            content = {"metadata": {"name": VERIFICATION_RESULT}, "data": {VERIFICATION_METRICS: text}}
            env.mirror.kubectl(
                "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "ConfigMap"} | content)
            )

        put(samples)
        return lambda: put("")

    return begin


def paused(deployment: str) -> Begin:
    """The program of a component does not respond."""
    return lambda env: inject.paused(deployment)(env.mirror)


def no_pods(env: OutageEnvironment) -> Undo:
    """No pod of the mirror runs."""
    names = [found["metadata"]["name"] for found in env.mirror.objects("deployments")]
    for name in names:
        env.mirror.kubectl("scale", "deployment", name, "--replicas=0")
    return lambda: [env.mirror.kubectl("scale", "deployment", name, "--replicas=1") for name in names]


def killed_again_and_again(env: OutageEnvironment) -> Undo:
    """The registry ends, whenever it runs again: the first time so shortly that Prometheus may not notice."""
    for _ in range(4):
        inject.kill_and_await_restart(env.mirror, REGISTRY)
    return lambda: None


def larger_than_the_disk(env: OutageEnvironment) -> Undo:
    """A layer cache for which the disk has no room."""

    def resize(size: str) -> None:
        env.mirror.change_file(registry={"layerCache": {"size": size}})
        assert env.mirror.deploy().code == 0

    resize("100Ti")
    return lambda: resize("8Gi")


QUICK = (
    AlertFault(
        ("RegmirrorUpstreamRateLimited",), hub({"registry": {"mode": "rate-limited"}}), meanwhile=Clients.pull_new
    ),
    AlertFault(
        ("RegmirrorUpstreamFails", "RegmirrorPullsFail"),
        # For a tag that it does not have, the registry answers 404 whenever the upstream fails.
        hub({"registry": {"mode": "status", "status": 503, "only": "blobs"}}),
        meanwhile=Clients.pull_new,
    ),
    # While the upstream refuses connections, the registry serves the tags that it knows without a trace.
    AlertFault(
        ("RegmirrorStaleContent",),
        hub({"registry": {"mode": "hang"}, "token": {"mode": "hang"}}),
        meanwhile=Clients.pull_cached,
    ),
)
"""They differ in the upstream's answers only, so they begin one after the other, and all resolve at the end."""

LONG = (
    AlertFault(("RegmirrorNoTraffic",), lambda _: lambda: None),
    AlertFault(("RegmirrorStorageFails",), s3_down, meanwhile=Clients.pull_new),
    AlertFault(("RegmirrorTokensFail",), paused(AUTH), Clients.request_token, Clients.request_token),
    AlertFault(("RegmirrorPodDown",), paused(REGISTRY)),
    AlertFault(("RegmirrorPodRestarts",), killed_again_and_again),
    AlertFault(("RegmirrorCacheDiskFull",), larger_than_the_disk),
    AlertFault(("RegmirrorMetricsMissing",), no_pods),
    AlertFault(
        (
            "RegmirrorCheckFails",
            "RegmirrorVerificationOverdue",
            "RegmirrorPublicCertificateExpires",
        ),
        verification(
            'regmirror_check_result{check="token-accepted",category="token",upstream="docker-hub",result="error"} 1\n'
            "regmirror_verification_timestamp_seconds 1\n"
            'regmirror_certificate_not_after_timestamp_seconds{certificate="public",host="mirror.lab.test"} 1\n'
        ),
    ),
)

NOT_IN_THE_LAB = {
    "RegmirrorHitRatioDropped": "compares with the day before",
    "RegmirrorCacheTooSmall": "needs a cache that is filled again and again",
    "RegmirrorSigningCertificateExpires": "needs a certificate that expires, and a rotation to resolve",
}
"""Why no fault makes them fire here; tests/charts/test_alerts.py does, with made-up series."""
