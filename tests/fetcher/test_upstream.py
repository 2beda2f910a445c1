"""The upstream is asked with the mirror's account, which nobody but the upstream and its token service gets."""

import asyncio
import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fetcher.account import Account
from fetcher.messages import Answer, MessageError
from fetcher.upstream import Upstream, is_realm_of

from tests.fetcher.setting import WAY_OUT, Respond, Setting, running, status

PATH, REPOSITORY = "/v2/acme/private/manifests/1", "acme/private"
PASSWORD = "canary-of-the-account"
BASIC = "Basic " + base64.b64encode(f"mirror:{PASSWORD}".encode()).decode()
TOKEN = "canary.of.the.token"


@pytest.fixture(autouse=True)
def no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert not [text for text in caplog.messages if "canary" in text or BASIC.removeprefix("Basic ") in text]


def program(directory: Path, script: str) -> str:
    path = directory / "helper"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o555)
    return str(path)


def helper(directory: Path) -> str:
    credential = json.dumps({"ServerURL": "", "Username": "mirror", "Secret": PASSWORD})
    return program(directory, f"[ $1 = get ] && echo '{credential}'")


def upstream_of(setting: Setting, helper: str = "") -> Upstream:
    return Upstream(f"http://127.0.0.1:{setting.upstream.port}", Account(helper), WAY_OUT)


class Guarded:
    """Answers only requests with an Authorization header; a test sets the setting."""

    def __init__(self, expected: str, challenge: str, answer: Respond) -> None:
        self.expected, self.challenge, self.answer = expected, challenge, answer
        self.setting: Setting

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        _, head = self.setting.upstream.asked[-1]
        is_right = head.headers.get("authorization") == self.expected
        await (self.answer if is_right else status(401, www_authenticate=self.challenge))(writer)


def token_url(setting: Setting) -> str:
    return f"http://127.0.0.1:{setting.upstream.port}/token"


SCOPED = "/token?service=hub&scope=repository%3Aacme%2Fprivate%3Apull"


def get(directory: Path, answers: dict[str, Respond], challenge: str, helper: str = "") -> tuple[Answer, list[str]]:
    """The answer, and what the upstream was asked for; the challenge may name the upstream's ``{token_url}``."""

    async def run() -> tuple[Answer, list[str]]:
        async with running(directory) as setting:
            text = challenge.format(token_url=token_url(setting))
            guarded = Guarded(f"Bearer {TOKEN}" if "earer" in text else BASIC, text, status(200, b"found"))
            guarded.setting = setting
            setting.upstream.answers = {PATH: guarded, **answers}
            upstream = upstream_of(setting, helper)
            answer = await upstream.get(PATH, REPOSITORY, "x", 1000, 5)
            await upstream.get(PATH, REPOSITORY, "x", 1000, 5)
            sent = [head.headers.get("authorization") for path, head in setting.upstream.asked if path != PATH]
            assert set(sent) <= {BASIC if helper else None}
            return answer, [path for path, _ in setting.upstream.asked]

    return asyncio.run(run())


BEARER = 'Bearer realm="{token_url}",service="hub",scope="repository:acme/private:pull"'


@pytest.mark.parametrize("challenge", [BEARER, BEARER + ', Basic realm="x"', 'Basic realm="x", ' + BEARER])
@pytest.mark.parametrize("has_account", [True, False])
@pytest.mark.parametrize("key", ["token", "access_token"])
def test_a_token_is_fetched_once_and_used_again(tmp_path: Path, challenge: str, has_account: bool, key: str) -> None:
    answers = {SCOPED: status(200, json.dumps({key: TOKEN}).encode())}
    answer, asked = get(tmp_path, answers, challenge, helper(tmp_path) if has_account else "")
    assert (answer.status, answer.body) == (200, b"found")
    assert asked == [PATH, SCOPED, PATH, PATH]


def test_basic_authentication_as_at_ecr(tmp_path: Path) -> None:
    answer, asked = get(tmp_path, {}, 'Basic realm="https://elsewhere.example/"', helper(tmp_path))
    assert (answer.status, set(asked)) == (200, {PATH})


def test_without_an_account_a_refusal_is_the_answer(tmp_path: Path) -> None:
    assert get(tmp_path, {}, 'Basic realm="x"')[0].status == 401


@pytest.mark.parametrize(
    ("url", "realm", "is_own"),
    [
        ("https://registry-1.docker.io", "https://auth.docker.io/token", True),
        ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("https://ghcr.io", "https://ghcr.io/token", True),
        ("https://ghcr.io", "https://evil.io/token", False),
        ("https://registry.acme.co.uk", "https://auth.acme.co.uk/", True),
        ("https://acme.co.uk", "https://evil.co.uk/", False),
        ("https://registry-1.docker.io", "https://docker.io.evil.example/token", False),
        ("https://registry-1.docker.io", "https://evildocker.io/token", False),
        ("https://registry-1.docker.io", "http://auth.docker.io/token", False),
        ("https://registry-1.docker.io", "https://169.254.169.254/token", False),
        ("https://registry-1.docker.io", "https://user@auth.docker.io/token", False),
        ("https://registry-1.docker.io", "ftp://auth.docker.io/token", False),
        ("https://registry-1.docker.io", "/token", False),
        ("https://10.0.0.9:5000", "https://10.0.0.8/token", False),
        ("http://registry.svc:5000", "http://registry.svc:5001/token", True),
        ("http://localhost:5000", "http://127.0.0.1/", False),
    ],
)
def test_only_a_token_service_of_the_upstream_gets_the_account(url: str, realm: str, is_own: bool) -> None:
    assert is_realm_of(url, realm) is is_own


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="http://169.254.169.254/latest"',
        'Bearer realm="http://evil.example/"',
        "Bearer x",
        'Bearer realm=""',
    ],
)
def test_a_hostile_challenge_is_refused(tmp_path: Path, challenge: str) -> None:
    with pytest.raises(MessageError):
        get(tmp_path, {}, challenge, helper(tmp_path))


@pytest.mark.parametrize(
    "answer",
    [
        status(500),
        status(200, b"not JSON, with canary"),
        status(200, b"[]"),
        status(200, b'{"token": 1}'),
        status(200, b'{"token": "canary\\r\\nX: y"}'),
        status(200, b"[" * 50_000),
        status(200, b" " * 100_000),
        status(302, location="http://169.254.169.254/"),
    ],
    ids=["error", "text", "array", "number", "header", "deep", "large", "redirect"],
)
def test_a_hostile_token_service_is_refused(tmp_path: Path, answer: Respond) -> None:
    with pytest.raises(MessageError) as error:
        get(tmp_path, {SCOPED: answer}, BEARER)
    assert "canary" not in str(error.value)


@pytest.mark.parametrize("script", ["exit 1", "echo canary", "echo '{\"Username\": 1}'", "echo '[]'"])
def test_without_the_account_that_it_should_have_the_upstream_is_not_asked_anonymously(
    tmp_path: Path, script: str
) -> None:
    with pytest.raises(MessageError) as error:
        get(tmp_path, {}, BEARER, program(tmp_path, script))
    assert str(error.value) == "the account at the upstream cannot be read"
    assert error.value.__cause__ is None


def test_redirects_stay_at_the_upstream(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            upstream = upstream_of(setting)
            setting.upstream.answers = {PATH: status(307, location="/v2/moved"), "/v2/moved": status(200, b"found")}
            assert (await upstream.get(PATH, REPOSITORY, "x", 1000, 5)).body == b"found"
            for elsewhere in ("http://169.254.169.254/latest", f"http://127.0.0.1:{setting.registry.port}/x", "//x/y"):
                setting.upstream.answers = {PATH: status(307, location=elsewhere)}
                assert (await upstream.get(PATH, REPOSITORY, "x", 1000, 5)).status == 307
            assert not setting.registry.asked

    asyncio.run(run())


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/x",
        "https://[fd00:ec2::254]/x",
        "https://2852039166/x",
        "http://127.1/x",
        "https://0x7f.1/",
    ],
)
def test_a_layer_is_not_looked_for_at_addresses_that_an_upstream_names(tmp_path: Path, location: str) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.upstream.answers = {PATH: status(307, location=location)}
            async with asyncio.timeout(3):
                assert not await upstream_of(setting).has(PATH, REPOSITORY, 2)

    asyncio.run(run())
