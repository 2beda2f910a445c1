"""Referrers are those of the upstream, asked for once in a while; what is not known is never an empty list."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fetcher.listing import INDEX

from tests.fetcher.setting import Answered, Respond, running, status

SUBJECT = "sha256:" + "a" * 64
PATH = f"/v2/library/demo/referrers/{SUBJECT}"
TAG = f"/v2/library/demo/manifests/sha256-{'a' * 64}"
SIGNATURE, SBOM = "application/vnd.dev.cosign.artifact.sig.v1+json", "application/spdx+json"


def descriptor(number: int, artifact: str = SIGNATURE) -> dict[str, Any]:
    kind = "application/vnd.oci.image.manifest.v1+json"
    annotations = {"org.opencontainers.image.created": "2026-01-01T00:00:00Z"}
    digest = f"sha256:{number:064x}"
    return {"mediaType": kind, "digest": digest, "size": 7, "artifactType": artifact, "annotations": annotations}


def index(*descriptors: object, **headers: str) -> Respond:
    body = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors}).encode()
    return status(200, body, **{"content_type": INDEX, **headers})


def listed(answered: Answered) -> list[Any]:
    assert (answered.status, answered.headers["content-type"]) == (200, INDEX)
    document = json.loads(answered.body)
    assert (document["schemaVersion"], document["mediaType"]) == (2, INDEX)
    return list(document["manifests"])


def expect(answers: dict[str, Respond], expected: object, path: str = PATH) -> list[str]:
    """What a client gets, a list of descriptors or a status; returns the paths that the upstream was asked for."""

    async def run(directory: Path) -> list[str]:
        async with running(directory) as setting:
            setting.upstream.answers = answers
            answered = await setting.ask(path)
            assert (listed(answered) if isinstance(expected, list) else answered.status) == expected
            return [asked for asked, _ in setting.upstream.asked]

    with TemporaryDirectory() as directory:
        return asyncio.run(run(Path(directory)))


def test_the_list_of_the_upstream_is_passed_on_whole() -> None:
    expected = [descriptor(1), descriptor(2, SBOM)]
    assert expect({PATH: index(*expected)}, expected) == [PATH]
    assert expect({PATH: index()}, []) == [PATH]


def test_artifact_types_are_filtered_here_and_the_answer_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.upstream.answers[PATH] = index(descriptor(1), descriptor(2, SBOM))
            only = await setting.ask(f"{PATH}?ns=docker.io&artifactType=application%2Fspdx%2Bjson")
            assert listed(only) == [descriptor(2, SBOM)]
            assert only.headers["oci-filters-applied"] == "artifactType"
            assert listed(await setting.ask(f"{PATH}?artifactType=other")) == []
            everything = await setting.ask(f"{PATH}?ns=docker.io")
            assert len(listed(everything)) == 2
            assert "oci-filters-applied" not in everything.headers
            assert setting.upstream.count(PATH) == 1

    asyncio.run(run())


@pytest.mark.parametrize("separator", ["?", "/"])
def test_all_pages_are_one_list(separator: str) -> None:
    second = f"{PATH}{separator}page=2"
    answers = {PATH: index(descriptor(1), link=f'<{second}>; rel="next"'), second: index(descriptor(2))}
    expect(answers, [descriptor(1), descriptor(2)])


@pytest.mark.parametrize("code", [303, 400, 404, 405, 501])
def test_without_the_api_the_list_is_that_of_the_tag_schema(code: int) -> None:
    missing = status(code, b"{}", location="https://elsewhere.example/")
    assert expect({PATH: missing, TAG: index(descriptor(1))}, [descriptor(1)]) == [PATH, TAG]
    assert expect({PATH: missing, TAG: status(404)}, []) == [PATH, TAG]


def test_a_page_for_browsers_is_not_the_api() -> None:
    assert expect({PATH: status(200, b"<html>", content_type="text/html")}, []) == [PATH, TAG]


def test_a_repository_that_the_upstream_does_not_know_has_no_list() -> None:
    """As for ORAS: an image that the mirror still has is not shown as one without signatures."""
    unknown = status(404, b'{"errors":[{"code":"NAME_UNKNOWN"}]}')
    assert expect({PATH: unknown, TAG: index()}, 502) == [PATH]


@pytest.mark.parametrize("code", [401, 403, 429, 500, 503])
def test_a_list_that_is_not_known_is_an_error(code: int) -> None:
    """An empty list would hide signatures, and a 404 would make clients look for a tag that is missing, too."""
    expect({PATH: status(code)}, 502)
    expect({PATH: status(404), TAG: status(code)}, 502)


def test_the_last_known_list_is_given_while_the_upstream_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fetcher.referrers._FRESH", 0.0)

    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.upstream.answers[PATH] = index(descriptor(1))
            await setting.ask(PATH)
            setting.upstream.answers[PATH] = status(503)
            assert listed(await setting.ask(PATH)) == [descriptor(1)]
            setting.is_up.close()
            assert listed(await setting.ask(PATH)) == [descriptor(1)]

    asyncio.run(run())


@pytest.mark.parametrize("is_known", [True, False])
def test_nobody_waits_long_for_an_upstream_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    for name, seconds in {"_FRESH": 0.0, "_PATIENCE": 0.3, "_PATIENCE_WITH_KNOWN": 0.1}.items():
        monkeypatch.setattr(f"fetcher.referrers.{name}", seconds)

    async def run() -> None:
        async with running(tmp_path) as setting:
            if is_known:
                setting.upstream.answers[PATH] = index(descriptor(1))
                await setting.ask(PATH)
            paths = [PATH, *(PATH.replace("a" * 64, f"{number:064x}") for number in range(100))]
            never = asyncio.Event()

            async def hang(_: asyncio.StreamWriter) -> None:
                await never.wait()

            setting.upstream.answers = dict.fromkeys(paths, hang)
            async with asyncio.timeout(5):
                answers = await asyncio.gather(*(setting.ask(path) for path in paths))
                again = await setting.ask(paths[1])
            assert [answered.status for answered in answers] == [200 if is_known else 502, *[502] * 100]
            assert again.status == 502
            # Only the first few reached it: an upstream that hangs is left alone for a while.
            assert len(setting.upstream.asked) <= 10
            never.set()

    asyncio.run(run())


def test_many_clients_cost_one_request_in_a_while(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            setting.upstream.answers[PATH] = index(descriptor(1))
            await asyncio.gather(*(setting.ask(PATH) for _ in range(50)))
            await setting.ask(PATH, "HEAD")
            assert setting.upstream.count(PATH) == 1

    asyncio.run(run())


def big(pages: int) -> dict[str, Respond]:
    """Pages of 1 MiB each."""
    padding = {**descriptor(1), "annotations": {"x": "y" * 2**20}}
    paths = [PATH, *(f"{PATH}?page={number}" for number in range(pages))]
    return {path: index(padding, link=f'<{after}>; rel="next"') for path, after in pairwise(paths)}


@pytest.mark.parametrize(
    "answers",
    [
        {PATH: status(200, b"[" * 3_000_000, content_type=INDEX)},
        {PATH: status(200, b" " * (4 * 2**20 + 1), content_type=INDEX)},
        {PATH: status(200, b"[]", content_type=INDEX)},
        {PATH: status(200, b'{"manifests": 1}', content_type=INDEX)},
        {PATH: status(200, b'{"manifests": [{}]}', content_type=INDEX)},
        {PATH: index({**descriptor(1), "digest": "../../etc"})},
        {PATH: index({**descriptor(1), "size": -1})},
        {PATH: index({**descriptor(1), "artifactType": ["x"]})},
        {PATH: index(descriptor(1), link='<http://169.254.169.254/latest>; rel="next"')},
        {PATH: index(descriptor(1), link=f'<{PATH}>; rel="next"')},
        {PATH: status(302, location=PATH)},
        big(8),
    ],
    ids=[
        "deep",
        "large",
        "array",
        "number",
        "empty",
        "digest",
        "size",
        "type",
        "address",
        "loop",
        "redirects",
        "pages",
    ],
)
def test_a_hostile_answer_of_the_upstream_is_refused_within_limits(answers: dict[str, Respond]) -> None:
    assert len(expect(answers, 502)) <= 16


def test_what_is_remembered_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fetcher.referrers._KNOWN_LIMIT", 3000)
    monkeypatch.setattr("fetcher.referrers._FRESH", 0.0)

    async def run() -> None:
        async with running(tmp_path) as setting:
            paths = [PATH.replace("a" * 64, f"{number:064x}") for number in range(8)]
            setting.upstream.answers = dict.fromkeys(paths, index(descriptor(1)))
            for path in paths:
                await setting.ask(path)
            setting.upstream.answers = dict.fromkeys(paths, status(500))
            answers = [(await setting.ask(path)).status for path in paths]
            assert answers[-1] == 200
            assert answers.count(200) < 5

    asyncio.run(run())


def test_other_digests_and_methods_do_not_reach_the_upstream(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as setting:
            for path in (PATH[:-1], PATH.replace("sha256", "md5"), PATH.replace("aaa", "../", 1), f"{PATH}/x"):
                assert (await setting.ask(path)).status == 404
            assert not setting.upstream.asked

    asyncio.run(run())
