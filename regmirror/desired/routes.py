"""The values of the ingress chart that attach the mirror to Gateways."""

from typing import Any

from regmirror.config.durations import format_duration
from regmirror.config.gateway import Gateway


def route_values(gateway: Gateway) -> dict[str, Any]:
    """What the template ingress.yaml.j2 needs for HTTPRoutes and ListenerSets."""
    listeners = gateway.listener_set
    return {
        "parent_refs": gateway.parent_refs,
        "request_timeout": "" if gateway.request_timeout is None else format_duration(gateway.request_timeout),
        "listener_port": listeners.port if listeners else None,
    }
