"""Whether the namespace admits the pods of a deployment: its quotas, its limits, and the policies of the cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from regmirror.deploy.diff_changes import StepDiff, kind_of
from regmirror.deploy.quota_check import QuotaCheck, is_missing
from regmirror.errors import ClusterError, ClusterUnreachableError, PodsRefusedError
from regmirror.errors.remedies import suggest_remedy
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import (
    CRON_JOB,
    DEPLOYMENT,
    NAMESPACE,
    POD,
    SERVICE_ACCOUNT,
    Cluster,
    Kind,
    Object,
    Right,
)
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.pod_replacement import PodReplacement
from regmirror.workloads.scheduled_pod import ScheduledPod

ADMISSION_STEP = "admission"
SCALER = Kind("autoscaling/v2", "HorizontalPodAutoscaler")
_CREATE_POD = Right("create", "", "pods")
_COUNTED_ABOVE = "exceeded quota"
"""For a single pod the API server does not know which pods it replaces."""
_OTHERWISE = "change the file, or the policy that refuses the pods"
_OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "check", "uid": str(UUID(int=0)), "controller": True}
_NO_ANSWER = "does not support dry run"


@dataclass(frozen=True, slots=True)
class AdmissionStep:
    """Finds what would refuse the mirror's pods or objects, before they are applied; changes nothing."""

    cluster: AsyncCluster
    secrets: Sequence[Object]
    rendered: Mapping[str, Sequence[Object]]
    """The objects of each release, by its name."""
    needs: tuple[str, ...] = ()
    name: str = ADMISSION_STEP
    title: str = "Quotas and policies"

    async def apply(self, progress: Waiting) -> Done:  # noqa: ARG002 - the title says what it waits for
        """Raises QuotaError, PodsRefusedError or another ClusterError."""
        return await self.check()

    async def diff(self) -> StepDiff:
        """Raises as ``apply``."""
        return StepDiff((await self.check()).detail)

    async def check(self) -> Done:
        """Raises as ``apply``; a missing namespace admits everything."""
        return await self.cluster.run(self._check)

    def _check(self, cluster: Cluster) -> Done:
        if cluster.get(NAMESPACE, cluster.namespace) is None:
            return Done(f"namespace {cluster.namespace} will be created")
        least = {scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["minReplicas"] for scaler in self._of(SCALER)}
        replacements = [
            _replacement(cluster, wanted, least.get(wanted["metadata"]["name"], 0)) for wanted in self._of(DEPLOYMENT)
        ]
        scheduled = [ScheduledPod(*_after_and_live(cluster, wanted)) for wanted in self._of(CRON_JOB)]
        quotas = QuotaCheck(cluster, self.secrets, self.rendered, replacements, scheduled)
        checks = {"quotas": quotas.run(), "policies": self._check_policies(cluster, replacements)}
        unchecked = [what for what, is_checked in checks.items() if not is_checked]
        if unchecked:
            return Done(f"{' and '.join(unchecked)} not checked: no permission", skipped=True)
        return Done(f"namespace {cluster.namespace}")

    def _of(self, kind: Kind) -> list[Object]:
        return [found for objects in self.rendered.values() for found in objects if kind_of(found) == kind]

    def _check_policies(self, cluster: Cluster, replacements: Sequence[PodReplacement]) -> bool:
        if not cluster.may(_CREATE_POD):
            return False
        created = [replacement for replacement in replacements if replacement.creates_pods]
        refusals = {r.name: reason for r in created if (reason := self._refusal(cluster, r))}
        if refusals:
            reasons = [f"{name}: {reason}" for name, reason in refusals.items()]
            raise PodsRefusedError(
                "\n  ".join(["the cluster does not admit the mirror's pods:", *reasons]),
                hint=f"{suggest_remedy(reasons[0]) or _OTHERWISE}; if it admits the pods of Deployments, "
                "run the command with --skip-admission",
            )
        return True

    def _refusal(self, cluster: Cluster, replacement: PodReplacement) -> str | None:
        """Why the API server would not create a pod; None if it would, or cannot answer."""
        try:
            cluster.try_create(self._pod(cluster, replacement))
        except ClusterUnreachableError:
            raise
        except ClusterError as error:
            return None if _COUNTED_ABOVE in error.message or _NO_ANSWER in error.message else error.message
        return None

    def _pod(self, cluster: Cluster, replacement: PodReplacement) -> Object:
        metadata, spec = replacement.template["metadata"], dict(replacement.template["spec"])
        ours = {account["metadata"]["name"] for account in self._of(SERVICE_ACCOUNT) if is_missing(cluster, account)}
        if spec.get("serviceAccountName") in ours:
            # The release creates it.
            spec = _without_account(spec)
        return {
            "apiVersion": POD.api_version,
            "kind": POD.kind,
            # Some policies refuse pods that nothing owns.
            "metadata": {**metadata, "name": f"{replacement.name}-check", "ownerReferences": [_OWNER]},
            "spec": spec,
        }


def _replacement(cluster: Cluster, wanted: Object, least: int) -> PodReplacement:
    """``least`` is the smallest number of pods that an autoscaler keeps; 0 without one."""
    after, live = _after_and_live(cluster, wanted)
    replicas = max(int(after["spec"].get("replicas", 1)), least)
    return PodReplacement({**after, "spec": {**after["spec"], "replicas": replicas}}, live)


def _after_and_live(cluster: Cluster, wanted: Object) -> tuple[Object, Object | None]:
    """An object as applying it would leave it, and as it is."""
    live = cluster.get(kind_of(wanted), wanted["metadata"]["name"])
    return (cluster.preview(wanted) if live else wanted), live


def _without_account(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in {"serviceAccountName", "serviceAccount"}}
