"""What the real registry does with content of its upstream that does not match a digest (CVE-2026-85747).

By digest it is refused, and in no case it is kept. A wrong manifest by tag is passed on: verify and clients refuse it.
"""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from regmirror.adapters.http import Urllib3Http
from regmirror.distribution.client import DigestMismatchError, RegistryClient
from regmirror.distribution.reference import ImageReference

from .pull_through import REPOSITORY, PullThrough, digest_of, pull_through

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def cache(registry_program: Path, hub_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PullThrough]:
    with pull_through(registry_program, hub_program, tmp_path_factory.mktemp("pull-through")) as running:
        yield running


@pytest.fixture
def image(cache: PullThrough) -> Iterator[tuple[str, bytes, bytes]]:
    """A new image at the upstream: its tag, manifest and layer."""
    tag = f"v{next(_NUMBERS)}"
    manifest, layer = cache.publish(tag, f"the layer of {tag} ".encode() * 10_000)
    yield tag, manifest, layer
    cache.end_faults()
    assert cache.wrong_files() == []


def test_a_wrong_manifest_is_refused_by_digest_and_not_kept(
    cache: PullThrough, image: tuple[str, bytes, bytes]
) -> None:
    _, manifest, _ = image
    cache.inject("corrupt", "manifests")
    for _ in range(2):
        status, _ = cache.get("manifests", digest_of(manifest))
        assert status >= 500
    assert not cache.keeps(manifest)
    cache.end_faults()
    assert cache.get("manifests", digest_of(manifest)) == (200, manifest)


def test_a_wrong_layer_is_broken_off_and_not_kept(cache: PullThrough, image: tuple[str, bytes, bytes]) -> None:
    tag, manifest, layer = image
    assert cache.get("manifests", tag) == (200, manifest)
    cache.inject("corrupt", "blobs")
    for _ in range(2):
        status, received = cache.get("blobs", digest_of(layer))
        assert status != 200 or digest_of(received) != digest_of(layer)
        assert not cache.wrong_files()
    cache.end_faults()
    assert cache.get("blobs", digest_of(layer)) == (200, layer)


def test_a_wrong_manifest_by_tag_is_passed_on_and_refused_by_verify(
    cache: PullThrough, image: tuple[str, bytes, bytes]
) -> None:
    """If this fails because the registry refuses it, too: a limit in docs/explanation/threat-model.md is gone."""
    tag, manifest, _ = image
    cache.inject("corrupt", "manifests")
    status, received = cache.get("manifests", tag)
    assert status == 200
    assert received != manifest
    client = RegistryClient(Urllib3Http({}, None), cache.url)
    with pytest.raises(DigestMismatchError):
        client.manifest(ImageReference(REPOSITORY, tag), None)
    cache.end_faults()
    assert cache.get("manifests", tag) == (200, manifest)
