"""The registry client sends the requests of clients, checks every digest, and sends its token only to the registry."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from regmirror.distribution.client import (
    MANIFEST_TYPES,
    AccessDeniedError,
    ManifestMissingError,
    NoRegistryError,
    RegistryClient,
)
from regmirror.distribution.login import Login, ask_login, login_status
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError
from regmirror.ports.http import Answer
from tests.fakes.http import FakeHttp, Host, Request
from tests.fakes.registry_host import RegistryHost, digest_of

BASE = "https://mirror.example.com"
IMAGE = ImageReference("library/alpine", "3")
LAYER = b"layer" * 1000


@pytest.fixture
def host() -> RegistryHost:
    found = RegistryHost(allowed={"library/alpine"})
    found.add_image("library/alpine", "3", [LAYER], platforms=("amd64", "arm64"))
    return found


def client(answer: Host | Answer, account: tuple[str, str] | None = None) -> tuple[RegistryClient, FakeHttp]:
    """A client of a host, or of one that always gives the same answer."""
    http = FakeHttp({BASE: (lambda _: answer) if isinstance(answer, Answer) else answer})
    return RegistryClient(http, BASE, account), http


def answered(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def failure(call: Callable[[], Any]) -> str:
    with pytest.raises(RegistryError) as caught:
        call()
    return caught.value.message


def test_an_image_is_pulled_through_its_index(host: RegistryHost) -> None:
    mirror, _ = client(host)
    token = mirror.pull_token("library/alpine")
    index = mirror.manifest(IMAGE, token)
    assert [child["platform"]["architecture"] for child in index.children] == ["amd64", "arm64"]
    assert index.blobs == []
    manifest = mirror.manifest(ImageReference("library/alpine", index.children[0]["digest"]), token)
    assert manifest.children == []
    sizes = [mirror.check_blob("library/alpine", blob, token) for blob in manifest.blobs]
    assert sizes[1] == len(LAYER)
    assert mirror.manifest_digest(IMAGE, token) == index.digest


def test_manifests_of_every_kind_are_accepted(host: RegistryHost) -> None:
    mirror, http = client(host)
    mirror.manifest(IMAGE, mirror.pull_token("library/alpine"))
    assert http.requests[-1].headers["Accept"] == ", ".join(MANIFEST_TYPES)


def test_a_token_is_asked_for_as_the_challenge_says(host: RegistryHost) -> None:
    host.realm, host.expects_service = f"{BASE}/elsewhere", "a service & more"
    host.answers["/elsewhere"] = Answer(200, {}, b'{"access_token": "given"}')
    mirror, http = client(host)
    assert mirror.pull_token("library/alpine") == "given"
    assert http.requests[-1].path == "/elsewhere"
    assert http.requests[-1].query == {"service": ["a service & more"], "scope": ["repository:library/alpine:pull"]}


def test_a_registry_that_needs_no_token_gets_none() -> None:
    mirror, http = client(answered(200))
    assert mirror.pull_token("library/alpine") is None
    mirror.request("GET", "/v2/")
    assert "Authorization" not in http.requests[-1].headers


@pytest.mark.parametrize(
    "answer",
    [answered(401), answered(401, www_authenticate='Basic realm="x"'), answered(500), answered(404, b"no such host")],
)
def test_no_challenge_is_an_error(answer: Answer) -> None:
    mirror, _ = client(answer)
    assert "without a Bearer challenge" in failure(lambda: mirror.pull_token("library/alpine"))


def test_an_account_is_sent_only_to_the_token_endpoint(host: RegistryHost) -> None:
    host.users.add("hub-user")
    mirror, http = client(host, ("hub-user", "päss:word"))
    mirror.pull_token("library/alpine")
    first, second = http.requests
    assert "Authorization" not in first.headers
    assert second.headers["Authorization"] == "Basic aHViLXVzZXI6cMOkc3M6d29yZA=="


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered(401, b"Auth  failed.\n"), "answered 401: Auth failed."),
        (answered(503), "answered 503"),
        (answered(200, b"<html>"), "answered without a token"),
        (answered(200, b"[]"), "answered without a token"),
        (answered(200, b"{}"), "answered without a token"),
    ],
)
def test_no_token_is_an_error(answer: Answer, words: str) -> None:
    mirror, _ = client(answer)
    assert words in failure(lambda: mirror.token(f"{BASE}/auth", "mirror"))


def test_a_manifest_of_another_digest_is_refused() -> None:
    wanted = digest_of(b"other")
    mirror, _ = client(answered(200, b"{}"))
    message = failure(lambda: mirror.manifest(ImageReference("a/b", wanted), None))
    assert message == f"{BASE}/v2/a/b/manifests/{wanted} has digest {digest_of(b'{}')} instead of {wanted}"
    mirror, _ = client(answered(200, b"{}", docker_content_digest=wanted))
    assert f"instead of {wanted}" in failure(lambda: mirror.manifest(IMAGE, None))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered(404, b'{"errors": []}'), 'answered 404: {"errors": []}'),
        (answered(200, b"<html>"), "is not JSON"),
        (answered(200, b"[]"), "is not a manifest"),
    ],
)
def test_something_other_than_a_manifest_is_refused(answer: Answer, words: str) -> None:
    mirror, _ = client(answer)
    assert words in failure(lambda: mirror.manifest(IMAGE, None))


def test_a_manifest_without_anything_has_no_children_and_no_blobs() -> None:
    mirror, _ = client(answered(200, b'{"manifests": null, "layers": null}'))
    manifest = mirror.manifest(IMAGE, None)
    assert manifest.children == manifest.blobs == []


@pytest.mark.parametrize(("answer", "words"), [(answered(404), "answered 404"), (answered(200), "without a digest")])
def test_a_missing_digest_is_an_error(answer: Answer, words: str) -> None:
    mirror, _ = client(answer)
    assert words in failure(lambda: mirror.manifest_digest(IMAGE, None))


def test_a_redirect_is_followed_without_the_token() -> None:
    asked: list[Request] = []

    def to_store(_: Request) -> Answer:
        return answered(307, location="https://s3.example.com/first?X=1")

    def store(request: Request) -> Answer:
        asked.append(request)
        return Answer(200, {}, LAYER) if request.path == "/second" else Answer(307, {"Location": "/second?X=1"}, b"")

    http = FakeHttp({BASE: to_store, "https://s3.example.com": store})
    mirror = RegistryClient(http, BASE)
    assert mirror.check_blob("a/b", {"digest": digest_of(LAYER)}, "token") == len(LAYER)
    assert http.requests[0].headers["Authorization"] == "Bearer token"
    assert [request.path for request in asked] == ["/first", "/second"]
    assert not any("Authorization" in request.headers for request in asked)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (answered(404), "answered 404"),
        (answered(200, LAYER[:-1]), "returned 4999 bytes that do not match the digest"),
        (answered(307, location="/again?signature=canary"), "redirects the blob"),
        (answered(307, location="http://mirror.example.com/?s=canary"), "redirects to http://mirror.example.com: not"),
        (answered(307, location="ftp://s3.example.com/?s=canary"), "redirects to ftp://s3.example.com: not"),
        (answered(307), "redirects the blob"),
    ],
)
def test_a_blob_that_does_not_match_is_an_error(answer: Answer, words: str) -> None:
    mirror, _ = client(answer)
    message = failure(lambda: mirror.check_blob("a/b", {"digest": digest_of(LAYER)}, None))
    assert words in message
    assert "canary" not in message


def test_a_redirect_is_followed_to_allowed_urls_only() -> None:
    http = FakeHttp({BASE: lambda _: answered(307, location="https://elsewhere.example.com/x?signature=canary")})
    mirror = RegistryClient(http, BASE, may_redirect_to=lambda url: url.startswith("https://s3.example.com/"))
    message = failure(lambda: mirror.check_blob("a/b", {"digest": digest_of(LAYER)}, None))
    assert "redirects to https://elsewhere.example.com: not the configured store" in message
    assert "canary" not in message
    assert len(http.requests) == 1


def test_a_registry_without_encryption_may_redirect_to_one_without() -> None:
    registry = RegistryClient(FakeHttp(), "http://registry.example.com")
    found = registry.redirect_target("http://registry.example.com/a", "http://s3.example.com/b")
    assert found == "http://s3.example.com/b"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_distinguished_from_other_errors(status: int) -> None:
    registry, _ = client(answered(status, b"{}"))
    with pytest.raises(AccessDeniedError):
        registry.manifest_digest(IMAGE, None)
    with pytest.raises(AccessDeniedError):
        registry.token(f"{BASE}/auth", "service")


def test_a_signed_url_is_shown_without_its_signature() -> None:
    mirror, http = client(answered(307, location="https://s3.example.com/x?sig=canary"))
    http.hosts["https://s3.example.com"] = lambda _: answered(403)
    message = failure(lambda: mirror.check_blob("a/b", {"digest": digest_of(LAYER)}, None))
    assert message == "https://s3.example.com/x answered 403"


def test_the_catalog_of_the_host_is_closed_without_a_token(host: RegistryHost) -> None:
    mirror, _ = client(host)
    answer = mirror.request("GET", "/v2/_catalog")
    assert answer.status == 401
    assert json.loads(answer.body)["errors"][0]["code"] == "UNAUTHORIZED"


def test_a_missing_manifest_is_distinguished_from_other_errors() -> None:
    for status, kind in ((404, ManifestMissingError), (500, RegistryError)):
        registry, _ = client(answered(status, b"{}"))
        for ask in (registry.manifest, registry.manifest_digest):
            with pytest.raises(RegistryError) as caught:
                ask(IMAGE, None)
            assert type(caught.value) is kind


def basic(request: Request) -> Answer:
    """A registry that wants user name and password with each request, as ECR does."""
    if request.headers.get("Authorization") != f"Basic {base64.b64encode(b'AWS:password').decode()}":
        return Answer(
            401, {"WWW-Authenticate": 'Basic realm="https://ecr.example.com/",service="ecr.amazonaws.com"'}, b""
        )
    headers = {"Docker-Content-Digest": "sha256:1"}
    return Answer(200, headers, LAYER)


def test_a_registry_that_asks_for_the_account_gets_it_with_each_request() -> None:
    registry, http = client(basic, ("AWS", "password"))
    token = registry.pull_token("acme/tool")
    assert token is None
    assert registry.manifest_digest(IMAGE, token) == "sha256:1"
    assert registry.check_blob("acme/tool", {"digest": digest_of(LAYER)}, token) == len(LAYER)
    assert "Authorization" not in http.requests[0].headers


def test_a_registry_that_asks_for_an_account_and_gets_none_is_an_error() -> None:
    registry, _ = client(basic)
    assert "answered 401 without a Bearer challenge" in failure(lambda: registry.pull_token("acme/tool"))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Bearer realm="https://auth.example.com/token",service="s"', Login("https://auth.example.com/token", "s")),
        ('Basic realm="company"', Login(needs_account=True)),
    ],
)
def test_the_way_of_logging_in_is_read_from_the_challenge(header: str, expected: Login) -> None:
    _, http = client(answered(401, WWW_Authenticate=header))
    assert ask_login(http, BASE) == expected


def test_a_registry_without_login_accepts_every_account() -> None:
    _, http = client(answered(200))
    login = ask_login(http, BASE)
    assert (login, login_status(http, BASE, login, ("a", "b"))) == (Login(), 200)


@pytest.mark.parametrize(("password", "status"), [("password", 200), ("old", 401)])
def test_an_account_is_tried_where_it_is_sent_with_each_request(password: str, status: int) -> None:
    _, http = client(basic)
    assert login_status(http, BASE, ask_login(http, BASE), ("AWS", password)) == status


@pytest.mark.parametrize(("status", "kind"), [(404, NoRegistryError), (301, NoRegistryError), (503, RegistryError)])
def test_what_is_no_registry_and_what_is_down_differ(status: int, kind: type[RegistryError]) -> None:
    _, http = client(answered(status))
    with pytest.raises(RegistryError, match=rf"does not answer as a registry \({status} to /v2/\)") as caught:
        ask_login(http, BASE)
    assert type(caught.value) is kind
