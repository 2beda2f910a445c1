"""Whether the quotas and limits of the namespace have room for a deployment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from regmirror.deploy.diff_changes import kind_of
from regmirror.errors import PermissionDeniedError, QuotaError
from regmirror.ports.cluster import LIMIT_RANGE, RESOURCE_QUOTA, Cluster, Object
from regmirror.workloads.limit_ranges import violations, with_defaults
from regmirror.workloads.object_demand import HELM_RECORD, REPLICA_SET, objects_demand
from regmirror.workloads.pod_demand import Demand, PodSpec, add_up
from regmirror.workloads.pod_replacement import PodReplacement
from regmirror.workloads.quotas import NewPods, quota_problems
from regmirror.workloads.scheduled_pod import ScheduledPod


@dataclass(frozen=True, slots=True)
class QuotaCheck:
    """What a deployment adds to the namespace."""

    cluster: Cluster
    secrets: Sequence[Object]
    rendered: Mapping[str, Sequence[Object]]
    """The objects of each release, by its name."""
    replacements: Sequence[PodReplacement]
    scheduled: Sequence[ScheduledPod]

    def run(self) -> bool:
        """Whether the user may read the quotas and limits; raises QuotaError if they do not admit the deployment."""
        try:
            quotas, ranges = self.cluster.select(RESOURCE_QUOTA), self.cluster.select(LIMIT_RANGE)
        except PermissionDeniedError:
            return False
        pods = self._new_pods(partial(with_defaults, ranges=ranges))
        problems = [f"{each.name}: {reason}" for each in pods for reason in violations(each.pod, ranges)]
        if quotas:
            problems += quota_problems(quotas, pods, self._objects_demand())
        if problems:
            namespace = self.cluster.namespace
            raise QuotaError(
                "\n  ".join([f"namespace {namespace} does not admit this deployment:", *problems]),
                hint="change resources, replicas or storage in the file, or have the limits changed: "
                f"kubectl -n {namespace} describe resourcequota,limitrange",
            )
        return True

    def _new_pods(self, complete: Callable[[PodSpec], PodSpec]) -> list[NewPods]:
        """The pods that will be created; a job may start while others are replaced."""
        created: list[PodReplacement | ScheduledPod] = [each for each in self.replacements if each.creates_pods]
        if created or any(each.is_changed for each in self.scheduled):
            created += self.scheduled
        return [
            NewPods(each.name, complete(each.template["spec"]), each.additional_demand(complete)) for each in created
        ]

    def _objects_demand(self) -> Demand:
        rendered = [found for objects in self.rendered.values() for found in objects]
        new = [found for found in [*self.secrets, *rendered] if is_missing(self.cluster, found)]
        replaced = {each.name for each in self.replacements if each.is_needed}
        changed = replaced | {each.name for each in self.scheduled if each.is_changed}
        releases = [
            name
            for name, objects in self.rendered.items()
            if any(found in new or found["metadata"]["name"] in changed for found in objects)
        ]
        return add_up([objects_demand(new), *([HELM_RECORD] * len(releases)), *([REPLICA_SET] * len(replaced))])


def is_missing(cluster: Cluster, wanted: Object) -> bool:
    """Whether an object does not exist yet."""
    return cluster.get(kind_of(wanted), wanted["metadata"]["name"]) is None
