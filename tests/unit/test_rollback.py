"""A failed deployment restores the previous releases and the Secrets that they mount, if asked to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from regmirror.deploy import release as release_step
from regmirror.desired import names
from regmirror.errors import ExitCode, HelmError, PartlyAppliedError, RegmirrorError, RolledBackError
from regmirror.ports.cluster import DEPLOYMENT, SECRET
from tests import samples
from tests.unit.deploying import EVERYTHING, Place, configured

REFUSED = HelmError("helm upgrade failed: exceeded quota", hint="raise it")
REGISTRY = "regmirror-docker-hub"


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_step, "_POLL", 0)


@pytest.fixture
def place() -> Place:
    return Place()


def state(place: Place) -> dict[str, Any]:
    """What the mirror consists of and mounts, with the versions of its Secrets."""
    secrets = [one for one in place.cluster.select(SECRET) if one["metadata"]["labels"].get("owner") != "helm"]
    return {
        f"{one['kind']} {one['metadata']['name']}": (
            one.get("data"),
            one.get("spec"),
            one["metadata"].get("annotations"),
        )
        for one in [*secrets, *place.cluster.select(DEPLOYMENT)]
    }


def failed(place: Place, mirror: Any = None) -> RegmirrorError:
    with pytest.raises(RegmirrorError) as caught:
        place.deploy(mirror or larger(), rollback=True)
    return caught.value


def larger() -> Any:
    """Another configuration: it changes redis, docker_auth and the registry, and Secrets."""
    resources = {"limits": {"memory": "1Gi"}}
    components = {"redis": {"resources": resources}, "registry": {"resources": resources, "ttl": "48h"}}
    return configured(auth={"keySize": 2048, "tokenLifetime": "2m"}, **components)


def test_releases_and_secrets_are_restored(place: Place) -> None:
    place.deploy()
    before = state(place)
    place.helm.failures_of_upgrade[REGISTRY] = REFUSED
    error = failed(place)
    assert state(place) == before
    assert isinstance(error, RolledBackError)
    assert error.exit_code is ExitCode.FAILED
    assert error.message == (
        "the deployment failed and was rolled back; https://mirror.example.com serves as before: "
        f"RM300: {REGISTRY}: helm upgrade failed: exceeded quota"
    )
    assert error.hint == "raise it"
    assert [cause.code for cause in error.causes] == ["RM300"]
    assert "finished regmirror-auth: revision 3, as 1" in place.progress.events
    assert {asyncio.run(place.helm.find(name)).status for name in EVERYTHING} == {"deployed"}  # type: ignore[union-attr]


def test_the_next_deployment_succeeds(place: Place) -> None:
    place.deploy()
    place.helm.failures_of_upgrade[REGISTRY] = REFUSED
    failed(place)
    del place.helm.failures_of_upgrade[REGISTRY]
    assert place.deploy(larger(), rollback=True).changed
    assert not place.deploy(larger()).changed


def test_what_was_not_there_before_is_removed(place: Place) -> None:
    place.deploy()
    before = state(place)
    more = [configured().upstreams[0].model_dump(by_alias=True, exclude_none=True), samples.TWO_UPSTREAMS[1]]
    place.helm.failures_of_upgrade["regmirror-ingress"] = REFUSED
    error = failed(place, configured(upstreams=more))
    assert isinstance(error, RolledBackError)
    assert state(place) == before
    assert asyncio.run(place.helm.find("regmirror-quay")) is None


def test_a_first_deployment_has_no_previous_state(place: Place) -> None:
    place.helm.failures_of_upgrade[REGISTRY] = REFUSED
    error = failed(place, configured())
    assert isinstance(error, PartlyAppliedError)
    assert error.message.splitlines()[-1] == (
        "  not rolled back: the state before this deployment was not healthy (nothing was deployed)"
    )
    assert place.cluster.get(DEPLOYMENT, names.REDIS)


def test_an_unhealthy_state_is_not_restored(place: Place) -> None:
    place.deploy()
    place.cluster.rollouts[names.AUTH] = [{"observedGeneration": 1, "replicas": 1}]
    place.helm.failures_of_upgrade[REGISTRY] = REFUSED
    place.helm.failures_of_upgrade[names.AUTH] = REFUSED
    error = failed(place)
    assert (
        "not rolled back: the state before this deployment was not healthy (regmirror-auth was not ready (0/1 ready"
        in error.message
    )


def test_a_failed_rollback_reports_both_errors(place: Place) -> None:
    place.deploy()
    place.helm.failures_of_upgrade[REGISTRY] = REFUSED
    place.helm.failures[REGISTRY] = HelmError("helm rollback failed: no answer")
    error = failed(place)
    assert isinstance(error, PartlyAppliedError)
    assert "and the rollback failed" in error.message
    assert "helm rollback failed: no answer" in error.message
    assert "helm upgrade failed: exceeded quota" in error.message


def test_a_deployment_that_changed_nothing_is_not_rolled_back(place: Place) -> None:
    place.deploy()
    place.store.exists = False
    events = len(place.progress.events)
    error = failed(place)
    assert error.code == "RM401"
    assert not [event for event in place.progress.events[events:] if "Restore Secrets" in event]
