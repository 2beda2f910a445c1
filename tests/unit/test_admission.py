"""What quotas, limits and policies of the namespace refuse is reported with its numbers before anything is changed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from regmirror.deploy.admission import AdmissionStep
from regmirror.deploy.diff import diff_mirror
from regmirror.errors import ClusterError, PodsRefusedError, QuotaError, RegmirrorError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import CRON_JOB, DEPLOYMENT, LIMIT_RANGE, POD, RESOURCE_QUOTA, SECRET, Object, Right
from tests.fakes.cluster import FakeCluster
from tests.unit.deploying import EVERYTHING, Place, changed, configured


def quota(hard: dict[str, str], used: dict[str, str] | None = None, **spec: Any) -> Object:
    used = dict.fromkeys(hard, "0") | (used or {})
    status = {"hard": hard, "used": used}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": spec, "status": status}


def limits(**item: Any) -> Object:
    spec = {"limits": [{"type": "Container", **item}]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": spec}


@pytest.fixture
def place() -> Place:
    """A namespace that exists and has nothing of the mirror."""
    place = Place()
    place.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "regmirror"}})
    return place


def refusal(place: Place, **options: Any) -> RegmirrorError:
    """The error of a deployment, which has changed nothing."""
    secrets = len(place.cluster.select(SECRET))
    with pytest.raises(RegmirrorError) as caught:
        place.deploy(**options)
    assert not caught.value.left_changes
    assert len(place.cluster.select(SECRET)) == secrets
    return caught.value


def test_a_namespace_without_limits_admits_the_mirror(place: Place) -> None:
    assert place.deploy().steps[0].name == "admission"


@pytest.mark.parametrize(
    ("hard", "line"),
    [
        ({"pods": "2"}, "the ResourceQuota small has no room: pods needs 3 more, and 0 of 2 is used"),
        ({"count/deployments.apps": "2"}, "count/deployments.apps needs 3 more, and 0 of 2 is used"),
        ({"secrets": "5"}, "secrets needs"),
        ({"limits.cpu": "9"}, "the ResourceQuota small demands limits.cpu of every container, and these have none: "),
    ],
)
def test_a_first_deployment_without_room_is_refused(place: Place, hard: dict[str, str], line: str) -> None:
    place.cluster.put(quota(hard))
    error = refusal(place)
    assert isinstance(error, QuotaError)
    assert line in error.message
    assert "kubectl -n regmirror describe resourcequota,limitrange" in str(error.hint)


def test_a_deployment_that_changes_nothing_needs_no_room(place: Place) -> None:
    place.deploy()
    place.cluster.put(quota({"pods": "4", "secrets": "1"}, {"pods": "4", "secrets": "20"}))
    assert changed(place.deploy()) == []


def test_the_additional_pod_of_a_rolling_update_needs_room(place: Place) -> None:
    place.deploy()
    place.cluster.put(quota({"pods": "4"}, {"pods": "4"}))
    larger = {"resources": {"limits": {"memory": "300Mi"}}}
    assert "pods needs 1 more, and 4 of 4 is used" in refusal(place, mirror=configured(auth=larger)).message
    place.cluster.put(quota({"pods": "5"}, {"pods": "4"}))
    assert changed(place.deploy(configured(auth=larger))) == ["regmirror-auth"]


def test_a_limit_range_that_refuses_a_container_is_named(place: Place) -> None:
    place.cluster.put(limits(max={"memory": "16Mi"}, default={"memory": "32Mi"}))
    error = refusal(place)
    assert isinstance(error, QuotaError)
    assert (
        "regmirror-auth: the LimitRange small allows limits.memory of at most 16Mi, and the container" in error.message
    )


def test_defaults_of_a_limit_range_satisfy_a_quota(place: Place) -> None:
    place.cluster.put(quota({"limits.cpu": "9"}))
    place.cluster.put(limits(default={"cpu": "100m"}, defaultRequest={"cpu": "10m"}))
    assert set(EVERYTHING) <= set(changed(place.deploy()))


def test_a_policy_that_refuses_pods_is_reported_with_what_to_change(place: Place) -> None:
    place.cluster.refused = {POD: "ValidatingAdmissionPolicy 'ids' denied request: runAsUser is not in the range"}
    error = refusal(place)
    assert isinstance(error, PodsRefusedError)
    assert "regmirror-auth: ValidatingAdmissionPolicy 'ids' denied request: runAsUser is not" in error.message
    assert str(error.hint).startswith(
        "set podSecurity: assigned in the file, so that the cluster sets user and group IDs"
    )
    assert set(EVERYTHING) <= set(changed(place.deploy(skip_admission=True)))


@pytest.mark.parametrize("reason", ["exceeded quota: small", "admission webhook does not support dry run"])
def test_answers_that_say_nothing_about_the_pods_are_ignored(place: Place, reason: str) -> None:
    place.cluster.refused = {POD: reason}
    assert set(EVERYTHING) <= set(changed(place.deploy()))


def test_a_new_namespace_is_checked_as_soon_as_it_exists() -> None:
    place = Place()
    place.cluster.refused = {POD: "no"}
    with pytest.raises(RegmirrorError) as caught:
        place.deploy()
    assert [type(cause) for cause in caught.value.causes] == [PodsRefusedError]
    assert place.cluster.select(SECRET) == place.cluster.select(DEPLOYMENT) == []


def test_without_permission_nothing_is_checked_and_the_mirror_is_deployed(place: Place) -> None:
    place.cluster.denied = {Right("create", "", "pods")}
    place.cluster.hidden = {RESOURCE_QUOTA, LIMIT_RANGE}
    report = place.deploy()
    assert report.steps[0].detail == "quotas and policies not checked: no permission"


def test_a_diff_reports_what_is_not_admitted_and_goes_on(place: Place) -> None:
    place.cluster.put(quota({"pods": "2"}))
    report = asyncio.run(diff_mirror(place.connected()))
    assert [(one.name, "pods needs 3 more" in one.message) for one in report.prerequisites] == [("admission", True)]
    assert report.differs
    with pytest.raises(ClusterError):
        place.deploy()


def template(image: str = "one:1") -> Object:
    return {"metadata": {}, "spec": {"containers": [{"name": "main", "image": image}]}}


def deployment(image: str = "one:1") -> Object:
    metadata, spec = {"name": "mirror"}, {"template": template(image)}
    return {"apiVersion": DEPLOYMENT.api_version, "kind": DEPLOYMENT.kind, "metadata": metadata, "spec": spec}


def cron_job(image: str = "one:1", name: str = "verify") -> Object:
    spec = {"jobTemplate": {"spec": {"template": template(image)}}}
    return {"apiVersion": CRON_JOB.api_version, "kind": CRON_JOB.kind, "metadata": {"name": name}, "spec": spec}


def check(live: list[Object], limit: Object, *wanted: Object) -> str:
    """What the step says of these objects, if others are live."""
    step = AdmissionStep(AsyncCluster(FakeCluster([*live, limit])), [], {"mirror": list(wanted)})
    try:
        return asyncio.run(step.check()).detail
    except QuotaError as error:
        return error.message


def test_each_job_needs_room_for_one_pod() -> None:
    rotate = cron_job(name="rotate")
    assert "pods needs 3 more, and 0 of 2 is used" in check([], quota({"pods": "2"}), deployment(), cron_job(), rotate)
    assert "small" not in check([], quota({"pods": "3"}), deployment(), cron_job(), rotate)


def test_a_job_needs_room_if_it_or_another_pod_is_replaced() -> None:
    live, full = [deployment(), cron_job()], quota({"pods": "1"}, {"pods": "1"})
    assert "small" not in check(live, full, deployment(), cron_job())
    assert "pods needs 1 more, and 1 of 1 is used" in check(live, full, deployment(), cron_job("two:2"))
    assert "pods needs 2 more, and 1 of 1 is used" in check(live, full, deployment("two:2"), cron_job())


def test_a_running_job_has_its_room_already() -> None:
    running = {**cron_job(), "status": {"active": [{"name": "verify-1"}]}}
    full = quota({"pods": "1"}, {"pods": "1"})
    assert "small" not in check([running], full, cron_job("two:2"))


def test_a_limit_range_that_refuses_a_job_is_named() -> None:
    found = check([], limits(max={"memory": "16Mi"}), cron_job())
    assert (
        "verify: the LimitRange small requires limits.memory of at most 16Mi, and the container main has none" in found
    )


def test_the_pods_that_an_autoscaler_keeps_need_room() -> None:
    scaler: Object = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "mirror"},
        "spec": {"scaleTargetRef": {"name": "mirror"}, "minReplicas": 3, "maxReplicas": 9},
    }
    cluster = FakeCluster([quota({"pods": "2"})])
    step = AdmissionStep(AsyncCluster(cluster), [], {"mirror": [deployment(), scaler]})
    with pytest.raises(QuotaError, match="pods needs 3 more, and 0 of 2 is used"):
        asyncio.run(step.check())
