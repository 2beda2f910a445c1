"""Layers of every shape, as programs read them that are not satisfied with a pull."""

import os
import secrets

import pytest

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.estargz import FOOTER_SIZE, Table, estargz
from tests.e2e.layer import Layer, token_for
from tests.e2e.upstream_artifacts import Descriptor, Repository, digest_of

pytestmark = pytest.mark.lab

PARTIAL, NOT_SATISFIABLE = 206, 416
FILES = {"empty": b"", "small": b"content", "large": os.urandom(3_000_000)}


@pytest.fixture
def repository(mirror: DeployedMirror) -> Repository:
    if mirror.target.lab is None:
        pytest.skip("only the lab has an upstream that a test can fill")
    return Repository(f"library/odd-{secrets.token_hex(4)}")


def layer_of(mirror: DeployedMirror, repository: Repository, blob: Descriptor) -> Layer:
    """A layer of a new image."""
    repository.image("1", layers=[blob])
    return Layer(mirror, repository.name, blob["digest"], blob["size"], token_for(mirror, repository.name))


@pytest.mark.parametrize("is_cached", [False, True])
def test_an_estargz_layer_is_read_file_by_file(mirror: DeployedMirror, repository: Repository, is_cached: bool) -> None:
    content = estargz(FILES)
    layer = layer_of(mirror, repository, repository.blob(content))
    if is_cached:
        assert layer.is_intact(layer.pull())

    def read(start: int, end: int) -> bytes:
        found = layer.pull(Range=f"bytes={start}-{end - 1}")
        assert (found.status, found.error) == (PARTIAL, "")
        assert found.headers["content-range"] == f"bytes {start}-{end - 1}/{layer.size}"
        return found.body

    assert Table(read, layer.size).files() == FILES
    # The snapshotter learns the size so, and reads the footer so.
    assert layer.pull(Range="bytes=0-1").headers["content-range"] == f"bytes 0-1/{layer.size}"
    assert layer.pull(Range=f"bytes=-{FOOTER_SIZE}").body == content[-FOOTER_SIZE:]
    # A server may answer with everything (RFC 9110 section 14.2), which the snapshotter accepts.
    assert layer.is_intact(layer.pull(Range=f"bytes=0-1,5-9,-{FOOTER_SIZE}"))


def test_a_layer_of_0_bytes(mirror: DeployedMirror, repository: Repository) -> None:
    layer = layer_of(mirror, repository, repository.blob(b""))
    for _ in range(2):
        found = layer.pull()
        assert (found.status, found.headers["content-length"], found.error) == (200, "0", "")
        # There is no such part: the fetcher says so, and nginx answers with everything.
        part = layer.pull(Range="bytes=0-0")
        assert part.status in {200, NOT_SATISFIABLE}
        assert part.status != 200 or part.body == b""


def test_a_layer_with_a_sha512_digest(mirror: DeployedMirror, repository: Repository) -> None:
    """The registry names the SHA-256 of what it has stored, as does every distribution; oras refuses that."""
    content = os.urandom(100_000)
    layer = layer_of(mirror, repository, repository.blob(content, algorithm="sha512"))
    for _ in range(2):
        found = layer.pull()
        assert (found.status, found.error, found.body) == (200, "", content)
        assert found.headers["docker-content-digest"] in {layer.digest, digest_of(content)}
