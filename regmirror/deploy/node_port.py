"""Whether the Service of the public endpoint can have the port of the nodes that the file names."""

from regmirror.config.components import IngressService
from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.endpoint import node_port
from regmirror.errors import ClusterError, ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import NAMESPACE, SERVICE, Cluster, Object
from regmirror.steps.step import Done

_OUT_OF_RANGE = "valid range"
"""In the message of the API server, whose range no client can read: "provided port is not in the valid range. ..."."""


def check_node_port(mirror: Mirror, cluster: Cluster) -> Done:
    """Raises ConfigurationError if another Service has the port, or the cluster does not allow it."""
    service = mirror.ingress.service
    port = node_port(mirror, service) if service else None
    if service is None or port is None:
        return Done("a port of the nodes is chosen by Kubernetes")
    key = "ingress.service.nodePort" if service.node_port else "port"
    is_compared = _ensure_free(mirror, cluster, key, port)
    _ensure_allowed(mirror, cluster, key, port, service)
    if not is_compared:
        return Done(f"port {port} not compared with other namespaces: no permission", skipped=True)
    return Done(f"{service.type}, port {port} of the nodes")


def _ensure_free(mirror: Mirror, cluster: Cluster, key: str, port: int) -> bool:
    """False if the user may not read the Services of other namespaces."""
    try:
        services = cluster.select(SERVICE, everywhere=True)
    except PermissionDeniedError:
        return False
    for service in services:
        where, name = service["metadata"]["namespace"], service["metadata"]["name"]
        if port in _node_ports(service) and (where, name) != (mirror.namespace, names.INGRESS):
            raise ConfigurationError(
                f"{key}: port {port} of the nodes is already used by the Service {name} in namespace {where}",
                hint="choose another port of the nodes",
            )
    return True


def _node_ports(service: Object) -> set[int]:
    spec = service["spec"]
    return {port.get("nodePort") for port in spec.get("ports") or []} | {spec.get("healthCheckNodePort")}


def _ensure_allowed(mirror: Mirror, cluster: Cluster, key: str, port: int, service: IngressService) -> None:
    """Asks the API server with a dry run, which needs the namespace."""
    if cluster.get(NAMESPACE, mirror.namespace) is None or cluster.get(SERVICE, names.INGRESS):
        return
    try:
        cluster.preview(
            {
                "apiVersion": SERVICE.api_version,
                "kind": SERVICE.kind,
                "metadata": {"name": names.INGRESS, "namespace": mirror.namespace},
                "spec": {"type": service.type, "ports": [{"name": "https", "port": mirror.port, "nodePort": port}]},
            }
        )
    except ClusterError as error:
        if _OUT_OF_RANGE not in error.message:
            raise
        limits = error.message.rpartition("The range of valid ports is ")[2].rstrip(".")
        raise ConfigurationError(
            f"{key}: the cluster does not allow port {port} of the nodes ({limits})",
            hint="choose a port of that range, or change --service-node-port-range of the API server",
        ) from error
