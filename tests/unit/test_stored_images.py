"""What is cached, by repository, from the keys of a bucket as distribution writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regmirror.ports.object_store import StoredObject
from regmirror.report.stored_images import Inventory, StoredImages, is_repository

MONDAY, TUESDAY = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)


def digest(letter: str) -> str:
    return letter * 64


def link(path: str, written: datetime = MONDAY) -> StoredObject:
    return StoredObject(f"hub/repositories/{path}/link", 71, written)


def layer(repository: str, letter: str, written: datetime = MONDAY) -> StoredObject:
    return link(f"{repository}/_layers/sha256/{digest(letter)}", written)


def manifest(repository: str, letter: str) -> StoredObject:
    return link(f"{repository}/_manifests/revisions/sha256/{digest(letter)}")


def blob(letter: str, size: int) -> StoredObject:
    return StoredObject(f"hub/blobs/sha256/{letter * 2}/{digest(letter)}/data", size, MONDAY)


def images(links: list[StoredObject], blobs: list[StoredObject]) -> StoredImages:
    inventory = Inventory()
    inventory.add_links("hub/repositories/", links)
    inventory.add_blobs("hub/blobs/", blobs)
    return inventory.images()


def test_a_repository_has_the_size_of_its_layers_and_manifests() -> None:
    found = images(
        [
            layer("library/alpine", "a", TUESDAY),
            manifest("library/alpine", "b"),
            link(f"library/alpine/_manifests/tags/3/index/sha256/{digest('b')}"),
            link("library/alpine/_manifests/tags/3/current"),
        ],
        [blob("a", 3_000_000), blob("b", 1_000)],
    )
    (alpine,) = found.repositories
    assert (alpine.name, alpine.size, alpine.share) == ("library/alpine", 3_001_000, 3_001_000)
    assert (alpine.tags, alpine.manifests, alpine.updated) == (1, 1, TUESDAY)
    assert (found.size, found.unused, found.complete) == (3_001_000, 0, True)


def test_a_layer_of_several_repositories_counts_once_in_the_sum() -> None:
    found = images(
        [layer("library/a", "a"), layer("library/b", "a"), layer("library/b", "b")], [blob("a", 100), blob("b", 1000)]
    )
    assert [(one.name, one.size, one.share) for one in found.repositories] == [
        ("library/b", 1100, 1050),
        ("library/a", 100, 50),
    ]
    assert found.size == 1100


def test_what_no_repository_refers_to_is_unused() -> None:
    found = images([layer("library/a", "a")], [blob("a", 100), blob("c", 7)])
    assert (found.unused, found.size) == (7, 107)


def test_a_layer_whose_content_is_missing_has_no_size() -> None:
    (found,) = images([layer("library/a", "a")], []).repositories
    assert (found.size, found.share) == (0, 0)


@pytest.mark.parametrize(
    "key",
    [
        f"<script>/_layers/sha256/{'a' * 64}",
        f"Library/Alpine/_layers/sha256/{'a' * 64}",
        f"library/../alpine/_layers/sha256/{'a' * 64}",
        f"{'a' * 256}/_layers/sha256/{'a' * 64}",
        f"library/alpine\u0661/_layers/sha256/{'a' * 64}",
        f"library/alpine/_layers/sha256/{'A' * 64}",
        "library/alpine/_uploads/7/startedat",
        "",
    ],
)
def test_a_key_that_distribution_does_not_write_is_ignored(key: str) -> None:
    assert images([link(key)], [blob("a", 5)]).repositories == []


@pytest.mark.parametrize("name", ["library/alpine", "a", "a/b/c", "a.b_c__d-e--f/0"])
def test_names_of_repositories(name: str) -> None:
    assert is_repository(name)


@pytest.mark.parametrize("name", ["", "/", "a/", "/a", "a//b", "-a", "a b", "a\n", "A", "a" * 256, "é", "a/..", "<b>"])
def test_names_of_nothing(name: str) -> None:
    assert not is_repository(name)
