"""What the pods of a CronJob take.

Source: Kubernetes ``pkg/controller/cronjob/cronjob_controllerv2.go``; the defaults are in ``pkg/apis/batch/v1``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from regmirror.ports.cluster import Object
from regmirror.workloads.pod_demand import Demand, PodSpec, add_up, excess, pod_demand

_SUCCESSFUL_JOBS, _FAILED_JOBS = 3, 1
"""How many ended Jobs are kept by default."""


@dataclass(frozen=True, slots=True)
class ScheduledPod:
    """A CronJob that runs one Job at a time, as it will be, and as it is; ``live`` is None if it does not exist."""

    after: Object
    live: Object | None = None

    @property
    def name(self) -> str:
        """The name of the CronJob."""
        return str(self.after["metadata"]["name"])

    @property
    def template(self) -> dict[str, Any]:
        """The metadata and the spec of its pods."""
        return _template(self.after)

    @property
    def is_changed(self) -> bool:
        """Whether its next pod will be another one than now."""
        return self.live is None or _template(self.live) != self.template

    def additional_demand(self, complete: Callable[[PodSpec], PodSpec]) -> Demand:
        """What its next run needs beyond what is used now: a running pod ends first, an ended one is kept.

        ``complete`` adds the defaults that the namespace gives to pods.
        """
        run = _run(complete(self.template["spec"]))
        if self.live is None:
            kept = Decimal(_kept_jobs(self.after))
            return add_up([run, {"count/pods": kept, "count/jobs.batch": kept}])
        if not (self.live.get("status") or {}).get("active"):
            return run
        return excess(run, _run(complete(_template(self.live)["spec"])))


def _template(cron_job: Object) -> dict[str, Any]:
    return dict(cron_job["spec"]["jobTemplate"]["spec"]["template"])


def _run(pod: PodSpec) -> Demand:
    return {**pod_demand(pod), "count/jobs.batch": Decimal(1)}


def _kept_jobs(cron_job: Object) -> int:
    spec = cron_job["spec"]
    successful = int(spec.get("successfulJobsHistoryLimit", _SUCCESSFUL_JOBS))
    return successful + int(spec.get("failedJobsHistoryLimit", _FAILED_JOBS))
