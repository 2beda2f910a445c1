"""What every implementation of the Helm port does."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from regmirror.adapters.helm import Pyhelm3Helm
from regmirror.desired.releases import Release, build_stack
from regmirror.errors import ChartError, HelmError, HelmMissingError
from regmirror.ports.cluster import SECRET, Kind
from regmirror.ports.helm import DeployedRelease, ListedRelease
from tests import samples
from tests.ports.conftest import HelmPlace

T = TypeVar("T")


REAL = [pytest.param(f"real_helm{major}", marks=pytest.mark.lab) for major in (3, 4)]


@pytest.fixture(params=["fake_helm", *REAL])
def place(request: pytest.FixtureRequest) -> HelmPlace:
    """Helm, in memory and for real."""
    found: HelmPlace = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def release() -> Release:
    """The Ingress of a mirror: it starts no pods. Its host is its own, so that no other mirror notices."""
    mirror = samples.mirror(host=f"{secrets.token_hex(4)}.port.example.com", ingress={"className": "no-such-class"})
    return build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW).releases[-1]


def do(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_its_version_is_told(place: HelmPlace) -> None:
    assert do(place.helm.version()) >= (3, 17)


def test_a_release_that_is_not_there_is_none(place: HelmPlace) -> None:
    assert do(place.helm.find("absent")) is None
    with pytest.raises(HelmError):
        do(place.helm.manifest("absent"))


def test_a_release_is_installed_as_it_was_rendered(place: HelmPlace, release: Release) -> None:
    rendered = do(place.helm.render(release))
    assert rendered
    assert do(place.helm.find(release.name)) is None
    assert do(place.helm.upgrade(release)) == 1
    assert do(place.helm.find(release.name)) == DeployedRelease(1, "deployed")
    assert do(place.helm.manifest(release.name)) == rendered
    assert do(place.helm.render(release)) == rendered


def test_an_upgrade_is_a_further_revision(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    first = do(place.helm.manifest(release.name))
    changed = replace(release, values=release.values | {"annotations": {"example.com/note": "on"}})
    assert do(place.helm.upgrade(changed)) == 2
    assert do(place.helm.find(release.name)) == DeployedRelease(2, "deployed")
    assert do(place.helm.manifest(release.name)) != first


def test_a_release_is_brought_back_to_an_earlier_revision(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    first = do(place.helm.manifest(release.name))
    do(place.helm.upgrade(replace(release, values=release.values | {"annotations": {"example.com/note": "on"}})))
    assert do(place.helm.rollback(release.name, 1)) == 3
    assert do(place.helm.find(release.name)) == DeployedRelease(3, "deployed")
    assert do(place.helm.manifest(release.name)) == first
    live = place.cluster.get(Kind(first[0]["apiVersion"], first[0]["kind"]), first[0]["metadata"]["name"])
    assert live is not None
    assert "example.com/note" not in live["metadata"].get("annotations", {})
    with pytest.raises(HelmError):
        do(place.helm.rollback("absent", 1))


def test_the_values_of_a_release_are_those_that_it_was_given(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    assert do(place.helm.values(release.name)) == release.values
    do(place.helm.upgrade(replace(release, values=release.values | {"annotations": {"example.com/note": "on"}})))
    assert do(place.helm.values(release.name))["annotations"] == {"example.com/note": "on"}


def test_releases_are_listed_whatever_their_status(place: HelmPlace, release: Release) -> None:
    assert do(place.helm.releases()) == []
    do(place.helm.upgrade(release))
    assert do(place.helm.releases()) == [ListedRelease(release.name, "ingress-0.1.0", 1, "deployed")]
    place.leave_pending(release.name, 2)
    assert [(one.revision, one.status) for one in do(place.helm.releases())] == [(2, "pending-upgrade")]


def test_a_release_is_uninstalled_with_its_objects_and_may_be_missing_already(
    place: HelmPlace, release: Release
) -> None:
    do(place.helm.upgrade(release))
    (applied, *_) = do(place.helm.manifest(release.name))
    kind = Kind(applied["apiVersion"], applied["kind"])
    for _ in range(2):
        do(place.helm.uninstall(release.name))
        assert do(place.helm.find(release.name)) is None
        assert place.cluster.get(kind, applied["metadata"]["name"]) is None


def test_a_release_that_a_killed_operation_holds_can_be_uninstalled(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    place.leave_pending(release.name, 2)
    do(place.helm.uninstall(release.name))
    assert do(place.helm.releases()) == []
    assert place.cluster.select(SECRET, f"owner=helm,name={release.name}") == []


def test_what_helm_knows_stands_in_secrets_of_the_namespace(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    assert place.cluster.get(SECRET, f"sh.helm.release.v1.{release.name}.v1") is not None


def test_a_killed_operation_holds_the_release_until_its_record_is_gone(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    place.leave_pending(release.name, 2)
    assert do(place.helm.find(release.name)) == DeployedRelease(2, "pending-upgrade")
    with pytest.raises(HelmError, match="another operation"):
        do(place.helm.upgrade(release))
    place.cluster.delete(SECRET, f"sh.helm.release.v1.{release.name}.v2")
    assert do(place.helm.find(release.name)) == DeployedRelease(1, "deployed")
    assert do(place.helm.upgrade(release)) == 2


def test_a_chart_that_cannot_be_read_is_told(place: HelmPlace, release: Release, tmp_path: Path) -> None:
    broken = replace(release, chart=tmp_path)
    with pytest.raises(ChartError, match=r"Chart\.yaml"):
        do(place.helm.render(broken))
    with pytest.raises(ChartError, match=r"Chart\.yaml"):
        do(place.helm.upgrade(broken))
    assert do(place.helm.find(release.name)) is None


@pytest.mark.lab
def test_values_that_the_chart_refuses_are_told(real_helm3: HelmPlace, release: Release) -> None:
    wrong = replace(release, values=release.values | {"nonsense": 1})
    with pytest.raises(ChartError, match="nonsense"):
        do(real_helm3.helm.render(wrong))
    with pytest.raises(ChartError, match="nonsense"):
        do(real_helm3.helm.upgrade(wrong))


def test_a_helm_that_is_not_there_is_told() -> None:
    helm = Pyhelm3Helm("/absent/helm", None, "context", "namespace")
    with pytest.raises(HelmMissingError, match=r"cannot start Helm \(/absent/helm\): No such file or directory"):
        do(helm.version())


def test_a_helm_that_is_too_old_is_told(tmp_path: Path) -> None:
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\necho v3.14.2\n")
    program.chmod(0o755)
    with pytest.raises(HelmMissingError, match=r"is Helm v3\.14\.2, but 3\.17 or newer is required"):
        do(Pyhelm3Helm(str(program), None, "context", "namespace").version())
