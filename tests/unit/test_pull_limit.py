"""The pull quota in Docker Hub's headers."""

from __future__ import annotations

import pytest

from regmirror.distribution.client import RegistryClient
from regmirror.distribution.pull_limit import PREVIEW_IMAGE, PullLimit, ask_pull_limit, parse_pull_limit
from regmirror.errors import RegistryError
from regmirror.ports.http import Answer
from tests.fakes.http import FakeHttp
from tests.fakes.registry_host import RegistryHost

HUB = "https://registry-1.docker.io"
MANIFEST = "/v2/ratelimitpreview/test/manifests/latest"


@pytest.mark.parametrize(
    ("limit", "remaining", "expected"),
    [
        ("100;w=21600", "76;w=21600", PullLimit(100, 76, 21600)),
        ("200; w=21600", " 0 ", PullLimit(200, 0, 21600)),
        ("5000", "4999", PullLimit(5000, 4999, 0)),
    ],
)
def test_a_quota_is_parsed(limit: str, remaining: str, expected: PullLimit) -> None:
    assert parse_pull_limit({"ratelimit-limit": limit, "ratelimit-remaining": remaining}) == expected


@pytest.mark.parametrize("headers", [{}, {"ratelimit-limit": "100;w=21600"}, {"docker-ratelimit-source": "192.0.2.1"}])
def test_without_both_headers_there_is_no_limit(headers: dict[str, str]) -> None:
    assert parse_pull_limit(headers) is None


@pytest.mark.parametrize("text", ["", "many", "-1;w=60", "10;w=", "10;q=1"])
def test_another_form_is_an_error(text: str) -> None:
    with pytest.raises(RegistryError, match="instead of N;w=SECONDS"):
        parse_pull_limit({"ratelimit-limit": text, "ratelimit-remaining": "1;w=60"})


def client(answer: Answer) -> RegistryClient:
    host = RegistryHost("registry-1.docker.io")
    host.answers[MANIFEST] = answer
    return RegistryClient(FakeHttp({HUB: host}), HUB)


@pytest.mark.parametrize("status", [200, 429])
def test_the_quota_is_known_even_if_no_pull_is_left(status: int) -> None:
    headers = {"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600"}
    assert ask_pull_limit(client(Answer(status, headers, b"")), PREVIEW_IMAGE) == PullLimit(100, 0, 21600)


def test_an_image_that_the_upstream_does_not_have_is_an_error() -> None:
    with pytest.raises(RegistryError, match=f"{HUB}{MANIFEST} answered 404"):
        ask_pull_limit(client(Answer(404, {}, b"")), PREVIEW_IMAGE)
