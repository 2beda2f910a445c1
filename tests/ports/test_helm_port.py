"""Tests of every implementation of the Helm port."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from regmirror import __version__
from regmirror.adapters.helm import Pyhelm3Helm
from regmirror.desired.applied_by import HELM_RELEASE
from regmirror.desired.flavors import ChartSource
from regmirror.desired.releases import Release, build_stack
from regmirror.errors import ChartError, HelmError, HelmMissingError
from regmirror.ports.cluster import SECRET, Kind
from regmirror.ports.helm import DeployedRelease, ListedRelease
from regmirror.version import chart_version
from tests import samples
from tests.ports.conftest import HelmPlace

T = TypeVar("T")


REAL = [pytest.param(f"real_helm{major}", marks=pytest.mark.lab) for major in (3, 4)]


@pytest.fixture(params=["fake_helm", *REAL])
def place(request: pytest.FixtureRequest) -> HelmPlace:
    """Helm, in memory and in the cluster."""
    found: HelmPlace = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def release() -> Release:
    """The Ingress of a mirror, which starts no pods, with a host that no other mirror uses."""
    mirror = samples.mirror(host=f"{secrets.token_hex(4)}.port.example.com", ingress={"className": "no-such-class"})
    return build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW).releases[-1]


def do(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_it_reports_its_version(place: HelmPlace) -> None:
    assert do(place.helm.version()) >= (3, 17)


def test_a_missing_release_is_none(place: HelmPlace) -> None:
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


def test_every_object_of_a_release_names_it(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    for found in do(place.helm.manifest(release.name)):
        live = place.cluster.get(Kind(found["apiVersion"], found["kind"]), found["metadata"]["name"])
        assert live is not None
        assert live["metadata"]["annotations"][HELM_RELEASE] == release.name
        assert HELM_RELEASE not in found["metadata"].get("annotations", {})


def test_an_upgrade_is_a_further_revision(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    first = do(place.helm.manifest(release.name))
    changed = replace(release, values=release.values | {"annotations": {"example.com/note": "on"}})
    assert do(place.helm.upgrade(changed)) == 2
    assert do(place.helm.find(release.name)) == DeployedRelease(2, "deployed")
    assert do(place.helm.manifest(release.name)) != first


def test_a_release_is_rolled_back(place: HelmPlace, release: Release) -> None:
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


def test_the_values_of_a_release_are_the_given_ones(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    assert do(place.helm.values(release.name)) == release.values
    do(place.helm.upgrade(replace(release, values=release.values | {"annotations": {"example.com/note": "on"}})))
    assert do(place.helm.values(release.name))["annotations"] == {"example.com/note": "on"}


def test_releases_of_any_status_are_listed(place: HelmPlace, release: Release) -> None:
    assert do(place.helm.releases()) == []
    do(place.helm.upgrade(release))
    assert do(place.helm.releases()) == [
        ListedRelease(release.name, f"ingress-{chart_version(__version__)}", 1, "deployed")
    ]
    place.leave_pending(release.name, 2)
    assert [(one.revision, one.status) for one in do(place.helm.releases())] == [(2, "pending-upgrade")]


def test_a_release_is_uninstalled_with_its_objects_and_may_be_missing(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    (applied, *_) = do(place.helm.manifest(release.name))
    kind = Kind(applied["apiVersion"], applied["kind"])
    for _ in range(2):
        do(place.helm.uninstall(release.name))
        assert do(place.helm.find(release.name)) is None
        assert place.cluster.get(kind, applied["metadata"]["name"]) is None


def test_a_pending_release_can_be_uninstalled(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    place.leave_pending(release.name, 2)
    do(place.helm.uninstall(release.name))
    assert do(place.helm.releases()) == []
    assert place.cluster.select(SECRET, f"owner=helm,name={release.name}") == []


def test_helm_stores_its_records_in_secrets_of_the_namespace(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    assert place.cluster.get(SECRET, f"sh.helm.release.v1.{release.name}.v1") is not None


def test_a_killed_operation_blocks_the_release_until_its_record_is_deleted(place: HelmPlace, release: Release) -> None:
    do(place.helm.upgrade(release))
    place.leave_pending(release.name, 2)
    assert do(place.helm.find(release.name)) == DeployedRelease(2, "pending-upgrade")
    with pytest.raises(HelmError, match="another operation"):
        do(place.helm.upgrade(release))
    place.cluster.delete(SECRET, f"sh.helm.release.v1.{release.name}.v2")
    assert do(place.helm.find(release.name)) == DeployedRelease(1, "deployed")
    assert do(place.helm.upgrade(release)) == 2


def test_an_unreadable_chart_is_reported(place: HelmPlace, release: Release, tmp_path: Path) -> None:
    broken = replace(release, source=ChartSource(tmp_path))
    with pytest.raises(ChartError, match=r"Chart\.yaml"):
        do(place.helm.render(broken))
    with pytest.raises(ChartError, match=r"Chart\.yaml"):
        do(place.helm.upgrade(broken))
    assert do(place.helm.find(release.name)) is None


@pytest.mark.lab
def test_values_that_the_schema_rejects_are_reported(real_helm3: HelmPlace, release: Release) -> None:
    wrong = replace(release, values=release.values | {"nonsense": 1})
    with pytest.raises(ChartError, match="nonsense"):
        do(real_helm3.helm.render(wrong))
    with pytest.raises(ChartError, match="nonsense"):
        do(real_helm3.helm.upgrade(wrong))


def test_a_missing_helm_is_reported() -> None:
    helm = Pyhelm3Helm("/absent/helm", None, "context", "namespace")
    with pytest.raises(HelmMissingError, match=r"cannot start Helm \(/absent/helm\): No such file or directory"):
        do(helm.version())


def test_an_old_helm_is_reported(tmp_path: Path) -> None:
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\necho v3.14.2\n")
    program.chmod(0o755)
    with pytest.raises(HelmMissingError, match=r"is Helm v3\.14\.2, but 3\.17 or newer is required"):
        do(Pyhelm3Helm(str(program), None, "context", "namespace").version())
