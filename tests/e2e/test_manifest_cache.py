"""The cache in front of the registry: it spares the upstream, follows it, and gives nothing that a token does not."""

import secrets
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from lab import addresses
from regmirror.adapters.http import Urllib3Http, parse_resolve
from regmirror.distribution.client import MANIFEST_TYPES, RegistryClient
from regmirror.distribution.reference import parse_image
from tests.e2e.deployed_mirror import Deployment

pytestmark = pytest.mark.lab

TAG_AGE = 5.0
FOLLOWS_WITHIN = 2 * TAG_AGE + 10.0


@dataclass(frozen=True)
class Tag:
    """A tag of this test's own at the upstream."""

    repository: str
    name: str
    control: str

    @property
    def path(self) -> str:
        """Where its manifest is."""
        return f"/v2/{self.repository}/manifests/{self.name}"

    def set(self, source: str) -> str:
        """Let it mean what another tag means; gives the digest."""
        storage = f"{addresses.HUB_STORAGE}/{self.repository}"
        subprocess.run(["crane", "tag", "--insecure", f"{storage}:{source}", self.name], check=True)
        words = ["crane", "digest", "--insecure", f"{storage}:{self.name}"]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def asked(self, method: str) -> int:
        """How often the upstream has been asked for a manifest of the repository."""
        state: dict[str, Any] = urllib3.request("GET", f"{self.control}/state").json()
        found = [one for one in state["requests"] if one["kind"] == "manifests" and one["method"] == method]
        return sum(one["count"] for one in found if one["repository"] == self.repository)


@pytest.fixture
def tag(mirror: Deployment) -> Tag:
    if mirror.setting.lab is None:
        pytest.skip("what Docker Hub's tags mean is ours to say in the lab only")
    return Tag("acme/tool", f"moving-{secrets.token_hex(4)}", mirror.setting.lab["hub"]["control"])


@pytest.fixture
def client(mirror: Deployment) -> RegistryClient:
    resolve = parse_resolve([f"{mirror.host}:443:{mirror.setting.address}"])
    return RegistryClient(Urllib3Http(resolve, mirror.setting.authority, timeout=30.0), f"https://{mirror.host}")


def test_many_who_ask_at_once_cost_one_pull(client: RegistryClient, tag: Tag) -> None:
    digest = tag.set("2")
    token, pulls, looks = client.pull_token(tag.repository), tag.asked("GET"), tag.asked("HEAD")
    image = parse_image(f"{tag.repository}:{tag.name}")
    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda _: client.manifest(image, token).digest, range(64)))
    assert found == {digest}
    assert tag.asked("GET") - pulls <= 1
    assert tag.asked("HEAD") - looks <= 3


def test_a_head_tells_what_a_get_gives(client: RegistryClient, tag: Tag) -> None:
    tag.set("1")
    token = client.pull_token(tag.repository)
    got, told = (client.request(method, tag.path, token, MANIFEST_TYPES) for method in ("GET", "HEAD"))
    for name in ("content-type", "content-length", "docker-content-digest", "etag"):
        assert got.headers[name] == told.headers[name]
    assert told.body == b""


def test_a_tag_that_moved_is_followed(client: RegistryClient, tag: Tag) -> None:
    before = tag.set("1")
    image, token = parse_image(f"{tag.repository}:{tag.name}"), client.pull_token(tag.repository)
    assert client.manifest(image, token).digest == before
    after = tag.set("2")
    assert after != before
    await_true(lambda: client.manifest(image, token).digest == after)


def test_what_is_cached_is_given_to_nobody_without_its_token(client: RegistryClient, tag: Tag) -> None:
    digest = tag.set("1")
    token = client.pull_token(tag.repository)
    other = client.pull_token("library/demo")
    for reference in (tag.name, digest):
        path = f"/v2/{tag.repository}/manifests/{reference}"
        assert client.request("GET", path, token, MANIFEST_TYPES).status == 200
        for wrong in (None, other, "no token"):
            answer = client.request("GET", path, wrong, MANIFEST_TYPES)
            assert answer.status == 401
            assert answer.headers["www-authenticate"].count("Bearer realm=") == 1
            assert b'"UNAUTHORIZED"' in answer.body


def test_a_path_that_is_written_otherwise_opens_nothing(client: RegistryClient, tag: Tag) -> None:
    digest = tag.set("1")
    token, other = client.pull_token(tag.repository), client.pull_token("library/demo")
    assert client.request("GET", tag.path, token, MANIFEST_TYPES).status == 200
    for path in (
        f"/v2/library/demo/manifests/../../../{tag.repository}/manifests/{tag.name}",
        f"/v2/library/demo/manifests/%2e%2e/%2e%2e/%2e%2e/{tag.repository}/manifests/{digest}",
        f"/v2//{tag.repository}/manifests/{tag.name}",
        f"/v2/{tag.repository}%2fmanifests/{tag.name}",
        "/token-check",
    ):
        assert client.request("GET", path, other, MANIFEST_TYPES).status in {301, 308, 400, 401, 404}, path


def test_what_is_no_pull_is_answered_by_the_registry(client: RegistryClient, tag: Tag) -> None:
    tag.set("1")
    token = client.pull_token(tag.repository)
    assert client.request("GET", tag.path, token, MANIFEST_TYPES).status == 200
    unknown = client.request("GET", tag.path, token, ("text/plain",))
    assert (unknown.status, b"MANIFEST_UNKNOWN" in unknown.body) == (404, True)
    for method in ("PUT", "DELETE"):
        assert client.request(method, tag.path, token).status in {401, 405}


def await_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + FOLLOWS_WITHIN
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.5)
