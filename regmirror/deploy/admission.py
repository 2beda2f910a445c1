"""Whether the namespace admits the pods of a deployment: its quotas, its limits, and the policies of the cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from regmirror.deploy.diff_changes import StepDiff, kind_of
from regmirror.errors import ClusterError, ClusterUnreachableError, PermissionDeniedError, PodsRefusedError, QuotaError
from regmirror.errors.remedies import suggest_remedy
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import (
    DEPLOYMENT,
    LIMIT_RANGE,
    NAMESPACE,
    POD,
    RESOURCE_QUOTA,
    SERVICE_ACCOUNT,
    Cluster,
    Kind,
    Object,
    Right,
)
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.limit_ranges import violations, with_defaults
from regmirror.workloads.object_demand import HELM_RECORD, REPLICA_SET, objects_demand
from regmirror.workloads.pod_demand import Demand, add_up
from regmirror.workloads.pod_replacement import PodReplacement
from regmirror.workloads.quotas import NewPods, quota_problems

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
        unchecked = [
            what
            for what, check in (("quotas", self._check_room), ("policies", self._check_policies))
            if not check(cluster, replacements)
        ]
        if unchecked:
            return Done(f"{' and '.join(unchecked)} not checked: no permission", skipped=True)
        return Done(f"namespace {cluster.namespace}")

    def _of(self, kind: Kind) -> list[Object]:
        return [found for objects in self.rendered.values() for found in objects if kind_of(found) == kind]

    def _check_room(self, cluster: Cluster, replacements: Sequence[PodReplacement]) -> bool:
        try:
            quotas, ranges = cluster.select(RESOURCE_QUOTA), cluster.select(LIMIT_RANGE)
        except PermissionDeniedError:
            return False
        complete = partial(with_defaults, ranges=ranges)
        created = [replacement for replacement in replacements if replacement.creates_pods]
        pods = [NewPods(r.name, complete(r.template["spec"]), r.additional_demand(complete)) for r in created]
        problems = [f"{each.name}: {reason}" for each in pods for reason in violations(each.pod, ranges)]
        if quotas:
            problems += quota_problems(quotas, pods, self._objects_demand(cluster, replacements))
        if problems:
            raise QuotaError(
                "\n  ".join([f"namespace {cluster.namespace} does not admit this deployment:", *problems]),
                hint="change resources, replicas or storage in the file, or have the limits changed: "
                f"kubectl -n {cluster.namespace} describe resourcequota,limitrange",
            )
        return True

    def _objects_demand(self, cluster: Cluster, replacements: Sequence[PodReplacement]) -> Demand:
        rendered = [found for objects in self.rendered.values() for found in objects]
        new = [found for found in [*self.secrets, *rendered] if _is_missing(cluster, found)]
        replaced = {replacement.name for replacement in replacements if replacement.is_needed}
        changed = [
            name
            for name, objects in self.rendered.items()
            if any(found in new or found["metadata"]["name"] in replaced for found in objects)
        ]
        return add_up([objects_demand(new), *([HELM_RECORD] * len(changed)), *([REPLICA_SET] * len(replaced))])

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
        ours = {account["metadata"]["name"] for account in self._of(SERVICE_ACCOUNT) if _is_missing(cluster, account)}
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
    live = cluster.get(DEPLOYMENT, wanted["metadata"]["name"])
    after = cluster.preview(wanted) if live else wanted
    replicas = max(int(after["spec"].get("replicas", 1)), least)
    return PodReplacement({**after, "spec": {**after["spec"], "replicas": replicas}}, live)


def _is_missing(cluster: Cluster, wanted: Object) -> bool:
    return cluster.get(kind_of(wanted), wanted["metadata"]["name"]) is None


def _without_account(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in {"serviceAccountName", "serviceAccount"}}
