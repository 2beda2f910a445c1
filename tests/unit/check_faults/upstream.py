"""Faults of the upstream."""

from __future__ import annotations

from regmirror.desired import names
from regmirror.ports.http import Answer
from tests.unit.check_faults.table import NO_BLOB, FaultTable, answer
from tests.unit.deployed import Deployed

fault = FaultTable()


@fault(
    "upstream-credentials",
    "https://registry-1.docker.io refuses the mirror's credentials (401), so only cached images can be pulled",
)
def revoked_account(mirror: Deployed) -> None:
    mirror.upstream.answers["/auth"] = Answer(401, {}, b"")


@fault(
    "upstream-credentials",
    "Secret regmirror-docker-hub-credential: credential.json does not contain an account",
)
def no_account(mirror: Deployed) -> None:
    mirror.replace(names.credential_secret("docker-hub"), **{"credential.json": b"{}"})


@fault(
    "upstream-private",
    "only the mirror's account can read library/alpine:3 at https://registry-1.docker.io, and the mirror serves it to "
    "everyone who reaches mirror.example.com",
)
def private_image(mirror: Deployed) -> None:
    mirror.upstream.private = {"library/alpine"}


@fault(
    "upstream-reachable",
    "the registry cannot reach https://registry-1.docker.io and serves cached content only (500): down",
)
def upstream_down(mirror: Deployed) -> None:
    answer(mirror, NO_BLOB, 500, b"down")


@fault("upstream-quota", "9 of 100 pulls left in 6 hours")
def few_pulls(mirror: Deployed) -> None:
    headers = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "9;w=21600"}
    mirror.upstream.answers["/v2/ratelimitpreview/test/manifests/latest"] = Answer(200, headers, b"")
