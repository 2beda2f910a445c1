"""What replacing the pods of a Deployment takes.

Source: Kubernetes ``pkg/controller/deployment`` (rolling.go, recreate.go).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regmirror.ports.cluster import Object
from regmirror.workloads.pod_demand import Demand, PodSpec, add_up, excess, pod_demand


@dataclass(frozen=True, slots=True)
class PodReplacement:
    """A Deployment as it will be, and as it is; ``live`` is None if it does not exist."""

    after: Object
    live: Object | None = None

    @property
    def name(self) -> str:
        """The name of the Deployment."""
        return str(self.after["metadata"]["name"])

    @property
    def template(self) -> dict[str, Any]:
        """The metadata and the spec of its new pods."""
        return dict(self.after["spec"]["template"])

    @property
    def is_needed(self) -> bool:
        """Whether there will be pods of another revision than now."""
        return self.live is None or self.live["spec"]["template"] != self.template

    @property
    def creates_pods(self) -> bool:
        """Whether there will be pods that do not exist yet."""
        return self.is_needed or self._wanted > self._running

    @property
    def _wanted(self) -> int:
        return int(self.after["spec"].get("replicas", 1))

    @property
    def _running(self) -> int:
        status = (self.live or {}).get("status") or {}
        return int(status.get("replicas", 0))

    def additional_demand(self, complete: Callable[[PodSpec], PodSpec]) -> Demand:
        """What is needed at most, at any time, beyond what the running pods take now.

        ``complete`` adds the defaults that the namespace gives to pods.
        """
        new, running = pod_demand(complete(self.template["spec"])), self._running
        if self.live is None or not self.is_needed or not running:
            return _times(new, max(0, self._wanted - running))
        old = pod_demand(complete(self.live["spec"]["template"]["spec"]))
        now, then = _times(old, running), _times(new, self._wanted)
        if (self.after["spec"].get("strategy") or {}).get("type") == "Recreate":
            return excess(then, now)
        # The last old pod stops when the last new one is ready.
        first, last = add_up([now, new]), add_up([old, then])
        highest = {resource: max(first[resource], last[resource]) for resource in first.keys() & last.keys()}
        # What old pods free is not there before they are gone.
        return excess({**first, **last, **highest}, now)


def _times(demand: Demand, count: int) -> Demand:
    return {resource: amount * count for resource, amount in demand.items()}
