"""deploy, destroy and rotate-cert hold the same Lease while they change a mirror; previews take none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from regmirror.deploy.diff import diff_mirror, plan_deployment
from regmirror.deploy.run import deploy_mirror
from regmirror.deploy.steps import DeployOptions
from regmirror.destroy.run import plan_removal
from regmirror.errors import ChangeInProgressError, HelmError, PartlyAppliedError
from regmirror.ports.cluster import DEPLOYMENT, LEASE, NAMESPACE, SECRET
from regmirror.ports.helm import ListedRelease
from regmirror.steps.clock import Clock
from tests.unit.deploying import Place
from tests.unit.rotating import FORCED, RotationHarness

LEASE_NAME = "regmirror-change"


@pytest.fixture
def place() -> Place:
    return Place()


def holder(place: Place) -> str:
    return str(((place.cluster.get(LEASE, LEASE_NAME) or {}).get("spec") or {}).get("holderIdentity", ""))


def observed(place: Place, monkeypatch: pytest.MonkeyPatch, method: str) -> list[str]:
    """Who holds the Lease, in each call of a method of Helm."""
    real, holders = getattr(place.helm, method), list[str]()

    async def observing(*words: Any) -> Any:
        holders.append(holder(place))
        return await real(*words)

    monkeypatch.setattr(place.helm, method, observing)
    return holders


def destroy(place: Place, clock: Clock | None = None) -> None:
    removal = asyncio.run(plan_removal(place.connected(), purge_data=False))
    asyncio.run(removal.execute(place.progress, timedelta(seconds=10), clock or Clock()))


def test_every_deployment_holds_the_lease_and_releases_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    holders = observed(place, monkeypatch, "upgrade")
    place.deploy()
    place.environ["S3_SECRET"] = "another"
    place.deploy()
    assert len(holders) == 5
    assert all(one.startswith("regmirror deploy by ") for one in holders)
    assert holder(place) == ""


def test_a_failed_deployment_releases_the_lease(place: Place) -> None:
    place.helm.failures["regmirror-auth"] = HelmError("no")
    with pytest.raises(PartlyAppliedError):
        place.deploy()
    assert (place.cluster.get(LEASE, LEASE_NAME) is None, holder(place)) == (False, "")


def test_a_removal_holds_the_lease_and_deletes_it_last(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.deploy()
    place.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "regmirror"}})
    holders = observed(place, monkeypatch, "uninstall")
    destroy(place)
    assert len(holders) == 4
    assert all(one.startswith("regmirror destroy by ") for one in holders)
    assert place.cluster.get(LEASE, LEASE_NAME) is None
    assert place.cluster.get(NAMESPACE, "regmirror")


def test_a_removal_deletes_the_lease_before_its_namespace(place: Place) -> None:
    place.deploy()
    destroy(place)
    assert place.cluster.get(LEASE, LEASE_NAME) is None
    assert place.cluster.get(NAMESPACE, "regmirror") is None


def test_a_diff_and_dry_runs_take_no_lease(place: Place) -> None:
    place.deploy()
    before = place.cluster.get(LEASE, LEASE_NAME)
    asyncio.run(diff_mirror(place.connected()))
    asyncio.run(plan_deployment(place.connected(), place.progress, DeployOptions()))
    assert asyncio.run(plan_removal(place.connected(), purge_data=False)).preview().removed
    assert place.cluster.get(LEASE, LEASE_NAME) == before


def held(place: Place) -> Clock:
    """A clock whose every pause renews the Lease of somebody else, who has just begun."""
    renewals = iter(range(1000))

    def renew() -> None:
        spec = {"holderIdentity": "regmirror deploy by bob@ci", "renewTime": str(next(renewals))}
        metadata = {"name": LEASE_NAME}
        place.cluster.put({"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": metadata, "spec": spec})

    async def sleep(_: float) -> None:
        renew()

    renew()
    return Clock(sleep=sleep)


def deploy(place: Place, clock: Clock) -> None:
    asyncio.run(deploy_mirror(place.connected(), place.progress, timedelta(seconds=10), clock=clock))


@pytest.mark.parametrize("command", [deploy, destroy])
def test_a_second_command_is_refused_before_it_changes_anything(
    place: Place, command: Callable[[Place, Clock], None]
) -> None:
    place.deploy()
    place.environ["S3_SECRET"] = "another"
    clock = held(place)
    before = [place.cluster.select(kind) for kind in (SECRET, DEPLOYMENT)]
    with pytest.raises(
        ChangeInProgressError, match="another command is changing this mirror: regmirror deploy by bob@ci"
    ):
        command(place, clock)
    assert [place.cluster.select(kind) for kind in (SECRET, DEPLOYMENT)] == before


def test_only_one_of_two_first_deployments_creates_the_mirror(place: Place) -> None:
    """Both have found no namespace; the second creates it while the first prepares."""
    real = place.helm.releases

    async def second_first() -> list[ListedRelease]:
        place.helm.releases = real  # type: ignore[method-assign]
        found = await real()
        await asyncio.to_thread(place.deploy)
        return found

    place.helm.releases = second_first  # type: ignore[method-assign]
    with pytest.raises(ChangeInProgressError):
        place.deploy()
    assert not place.deploy().changed


def test_a_rotation_and_a_deployment_exclude_each_other() -> None:
    env = RotationHarness()
    holders: list[str] = []
    real = env.helm.upgrade

    async def observing(release: Any) -> int:
        lease = env.cluster.get(LEASE, LEASE_NAME) or {}
        holders.append(str(lease["spec"]["holderIdentity"]))
        return await real(release)

    env.helm.upgrade = observing  # type: ignore[method-assign]
    env.rotate(FORCED)
    assert holders
    assert all(one.startswith("regmirror rotate-cert by ") for one in holders)
