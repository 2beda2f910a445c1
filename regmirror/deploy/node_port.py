"""Whether the Service of the public endpoint can have the port of the nodes that the file names."""

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.endpoint import node_port
from regmirror.errors import ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import SERVICE, Cluster, Object
from regmirror.steps.step import Done

_DEFAULT_RANGE = range(30000, 32768)
"""Of the API server's --service-node-port-range, which no client can read; a dry run does not check it either."""


def check_node_port(mirror: Mirror, cluster: Cluster) -> Done:
    """Raises ConfigurationError if another Service has the port."""
    service = mirror.ingress.service
    port = node_port(mirror, service) if service else None
    if service is None or port is None:
        return Done("chosen by Kubernetes")
    detail = str(port)
    if port not in _DEFAULT_RANGE:
        detail += f", outside of the default range {_DEFAULT_RANGE[0]}-{_DEFAULT_RANGE[-1]}"
    try:
        services = cluster.select(SERVICE, everywhere=True)
    except PermissionDeniedError:
        return Done(f"{detail}; not compared with other Services: no permission", skipped=True)
    _ensure_free(mirror, services, "ingress.service.nodePort" if service.node_port else "port", port)
    return Done(detail)


def _ensure_free(mirror: Mirror, services: list[Object], key: str, port: int) -> None:
    for service in services:
        where, name = service["metadata"]["namespace"], service["metadata"]["name"]
        if port in _node_ports(service) and (where, name) != (mirror.namespace, names.INGRESS):
            raise ConfigurationError(
                f"{key}: port {port} of the nodes is already used by the Service {name} in namespace {where}",
                hint="choose another port of the nodes",
            )


def _node_ports(service: Object) -> set[int]:
    spec = service["spec"]
    return {port.get("nodePort") for port in spec.get("ports") or []} | {spec.get("healthCheckNodePort")}
