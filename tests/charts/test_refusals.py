"""What clients read when the registry refuses a pull: the front adds the reason, and leaves the decision alone."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from .front import configuration
from .helm import Helm
from .test_front import Front, Program, run

REALM = 'Bearer realm="https://mirror.example.com/auth",service="mirror.example.com"'
CONTACT = "Ann's $team #1; {x} <team@example.com>"
CONTAINERD = {"User-Agent": "containerd/2.4.2"}
BUILDKIT = {"User-Agent": "buildkit/v0.34.2"}
BLOB = f"/blobs/sha256:{'a' * 64}"
OTHER_TOKEN = {"Authorization": "Bearer other"}


@dataclass
class Registry(Program):
    """Refuses tokens for another repository, and those that have expired, as distribution 3.1.2 does."""

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str]]:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        if "if-none-match" not in headers:
            self.asked.append((handler.command, handler.path, headers))
        match = re.fullmatch(r"/v2/(.+)/(?:manifests|blobs|tags)/.+", handler.path)
        scope = f',scope="repository:{match[1]}:pull"' if match else ""
        errors = {"Bearer other": ',error="insufficient_scope"', "Bearer expired": ',error="invalid_token"'}
        error = errors.get(headers.get("authorization", ""), "")
        return 401, {"WWW-Authenticate": REALM + scope + error, "Content-Type": "application/json"}


@pytest.fixture
def front(helm3: Helm, tmp_path: Path) -> Iterator[Front]:
    yield from running(helm3, tmp_path, {"contact": CONTACT})


def running(helm: Helm, directory: Path, values: dict[str, Any]) -> Iterator[Front]:
    with run(configuration(helm, "registry", values), "registry", directory, Registry()) as front:
        yield front


@dataclass(frozen=True)
class Refusal:
    """An answer with its body."""

    status: int
    challenge: list[str]
    body: bytes

    @property
    def message(self) -> str:
        (error,) = json.loads(self.body)["errors"]
        assert error["code"] == "DENIED"
        return str(error["message"])


def ask(front: Front, path: str, headers: dict[str, str], method: str = "GET") -> Refusal:
    with closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=20)) as connection:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Refusal(answer.status, answer.headers.get_all("WWW-Authenticate") or [], answer.read())


def challenge(repository: str, error: str) -> list[str]:
    return [f'{REALM},scope="repository:{repository}:pull",{error}']


@pytest.mark.parametrize("what", ["/manifests/1", f"/manifests/sha256:{'a' * 64}", BLOB])
def test_a_refused_pull_has_the_reason_and_the_contact(front: Front, what: str) -> None:
    reason = f"no rule allows acme/private; ask {CONTACT}"
    refusal = ask(front, f"/v2/acme/private{what}", OTHER_TOKEN | BUILDKIT)
    # Docker and BuildKit compare the error; its meaning must not change.
    expected = challenge("acme/private", f'error="insufficient_scope",error_description="{reason}"')
    assert (refusal.status, refusal.challenge, refusal.message) == (401, expected, reason)
    assert json.loads(refusal.body)["errors"][0]["detail"][0]["Name"] == "acme/private"


def test_containerd_shows_the_error_of_the_challenge_only(front: Front) -> None:
    refusal = ask(front, "/v2/acme/private/manifests/1", OTHER_TOKEN | CONTAINERD, "HEAD")
    error = f'error="insufficient_scope: no rule allows acme/private; ask {CONTACT}"'
    assert (refusal.status, refusal.challenge) == (401, challenge("acme/private", error))


@pytest.mark.parametrize("what", ["/tags/list", "/referrers/x"])
def test_every_other_refusal_for_a_repository_has_it_in_its_challenge(front: Front, what: str) -> None:
    refusal = ask(front, f"/v2/acme/private{what}", OTHER_TOKEN | CONTAINERD)
    assert [("no rule allows acme/private" in one) for one in refusal.challenge] == [what == "/tags/list"]


@pytest.mark.parametrize("cached", [True, False])
def test_without_a_cache_of_layers_the_challenge_has_the_reason(helm3: Helm, tmp_path: Path, *, cached: bool) -> None:
    values = {"cache": {"enabled": cached}, "layerCache": {"bytes": 0}}
    for front in running(helm3, tmp_path, values):
        refusal = ask(front, "/v2/acme/private/manifests/1", OTHER_TOKEN | CONTAINERD)
        assert refusal.challenge == challenge("acme/private", 'error="insufficient_scope: no rule allows acme/private"')


@pytest.mark.parametrize("what", ["/manifests/1", BLOB, "/tags/list"])
def test_an_expired_token_and_none_at_all_are_the_registrys_answer(front: Front, what: str) -> None:
    """Clients that read invalid_token request a new token."""
    for headers, error in (({"Authorization": "Bearer expired"}, ',error="invalid_token"'), ({}, "")):
        refusal = ask(front, f"/v2/acme/private{what}", headers | CONTAINERD)
        expected = [f'{REALM},scope="repository:acme/private:pull"{error}']
        assert (refusal.status, refusal.challenge, refusal.body) == (401, expected, b"")


def test_a_contact_that_is_not_ascii_is_in_the_body_only(helm3: Helm, tmp_path: Path) -> None:
    for front in running(helm3, tmp_path, {"contact": "Müller"}):
        refusal = ask(front, "/v2/acme/private/manifests/1", OTHER_TOKEN | CONTAINERD)
        assert refusal.message == "no rule allows acme/private; ask Müller"
        assert refusal.challenge == challenge("acme/private", 'error="insufficient_scope: no rule allows acme/private"')


@pytest.mark.parametrize(
    "path",
    [
        f"/v2/{'a' * 300}/manifests/1",
        "/v2/acme/%22%2Cerror%3D%22x/manifests/1",
        "/v2/acme/private%0D%0AX-Evil:1/tags/list",
        "/v2/acme/$contact/manifests/1",
        "/v2/ACME/private/manifests/1",
    ],
)
def test_a_hostile_name_is_repeated_by_the_registry_only(front: Front, path: str) -> None:
    refusal = ask(front, path, OTHER_TOKEN | CONTAINERD)
    assert refusal.status == 401
    assert b"no rule" not in refusal.body
    assert not [one for one in refusal.challenge if "no rule" in one]


def test_a_refusal_does_not_reach_the_registry_twice(front: Front) -> None:
    """The token-check has its verdict."""
    for _ in range(3):
        assert ask(front, "/v2/acme/private/manifests/1", OTHER_TOKEN).status == 401
    assert front.program.asked == []


@pytest.mark.parametrize("contact", ['a"b', "a\\b", "a\nb", "\x7f", "x" * 201])
def test_a_contact_that_would_have_to_be_escaped_is_refused(helm3: Helm, contact: str) -> None:
    assert helm3.template("registry", {"contact": contact}).returncode


def test_a_wrong_password_is_refused_with_a_reason_that_docker_shows(helm3: Helm, tmp_path: Path) -> None:
    program = Program(401, {"WWW-Authenticate": 'Basic realm="regmirror"'}, b"Auth failed.")
    with run(configuration(helm3, "auth"), "auth", tmp_path, program) as front:
        refusal = ask(front, "/auth?service=x&account=ci", {"Authorization": "Basic Y2k6eA=="})
        assert (refusal.status, refusal.challenge) == (401, ['Basic realm="regmirror"'])
        assert json.loads(refusal.body)["errors"][0]["message"] == "wrong user name or password"
        program.status = 500
        assert ask(front, "/auth?service=x", {}).status == 500
