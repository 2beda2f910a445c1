"""A manifest is asked for once by all who want it at the same moment, and passed on only if its digest is right."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.fetcher.setting import Answered, Setting, digest_of, running, status

SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
BODY = b'{"schemaVersion": 2}'
TAG = "/v2/library/demo/manifests/1"
BY_DIGEST = f"/v2/library/demo/manifests/{digest_of(BODY)}"


def right() -> dict[str, str]:
    return {"docker_content_digest": digest_of(BODY), "content_type": "application/vnd.oci.image.manifest.v1+json"}


def together(setting: Setting, path: str, clients: int = 40) -> "asyncio.Future[list[Answered]]":
    return asyncio.gather(*(setting.ask(path, accept="x") for _ in range(clients)))


@pytest.mark.parametrize("code", [200, 404, 429, 503])
def test_all_who_ask_at_once_get_the_answer_of_one_request(tmp_path: Path, code: int) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            may_answer = asyncio.Event()

            async def later(writer: asyncio.StreamWriter) -> None:
                await may_answer.wait()
                await status(code, BODY, **right())(writer)

            setting.registry.answers[TAG] = later
            asked = together(setting, TAG)
            while not setting.registry.asked:
                await asyncio.sleep(0.01)
            asyncio.get_running_loop().call_later(0.1, may_answer.set)
            answers = await asked
            assert {(answered.status, answered.body) for answered in answers} == {(code, BODY)}
            assert setting.registry.count(TAG) == 1
            assert answers[0].headers["docker-content-digest"] == digest_of(BODY)

    asyncio.run(run())


def test_requests_for_different_types_are_different(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[TAG] = status(200, BODY, **right())
            await asyncio.gather(setting.ask(TAG, accept="a"), setting.ask(TAG, accept="b"))
            assert {head.headers["accept"] for _, head in setting.registry.asked} == {"a", "b"}

    asyncio.run(run())


@pytest.mark.parametrize("path", [TAG, BY_DIGEST])
def test_a_manifest_with_another_digest_is_not_passed_on(tmp_path: Path, path: str) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[path] = status(200, b'{"evil": true}', **right())
            answered = await setting.ask(path)
            assert answered.status == 502
            assert b"does not match its digest" in answered.body

    asyncio.run(run())


def refused_type(media_type: str) -> bytes:
    """As distribution 3.1.2 answers if the upstream has a manifest of another type (registry/handlers/helpers.go)."""
    detail = f"unsupported manifest media type and no default available: {media_type}"
    return json.dumps({"errors": [{"code": "UNKNOWN", "message": "unknown error", "detail": detail}]}).encode()


@pytest.mark.parametrize("path", [TAG, BY_DIGEST])
def test_a_manifest_of_a_type_that_the_registry_lacks_is_unknown_and_no_failure(tmp_path: Path, path: str) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[path] = status(500, refused_type(SCHEMA1))
            answered = await setting.ask(path)
            (error,) = json.loads(answered.body)["errors"]
            assert (answered.status, error["code"]) == (404, "MANIFEST_UNKNOWN")
            assert error["message"] == f"the mirror does not support manifests of the type {SCHEMA1}"
            assert b'regmirror_registry_failures_total{cause="upstream"} 0\n' in (await setting.ask("/figures")).body

    asyncio.run(run())


@pytest.mark.parametrize(
    ("detail", "cause"),
    [
        ({"driver": "s3aws", "detail": "no such host"}, "store"),
        (
            's3aws: RequestError: send request failed\ncaused by: Put "http://s3/layers/link": connection refused',
            "store",
        ),
        ("filesystem: mkdir /var/lib/registry: no space left on device", "store"),
        ('Get "https://registry-1.docker.io/v2/": dial tcp: no route to host', "upstream"),
    ],
)
def test_a_failure_of_the_store_is_told_from_one_of_the_upstream(tmp_path: Path, detail: object, cause: str) -> None:
    """Drivers fail in two forms: as a document, or where the registry writes, as its text."""
    body = json.dumps({"errors": [{"code": "UNKNOWN", "message": "unknown error", "detail": detail}]}).encode()

    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[TAG] = status(500, body)
            assert (await setting.ask(TAG)).status == 500
            expected = f'regmirror_registry_failures_total{{cause="{cause}"}} 1\n'
            assert expected in (await setting.ask("/figures")).body.decode()

    asyncio.run(run())


def test_a_page_instead_of_a_manifest_is_a_failure(tmp_path: Path) -> None:
    """Such as that of an HTTP proxy."""

    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[TAG] = status(500, refused_type("text/html"))
            assert (await setting.ask(TAG)).status == 500
            assert b'regmirror_registry_failures_total{cause="upstream"} 1\n' in (await setting.ask("/figures")).body

    asyncio.run(run())


@pytest.mark.parametrize("code", [500, 503])
def test_a_tag_is_answered_as_last_time_while_the_registry_fails(tmp_path: Path, code: int) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[TAG] = status(200, BODY, **right())
            await setting.ask(TAG)
            setting.registry.answers[TAG] = status(code)
            assert (await setting.ask(TAG)).body == BODY
            setting.registry.answers[TAG] = status(404)
            assert (await setting.ask(TAG)).status == 404

    asyncio.run(run())


def test_a_tag_is_answered_as_last_time_while_the_registry_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fetcher.manifests._PATIENCE_WITH_KNOWN", 0.1)

    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[TAG] = status(200, BODY, **right())
            await setting.ask(TAG)
            never = asyncio.Event()

            async def hang(_: asyncio.StreamWriter) -> None:
                await never.wait()

            setting.registry.answers[TAG] = hang
            assert (await setting.ask(TAG)).body == BODY
            never.set()

    asyncio.run(run())


def test_a_request_that_hangs_does_not_keep_later_clients_from_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fetcher.manifests._JOINABLE", 0.0)

    async def run() -> None:
        async with running(tmp_path) as setting:
            never = asyncio.Event()

            async def hang(_: asyncio.StreamWriter) -> None:
                await never.wait()

            setting.registry.answers[TAG] = hang
            first = asyncio.create_task(setting.ask(TAG))
            while not setting.registry.asked:
                await asyncio.sleep(0.01)
            setting.registry.answers[TAG] = status(200, BODY, **right())
            assert (await asyncio.wait_for(setting.ask(TAG), 5)).body == BODY
            never.set()
            first.cancel()

    asyncio.run(run())


def test_the_manifest_of_a_tag_is_also_given_by_its_digest_without_the_registry(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[TAG] = status(200, BODY, **right())
            await setting.ask(TAG)
            answered = await setting.ask(BY_DIGEST)
            assert (answered.status, answered.body) == (200, BODY)
            assert answered.headers["docker-content-digest"] == digest_of(BODY)
            assert setting.registry.count(BY_DIGEST) == 0

    asyncio.run(run())


def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Three tags, and their common digest.
    monkeypatch.setattr("fetcher.manifests._KNOWN_LIMIT", 4 * len(BODY))

    async def run() -> None:
        async with running(tmp_path) as setting:
            paths = [f"/v2/library/demo/manifests/{number}" for number in range(5)]
            setting.registry.answers = dict.fromkeys(paths, status(200, BODY, **right()))
            for path in paths:
                await setting.ask(path)
            setting.registry.answers = dict.fromkeys(paths, status(500))
            assert [(await setting.ask(path)).status for path in paths] == [500, 500, 200, 200, 200]

    asyncio.run(run())


def test_the_registrys_challenge_reaches_the_client(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.registry.answers[TAG] = status(401, b"{}", www_authenticate='Bearer realm="x"')
            answered = await setting.ask(TAG)
            assert (answered.status, answered.headers["www-authenticate"]) == (401, 'Bearer realm="x"')

    asyncio.run(run())


def test_anything_else_is_not_found(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            assert (await setting.ask("/")).status == 200
            assert (await setting.ask("/v2/")).status == 404
            assert not setting.registry.asked

    asyncio.run(run())
