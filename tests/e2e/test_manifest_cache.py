"""The manifest cache: it saves requests to the upstream, follows changed tags, and requires a valid token."""

import secrets
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3

from lab import addresses
from regmirror.adapters.http import Urllib3Http, parse_resolve
from regmirror.distribution.client import MANIFEST_TYPES, RegistryClient
from regmirror.verify.sample_pull import parse_image
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.waiting import on_this_machine, wait_until

pytestmark = pytest.mark.lab

TAG_AGE = 5.0
FOLLOWS_WITHIN = 2 * TAG_AGE + 10.0


@dataclass(frozen=True)
class Tag:
    """A tag at the upstream for one test."""

    repository: str
    name: str
    control: str

    @property
    def path(self) -> str:
        """The path of its manifest."""
        return f"/v2/{self.repository}/manifests/{self.name}"

    def set(self, source: str) -> str:
        """Point it to the manifest of another tag; returns the digest."""
        storage = f"{addresses.HUB_STORAGE}/{self.repository}"
        subprocess.run(["crane", "tag", "--insecure", f"{storage}:{source}", self.name], check=True)
        words = ["crane", "digest", "--insecure", f"{storage}:{self.name}"]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()

    def requests(self, method: str) -> int:
        """The number of manifest requests to the upstream for the repository."""
        state: dict[str, Any] = urllib3.request("GET", f"{self.control}/state").json()
        found = [one for one in state["requests"] if one["kind"] == "manifests" and one["method"] == method]
        return sum(one["count"] for one in found if one["repository"] == self.repository)


@pytest.fixture
def tag(mirror: DeployedMirror) -> Tag:
    if mirror.target.lab is None:
        pytest.skip("tags at Docker Hub can only be changed in the lab")
    return Tag("acme/tool", f"moving-{secrets.token_hex(4)}", mirror.target.lab["hub"]["control"])


@pytest.fixture
def client(mirror: DeployedMirror) -> RegistryClient:
    resolve = parse_resolve([f"{mirror.host}:443:{mirror.target.address}"])
    return RegistryClient(Urllib3Http(resolve, mirror.target.authority, timeout=300.0), f"https://{mirror.host}")


def test_simultaneous_requests_cost_one_pull(client: RegistryClient, tag: Tag) -> None:
    digest = tag.set("2")
    token, pulls, heads = client.pull_token(tag.repository), tag.requests("GET"), tag.requests("HEAD")
    began = time.monotonic()
    image = parse_image(f"{tag.repository}:{tag.name}")
    with ThreadPoolExecutor(16) as threads:
        found = set(threads.map(lambda _: client.manifest(image, token).digest, range(64)))
    assert found == {digest}
    assert tag.requests("GET") - pulls <= 1
    # On a loaded machine, the tag may expire in between.
    assert tag.requests("HEAD") - heads <= 3 + (time.monotonic() - began) // TAG_AGE


def test_head_and_get_agree_on_a_manifest(client: RegistryClient, tag: Tag) -> None:
    tag.set("1")
    token = client.pull_token(tag.repository)
    got, head = (client.request(method, tag.path, token, MANIFEST_TYPES) for method in ("GET", "HEAD"))
    for name in ("content-type", "content-length", "docker-content-digest", "etag"):
        assert got.headers[name] == head.headers[name]
    assert head.body == b""


def test_a_tag_that_moved_is_followed(client: RegistryClient, tag: Tag) -> None:
    before = tag.set("1")
    image, token = parse_image(f"{tag.repository}:{tag.name}"), client.pull_token(tag.repository)
    assert client.manifest(image, token).digest == before
    after = tag.set("2")
    assert after != before
    wait_until(lambda: client.manifest(image, token).digest == after, on_this_machine(FOLLOWS_WITHIN))


def test_a_cached_manifest_requires_a_token_for_its_repository(client: RegistryClient, tag: Tag) -> None:
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
            assert (b'"DENIED"' if wrong == other else b'"UNAUTHORIZED"') in answer.body


def test_an_alternative_spelling_of_a_path_grants_nothing(client: RegistryClient, tag: Tag) -> None:
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


def test_the_registry_answers_requests_other_than_pulls(client: RegistryClient, tag: Tag) -> None:
    tag.set("1")
    token = client.pull_token(tag.repository)
    assert client.request("GET", tag.path, token, MANIFEST_TYPES).status == 200
    unknown = client.request("GET", tag.path, token, ("text/plain",))
    assert (unknown.status, b"MANIFEST_UNKNOWN" in unknown.body) == (404, True)
    for method in ("PUT", "DELETE"):
        assert client.request(method, tag.path, token).status in {401, 405}
