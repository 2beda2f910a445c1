"""Faults of the registry's endpoints."""

from __future__ import annotations

from collections.abc import Callable

from regmirror.ports.http import Answer
from tests.fakes.http import Request
from tests.fakes.registry_host import digest_of
from tests.unit.check_faults.table import FaultTable, answer, change_manifest_answers
from tests.unit.deployed import Deployed

fault = FaultTable()


@fault("registry-challenge", "/v2/ answered 200 instead of 401 to a client without a token")
def open_registry(mirror: Deployed) -> None:
    answer(mirror, "/v2/", 200)


@fault("registry-challenge", "/v2/ sends clients to https://x/auth instead of https://mirror.example.com/auth")
def other_realm(mirror: Deployed) -> None:
    mirror.host.realm = "https://x/auth"


@fault("registry-challenge", "/v2/ answered 401 without a token endpoint in WWW-Authenticate")
def no_realm(mirror: Deployed) -> None:
    answer(mirror, "/v2/", 401)


@fault("registry-catalog-denied", "/v2/_catalog answered 200 instead of 401 to a client without a token")
def open_catalog(mirror: Deployed) -> None:
    answer(mirror, "/v2/_catalog", 200)


@fault("registry-catalog", "/v2/_catalog answered 401 to a token that grants it")
def refused_catalog(mirror: Deployed) -> None:
    mirror.host.expects_issuer = "x"


@fault("registry-catalog", "/v2/_catalog answered with something other than a catalog")
def no_catalog(mirror: Deployed) -> None:
    answer(mirror, "/v2/_catalog", 200, b"[]")


@fault("registry-readonly", "the registry answered 202 to an upload with a push token, instead of refusing it")
def uploads(mirror: Deployed) -> None:
    answer(mirror, "/v2/regmirror-probe/not-allowed/blobs/uploads/", 202)


@fault("registry-manifest", "/v2/library/alpine/manifests/3 answered 404")
def no_manifest(mirror: Deployed) -> None:
    mirror.host.manifests.clear()


@fault("registry-head", "/v2/library/alpine/manifests/3 answered 200 to GET and 404 to HEAD")
def no_head(mirror: Deployed) -> None:
    change_manifest_answers(mirror, lambda request, found: Answer(404, {}, b"") if request.method == "HEAD" else found)


@fault("registry-head", "has the docker-content-digest")
def changed_head(mirror: Deployed) -> None:
    change_manifest_answers(mirror, lambda request, found: Answer(200, {}, b"") if request.method == "HEAD" else found)


@fault("registry-platforms", "/v2/library/alpine/manifests/sha256:")
def lost_platform(mirror: Deployed) -> None:
    for repository, reference in list(mirror.host.manifests):
        if reference.startswith("sha256:") and mirror.host.manifests[repository, reference][0].endswith(
            "manifest.v1+json"
        ):
            del mirror.host.manifests[repository, reference]


@fault("registry-manifest", "instead of sha256:")
def wrong_manifest_by_tag(mirror: Deployed) -> None:
    change_manifest_answers(mirror, lambda _, found: Answer(found.status, found.headers, found.body + b" "))


def _replace_content(mirror: Deployed, change: Callable[[bytes], bytes], media_type: str) -> None:
    """Serve other bytes by the digests of manifests, as a registry does whose bucket is damaged."""

    def changed(request: Request, found: Answer) -> Answer:
        is_meant = "/manifests/sha256:" in request.path and found.headers.get("Content-Type", "").endswith(media_type)
        return Answer(found.status, found.headers, change(found.body)) if is_meant else found

    change_manifest_answers(mirror, changed)


@fault("registry-digests", "instead of sha256:")
def damaged_platform(mirror: Deployed) -> None:
    _replace_content(mirror, lambda body: body.replace(b"2", b"3"), "manifest.v1+json")


@fault("registry-digests", "returned 7 bytes that do not match the digest")
def damaged_configuration(mirror: Deployed) -> None:
    mirror.host.blobs[digest_of(b'{"layers": 2}')] = b"damaged"


@fault("registry-tags", "/v2/library/alpine/tags/list answered 500")
def broken_tags(mirror: Deployed) -> None:
    answer(mirror, "/v2/library/alpine/tags/list", 500)


@fault("registry-tags", "answered with something other than a list of tags")
def invalid_tags(mirror: Deployed) -> None:
    answer(mirror, "/v2/library/alpine/tags/list", 200, b"[]")


@fault("registry-tags", "is empty, although library/alpine:3 can be pulled")
def empty_tags(mirror: Deployed) -> None:
    answer(mirror, "/v2/library/alpine/tags/list", 200, b'{"tags": null}')
