"""A release is upgraded if it differs, its rollout is awaited, and a failing pod's own reason is reported."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from regmirror.deploy import release as release_step
from regmirror.deploy.release import ReleaseStep
from regmirror.desired.assets import chart_directory
from regmirror.desired.flavors import ChartSource
from regmirror.desired.releases import Release
from regmirror.errors import ChartError, ClusterError, ClusterUnreachableError, DeadlineError, ExitCode, HelmError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.helm import FakeHelm
from tests.fakes.progress import RecordedProgress, RecordedWaiting

NAME = "regmirror-redis"
RELEASE = Release(NAME, "redis", ChartSource(chart_directory("redis")), {"replicas": 2})
HALF = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}
WHOLE = {**HALF, "availableReplicas": 2}
CRASHING = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "redis-1", "labels": {"app.kubernetes.io/instance": NAME}},
    "spec": {"containers": [{"name": "redis"}]},
    "status": {
        "containerStatuses": [
            {
                "name": "redis",
                "ready": False,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1}},
            }
        ]
    },
}


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release_step, "_POLL", 0)


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


@pytest.fixture
def helm(cluster: FakeCluster) -> FakeHelm:
    return FakeHelm(cluster)


def step(helm: FakeHelm, cluster: FakeCluster, **changes: Any) -> ReleaseStep:
    release = changes.pop("release", RELEASE)
    wanted = asyncio.run(helm.render(release))
    known = ReleaseStep(release, wanted, helm, AsyncCluster(cluster), samples.mirror_secrets(), unlock=False, needs=())
    return replace(known, **changes)


def do(one: ReleaseStep) -> tuple[Done, list[str]]:
    progress = RecordedWaiting()
    return asyncio.run(one.apply(progress)), progress.reasons


def test_a_new_release_is_installed(cluster: FakeCluster, helm: FakeHelm) -> None:
    assert do(step(helm, cluster)) == (
        Done("revision 1", changed=True),
        ["helm upgrade --install"],
    )
    assert cluster.get(DEPLOYMENT, NAME)


def test_a_release_as_it_should_be_is_not_changed(cluster: FakeCluster, helm: FakeHelm) -> None:
    do(step(helm, cluster))
    before = cluster.get(DEPLOYMENT, NAME)
    assert do(step(helm, cluster)) == (Done("unchanged"), [])
    assert helm.upgraded == [NAME]
    assert cluster.get(DEPLOYMENT, NAME) == before


def test_a_release_with_other_values_is_upgraded(cluster: FakeCluster, helm: FakeHelm) -> None:
    do(step(helm, cluster))
    done, _ = do(step(helm, cluster, release=replace(RELEASE, values={"replicas": 3})))
    assert done == Done("revision 2", changed=True)


def test_a_release_whose_object_was_deleted_is_upgraded(cluster: FakeCluster, helm: FakeHelm) -> None:
    do(step(helm, cluster))
    cluster.delete(DEPLOYMENT, NAME)
    assert do(step(helm, cluster))[0] == Done("revision 2", changed=True)
    assert cluster.get(DEPLOYMENT, NAME)


@pytest.mark.parametrize("status", ["failed", "superseded", "uninstalled"])
def test_a_release_that_is_not_deployed_is_upgraded(cluster: FakeCluster, helm: FakeHelm, status: str) -> None:
    do(step(helm, cluster))
    helm.record(NAME, 2, status, asyncio.run(helm.render(RELEASE)))
    assert do(step(helm, cluster))[0] == Done("revision 3", changed=True)


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback"])
def test_another_helm_operation_is_waited_for(cluster: FakeCluster, helm: FakeHelm, status: str) -> None:
    do(step(helm, cluster))
    helm.record(NAME, 2, status, asyncio.run(helm.render(RELEASE)))
    one, progress = step(helm, cluster), RecordedWaiting()

    async def scenario() -> Done:
        task = asyncio.create_task(one.apply(progress))
        while not progress.reasons:
            await asyncio.sleep(0)
        helm.record(NAME, 2, "deployed", await helm.render(RELEASE))
        return await task

    assert asyncio.run(scenario()) == Done("unchanged")
    assert progress.reasons[0] == f"another Helm operation ({status}); treated as stale after 30s without progress"


def test_an_operation_without_progress_is_treated_as_killed(
    cluster: FakeCluster, helm: FakeHelm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release_step, "_STALE_LOCK", 0.1)
    do(step(helm, cluster))
    helm.record(NAME, 2, "pending-upgrade", [])
    done, events = do(step(helm, cluster))
    assert done == Done("unchanged")
    assert "another Helm operation (pending-upgrade)" in events[0]
    assert [found["metadata"]["labels"]["status"] for found in records(cluster)] == ["deployed"]


def test_unlocking_clears_the_lock_of_a_killed_deployment(cluster: FakeCluster, helm: FakeHelm) -> None:
    do(step(helm, cluster))
    helm.record(NAME, 2, "pending-upgrade", [])
    assert do(step(helm, cluster, release=replace(RELEASE, values={"replicas": 3}), unlock=True))[0].changed
    assert [found["metadata"]["labels"]["status"] for found in records(cluster)] == ["deployed", "deployed"]


def test_unlocking_the_very_first_installation_restarts_it(cluster: FakeCluster, helm: FakeHelm) -> None:
    helm.record(NAME, 1, "pending-install", [])
    assert do(step(helm, cluster, unlock=True))[0] == Done("revision 1", changed=True)


def test_unlocking_what_is_not_locked_changes_nothing(cluster: FakeCluster, helm: FakeHelm) -> None:
    do(step(helm, cluster))
    assert do(step(helm, cluster, unlock=True))[0] == Done("unchanged")


def test_a_rollout_is_waited_for_and_its_reason_shown(cluster: FakeCluster, helm: FakeHelm) -> None:
    cluster.put(CRASHING)
    cluster.rollouts[NAME] = [HALF, HALF, WHOLE]
    done, events = do(step(helm, cluster))
    assert done.changed
    assert set(events[1:]) == {"Deployment regmirror-redis (1/2 ready)\n  pod redis-1: CrashLoopBackOff (exit code 1)"}


def test_a_release_that_is_unchanged_is_waited_for_too(cluster: FakeCluster, helm: FakeHelm) -> None:
    do(step(helm, cluster))
    cluster.rollouts[NAME] = [HALF, HALF, WHOLE]
    done, events = do(step(helm, cluster))
    assert done == Done("unchanged")
    assert set(events) == {"Deployment regmirror-redis (1/2 ready)"}


def test_a_timeout_says_what_it_waited_for_and_why_without_any_secret(cluster: FakeCluster, helm: FakeHelm) -> None:
    cluster.put(CRASHING)
    cluster.logs["redis-1", False] = "AUTH canary-redis-password failed"
    cluster.rollouts[NAME] = [HALF]
    with pytest.raises(DeadlineError) as caught:
        asyncio.run(run_steps([step(helm, cluster)], RecordedProgress(), time.monotonic() + 1))
    assert caught.value.exit_code is ExitCode.TIMED_OUT
    assert caught.value.message.splitlines() == [
        "regmirror-redis: timed out waiting for Deployment regmirror-redis (1/2 ready)",
        "  pod redis-1: CrashLoopBackOff (exit code 1)",
        "    log: AUTH *** failed",
        "  may have changed: regmirror-redis",
    ]


def test_an_api_server_that_is_restarted_is_waited_for(cluster: FakeCluster, helm: FakeHelm) -> None:
    do(step(helm, cluster))
    cluster.rollouts[NAME] = [HALF, WHOLE]
    answers = [
        *(None, None),  # the comparison of Service and Deployment
        ClusterUnreachableError("no answer from the Kubernetes API"),
        None,
        ClusterUnreachableError("none"),
        None,
    ]

    class Restarting(FakeCluster):
        def get(self, kind: Any, name: str) -> Any:
            if error := answers.pop(0) if answers else None:
                raise error
            return cluster.get(kind, name)

    restarting = Restarting()
    restarting._objects = cluster._objects
    done, events = do(step(helm, restarting))
    assert done == Done("unchanged")
    assert "no answer from the Kubernetes API" in events


def test_what_is_shown_while_waiting_holds_no_secret(cluster: FakeCluster, helm: FakeHelm) -> None:
    state = {"waiting": {"reason": "CreateContainerError", "message": "canary-s3-secret"}}
    cluster.put({**CRASHING, "status": {"containerStatuses": [{"name": "redis", "ready": False, "state": state}]}})
    cluster.rollouts[NAME] = [HALF, HALF, WHOLE]
    _, events = do(step(helm, cluster))
    assert events[-1] == "Deployment regmirror-redis (1/2 ready)\n  pod redis-1: CreateContainerError: ***"


def test_a_deployment_that_disappears_ends_the_wait(helm: FakeHelm) -> None:
    without_it = FakeCluster()
    with pytest.raises(ClusterError, match="the Deployment regmirror-redis was deleted"):
        do(step(helm, without_it))


def test_a_failure_of_helm_names_the_release_and_may_have_changed_something(
    cluster: FakeCluster, helm: FakeHelm
) -> None:
    helm.failures[NAME] = HelmError("helm upgrade failed: quota, canary-redis-password")
    with pytest.raises(HelmError) as caught:
        do(step(helm, cluster))
    assert caught.value.message == "regmirror-redis: helm upgrade failed: quota, ***"
    assert caught.value.hint == "see the history of the release: helm -n regmirror history regmirror-redis"
    assert caught.value.left_changes
    del helm.failures[NAME]
    assert do(step(helm, cluster))[0] == Done("revision 2", changed=True)


def test_a_chart_that_helm_refuses_has_changed_nothing(cluster: FakeCluster, helm: FakeHelm) -> None:
    helm.failures[NAME] = ChartError("values don't meet the schema")
    with pytest.raises(ChartError) as caught:
        do(step(helm, cluster))
    assert not caught.value.left_changes


def test_an_old_pod_that_still_serves_is_waited_for(cluster: FakeCluster, helm: FakeHelm) -> None:
    cluster.put(going_pod())
    one = step(helm, cluster)

    async def scenario() -> None:
        progress = RecordedWaiting()
        task = asyncio.create_task(one.apply(progress))
        while "old pods to terminate" not in progress.reasons:
            await asyncio.sleep(0)
        assert not task.done()
        cluster.delete(POD, "redis-0")
        assert (await task).changed

    asyncio.run(scenario())


def test_an_old_pod_whose_sleep_is_over_is_not_waited_for(cluster: FakeCluster, helm: FakeHelm) -> None:
    """Its last downloads may take as long as they like: no new request reaches it."""
    pod = going_pod()
    del pod["spec"]["containers"][0]["lifecycle"]
    cluster.put(pod)
    assert do(step(helm, cluster))[0].changed


def test_a_failure_after_the_upgrade_may_have_changed_something(helm: FakeHelm) -> None:
    """The release was installed, whatever became of the rollout: the report must contain it."""
    with pytest.raises(ClusterError) as caught:
        do(step(helm, FakeCluster()))
    assert caught.value.left_changes


def test_a_failed_rollout_says_that_the_old_pods_still_serve(cluster: FakeCluster, helm: FakeHelm) -> None:
    do(step(helm, cluster))
    stuck = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}
    cluster.rollouts[NAME] = [stuck]
    changed = step(helm, cluster, release=replace(RELEASE, values={"replicas": 2, "image": "absent"}))
    with pytest.raises(DeadlineError) as caught:
        asyncio.run(run_steps([changed], RecordedProgress(), time.monotonic() + 1))
    assert caught.value.message.splitlines()[:2] == [
        "regmirror-redis: timed out waiting for Deployment regmirror-redis (2/2 ready, 2 old)",
        "  the old pods still serve",
    ]


def records(cluster: FakeCluster) -> list[dict[str, Any]]:
    """Helm's records of the release."""
    return cluster.select(SECRET, f"owner=helm,name={NAME}")


def going_pod() -> dict[str, Any]:
    labels = {"app.kubernetes.io/instance": NAME}
    sleeping = {"preStop": {"sleep": {"seconds": 600}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "redis-0", "labels": labels, "deletionTimestamp": "2026-11-23T12:00:00Z"},
        "spec": {"containers": [{"name": "redis", "lifecycle": sleeping}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
