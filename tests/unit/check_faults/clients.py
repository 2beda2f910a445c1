"""Faults that clients meet."""

from __future__ import annotations

from regmirror.ports.http import Answer
from tests.fakes.registry_host import digest_of
from tests.unit.check_faults.table import FaultTable, answer, change_manifest_answers, reconfigure
from tests.unit.deployed import Deployed

LAYER = digest_of(b"another")
fault = FaultTable()


@fault("clients-pull", "/v2/library/alpine/manifests/3 answered 404")
def no_image(mirror: Deployed) -> None:
    mirror.host.manifests.clear()


@fault("clients-pull", f"/v2/library/alpine/blobs/{LAYER} answered 404")
def lost_layer(mirror: Deployed) -> None:
    del mirror.host.blobs[LAYER]


@fault("clients-pull", "returned 7 bytes that do not match the digest")
def damaged_layer(mirror: Deployed) -> None:
    mirror.host.blobs[LAYER] = b"changed"


@fault("clients-range", "a request for one byte of a layer was answered with 200 and 7 bytes")
def no_ranges(mirror: Deployed) -> None:
    answer(mirror, f"/v2/library/alpine/blobs/{LAYER}", 200, b"another")


@fault("clients-digest", "the mirror serves an outdated library/alpine:3")
def moved_upstream(mirror: Deployed) -> None:
    mirror.upstream.add_image("library/alpine", "3", [b"newer"])


@fault(
    "clients-unlisted-denied",
    "/auth grants everyone the pull of regmirror-probe/not-allowed, which anonymousPull does not allow",
)
def granted_to_all(mirror: Deployed) -> None:
    mirror.host.allowed.add("regmirror-probe/not-allowed")


@fault("clients-unlisted-denied", "/auth grants everyone the pull of acme/secret-x, which deny refuses")
def denied_is_granted(mirror: Deployed) -> None:
    upstream = {"name": "docker-hub", "anonymousPull": ["library/*", "acme/*"], "deny": ["acme/secret-*"]}
    reconfigure(mirror, upstreams=[upstream])
    mirror.host.allowed.add("acme/secret-x")


@fault(
    "clients-unlisted-denied",
    "/auth grants everyone the pull of acme/private-x, which rules[0] allows only some clients",
)
def private_is_granted(mirror: Deployed) -> None:
    rules = [{"allow": ["acme/private-*"], "groups": ["platform"]}]
    reconfigure(mirror, upstreams=[{"name": "docker-hub", "anonymousPull": ["library/*"], "rules": rules}])
    mirror.host.allowed.add("acme/private-x")


@fault("clients-unlisted-denied", "a pull of regmirror-probe/not-allowed was answered with 404 instead of 401")
def not_denied(mirror: Deployed) -> None:
    answer(mirror, "/v2/regmirror-probe/not-allowed/manifests/latest", 404)


@fault("clients-push-denied", "/auth grants everyone the push of library/alpine")
def push_granted(mirror: Deployed) -> None:
    mirror.host.granted.add("push")


@fault("clients-push-denied", "grants everyone the push of library/alpine")
def everything_granted(mirror: Deployed) -> None:
    mirror.host.granted.update({"push", "*"})


@fault("clients-push-denied", "the registry answered 202 to an upload to library/alpine, instead of refusing it")
def push_accepted(mirror: Deployed) -> None:
    answer(mirror, "/v2/library/alpine/blobs/uploads/", 202)


@fault("clients-containerd", "?ns=docker.io without a token was answered with 405 instead of a challenge")
def no_head_without_token(mirror: Deployed) -> None:
    change_manifest_answers(mirror, lambda _, found: Answer(405, {}, b"") if found.status == 401 else found)


@fault("clients-containerd", "?ns=docker.io was answered with 200 and no digest")
def no_digest(mirror: Deployed) -> None:
    change_manifest_answers(mirror, lambda _, found: Answer(200, {}, found.body) if found.status == 200 else found)


@fault("clients-containerd", "?ns=docker.io was answered with 403")
def no_registry_names(mirror: Deployed) -> None:
    change_manifest_answers(mirror, lambda request, found: Answer(403, {}, b"") if request.method == "GET" else found)


@fault("clients-credentials", "/auth answered 200 instead of 401 to an account that does not exist")
def any_password(mirror: Deployed) -> None:
    mirror.host.users.add("regmirror-verify")
