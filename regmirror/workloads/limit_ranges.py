"""What LimitRanges of the namespace make of pods, and refuse.

Source: Kubernetes ``plugin/pkg/admission/limitranger/admission.go``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from regmirror.ports.cluster import Object
from regmirror.workloads.pod_demand import PodSpec, claims_of, pod_demand, requested
from regmirror.workloads.quantities import format_quantity, parse_quantity

_CONTAINERS = ("containers", "initContainers")


def with_defaults(pod: PodSpec, ranges: Sequence[Object]) -> PodSpec:
    """The pod with the requests and limits that the LimitRanges add to containers without them."""
    items = [item for limit_range in ranges for item in _items(limit_range, "Container")]
    kinds = {"requests": "defaultRequest", "limits": "default"}

    def complete(container: Mapping[str, Any]) -> Mapping[str, Any]:
        resources = dict(container.get("resources") or {})
        for kind, defaults in kinds.items():
            added = {name: value for item in reversed(items) for name, value in (item.get(defaults) or {}).items()}
            own = {name: value for name in added if (value := requested(container, kind, name)) is not None}
            resources[kind] = {**added, **own, **(resources.get(kind) or {})}
        return {**container, "resources": resources}

    return {**pod, **{key: [complete(container) for container in pod.get(key) or []] for key in _CONTAINERS}}


def violations(pod: PodSpec, ranges: Sequence[Object]) -> list[str]:
    """Why the LimitRanges refuse a pod that has their defaults, in one line each."""
    return [
        f"the LimitRange {limit_range['metadata']['name']} {reason}"
        for limit_range in ranges
        for reason in _reasons(pod, limit_range)
    ]


def _reasons(pod: PodSpec, limit_range: Object) -> Iterator[str]:
    for item in _items(limit_range, "Container"):
        for container in [container for key in _CONTAINERS for container in pod.get(key) or []]:
            amounts = {
                f"{kind}.{name}": value
                for kind in ("requests", "limits")
                for name in ((container.get("resources") or {}).get(kind) or {})
                if (value := requested(container, kind, name)) is not None
            }
            yield from _of_item(item, amounts, f"the container {container['name']}")
    for item in _items(limit_range, "Pod"):
        amounts = {name: format_quantity(name, value) for name, value in pod_demand(pod).items() if value}
        yield from _of_item(item, amounts, "the pod")
    for item in _items(limit_range, "PersistentVolumeClaim"):
        for volume, claim in claims_of(pod).items():
            amounts = {f"requests.{name}": value for name, value in claim["resources"]["requests"].items()}
            yield from _of_item(item, amounts, f"the volume {volume}")


def _of_item(item: Mapping[str, Any], amounts: Mapping[str, Any], whose: str) -> Iterator[str]:
    """``amounts`` has requests and limits by ``requests.cpu`` and the like."""
    for name, lowest in (item.get("min") or {}).items():
        request = amounts.get(f"requests.{name}")
        if request is None:
            yield f"requires requests.{name} of at least {lowest}, and {whose} has none"
        yield from (
            f"requires {kind}.{name} of at least {lowest}, and {whose} has {value}"
            for kind in ("requests", "limits")
            if (value := amounts.get(f"{kind}.{name}")) is not None and parse_quantity(value) < parse_quantity(lowest)
        )
    for name, highest in (item.get("max") or {}).items():
        if amounts.get(f"limits.{name}") is None and name != "storage":
            yield f"requires limits.{name} of at most {highest}, and {whose} has none"
        yield from (
            f"allows {kind}.{name} of at most {highest}, and {whose} has {value}"
            for kind in ("requests", "limits")
            if (value := amounts.get(f"{kind}.{name}")) is not None and parse_quantity(value) > parse_quantity(highest)
        )
    for name, ratio in (item.get("maxLimitRequestRatio") or {}).items():
        request, limit = amounts.get(f"requests.{name}"), amounts.get(f"limits.{name}")
        if request is None or limit is None or parse_quantity(limit) > parse_quantity(request) * parse_quantity(ratio):
            yield (
                f"allows limits.{name} of at most {ratio} times requests.{name}, and {whose} has {limit or 'none'} and "
                f"{request or 'none'}"
            )


def _items(limit_range: Object, kind: str) -> list[dict[str, Any]]:
    return [item for item in limit_range["spec"].get("limits") or [] if item["type"] == kind]
