"""What must be true before anything is changed: the cluster, permissions, Ingress, certificate, Helm."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from regmirror.config.model import Mirror
from regmirror.deploy.gateway_preflight import check_gateways
from regmirror.deploy.gitops import ensure_owned
from regmirror.deploy.host_change import find_host_change
from regmirror.deploy.monitoring_preflight import check_monitoring
from regmirror.deploy.node_port import check_node_port
from regmirror.deploy.pod_prerequisites import check_pods
from regmirror.deploy.preflight_certificates import check_certificates
from regmirror.deploy.rights import deploy_rights, require_rights
from regmirror.desired.ingress_controllers import WITHOUT_INGRESS_CLASS
from regmirror.desired.written_kinds import monitoring_resources
from regmirror.errors import ClusterError, ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import (
    HTTP_ROUTE,
    INGRESS,
    INGRESS_CLASS,
    MINIMUM_KUBERNETES,
    NAMESPACE,
    Cluster,
    Right,
)
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.ingress_class import find_class
from regmirror.workloads.routes import hosts_of


@dataclass(frozen=True, slots=True)
class PreflightStep:
    """One check, as a step that changes nothing."""

    name: str
    title: str
    check: Callable[[], Awaitable[Done]]
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:  # noqa: ARG002 - the title says what it waits for
        """Raises RegmirrorError if the check fails."""
        return await self.check()


def preflight_steps(connections: Connections, *, change_host: bool = False) -> list[PreflightStep]:
    """All checks, in the order in which they are reported; ``change_host`` allows another public host."""

    async def check_helm() -> Done:
        return await _check_helm(connections.helm)

    cluster = _in_thread("cluster", "Kubernetes", _check_version, connections, ())
    rights = _in_thread("rights", "Permissions", _check_rights, connections)
    prerequisites = prerequisite_steps(connections, change_host=change_host)
    return [cluster, rights, *prerequisites, PreflightStep("helm", "Helm", check_helm)]


def prerequisite_steps(connections: Connections, *, change_host: bool = False) -> list[PreflightStep]:
    """The checks of what others must provide in the cluster, and of what the namespace serves."""
    return [
        _in_thread("namespace", "Namespace", _check_namespace, connections),
        _in_thread("pods", "Pods", check_pods, connections),
        _public_endpoint(connections),
        _in_thread("host", "Public host", partial(_check_host, change_host=change_host), connections),
        _in_thread("certificate", "TLS certificate", _check_certificates, connections),
        *_monitoring(connections),
    ]


def _monitoring(connections: Connections) -> list[PreflightStep]:
    """What the cluster must provide for objects of the Prometheus Operator."""
    if not monitoring_resources(connections.mirror):
        return []
    return [_in_thread("monitoring", "Prometheus Operator", check_monitoring, connections)]


def _public_endpoint(connections: Connections) -> PreflightStep:
    """What the cluster must provide for the kind of public endpoint."""
    ingress = connections.mirror.ingress
    if ingress.service:
        return _in_thread("node-port", "Node port", check_node_port, connections)
    title = "Gateway" if ingress.gateway else "Ingress class"
    return _in_thread("ingress-class", title, _check_ingress_class, connections)


async def unmet_prerequisites(connections: Connections) -> list[tuple[PreflightStep, ConfigurationError]]:
    """The prerequisites that fail, in order, each with its error; raises ClusterError if the cluster fails."""
    steps: Sequence[PreflightStep] = prerequisite_steps(connections)
    results = await asyncio.gather(*(step.check() for step in steps), return_exceptions=True)
    unmet = []
    for step, result in zip(steps, results, strict=True):
        if isinstance(result, ConfigurationError):
            unmet.append((step, result))
        elif isinstance(result, BaseException):
            raise result
    return unmet


def _in_thread(
    name: str,
    title: str,
    check: Callable[[Mirror, Cluster], Done],
    connections: Connections,
    needs: tuple[str, ...] = ("cluster",),
) -> PreflightStep:
    return PreflightStep(
        name, title, lambda: asyncio.to_thread(check, connections.mirror, connections.cluster.blocking), needs
    )


def _check_version(_: Mirror, cluster: Cluster) -> Done:
    version = cluster.version()
    if version < MINIMUM_KUBERNETES:
        minimum = _dotted(MINIMUM_KUBERNETES)
        raise ClusterError(
            f"the cluster runs Kubernetes {_dotted(version)}, but {minimum} or newer is required",
            hint="upgrade the cluster, or use another --context",
        )
    return Done(f"{_dotted(version)}, context {cluster.context}")


def _check_rights(mirror: Mirror, cluster: Cluster) -> Done:
    require_rights(cluster, deploy_rights(mirror), "deploy")
    if cluster.get(NAMESPACE, mirror.namespace) is None and not cluster.may(Right("create", "", "namespaces")):
        raise PermissionDeniedError(
            f"namespace {mirror.namespace} does not exist, and the user of context {cluster.context} cannot create it",
            hint=f"ask an administrator to run: kubectl create namespace {mirror.namespace}",
        )
    return Done(f"namespace {mirror.namespace}")


def _check_namespace(mirror: Mirror, cluster: Cluster) -> Done:
    namespace = cluster.get(NAMESPACE, mirror.namespace)
    if namespace is None:
        return Done(f"{mirror.namespace} (will be created)")
    if namespace["metadata"].get("deletionTimestamp"):
        raise ConfigurationError(
            f"namespace {mirror.namespace} is being deleted",
            hint=f"wait until it is gone: kubectl get namespace {mirror.namespace}",
        )
    # Helm would refuse to adopt the objects of others, but only after the Secrets are changed.
    ensure_owned(cluster, mirror, "deploy")
    return Done(mirror.namespace)


def _check_ingress_class(mirror: Mirror, cluster: Cluster) -> Done:
    if mirror.ingress.gateway:
        return check_gateways(mirror, mirror.ingress.gateway, cluster)
    wanted = mirror.ingress.class_name
    if wanted in WITHOUT_INGRESS_CLASS:
        return Done(f"{wanted}, which has no IngressClass")
    try:
        classes = {item["metadata"]["name"]: item for item in cluster.select(INGRESS_CLASS)}
    except PermissionDeniedError:
        return Done(f"{wanted or 'default'} not checked: no permission", skipped=True)
    hint = "install an Ingress controller, or use a Gateway with ingress.gateway; the cluster has no IngressClass"
    if classes:
        hint = f"set ingress.className to one of: {', '.join(sorted(classes))}"
    found = find_class(wanted, list(classes.values()))
    if found is None:
        missing = "no default IngressClass" if wanted is None else f"no IngressClass {wanted}"
        key = "" if wanted is None else "ingress.className: "
        raise ConfigurationError(f"{key}the cluster has {missing}", hint=hint)
    return Done(str(found["metadata"]["name"]))


def _check_host(mirror: Mirror, cluster: Cluster, *, change_host: bool) -> Done:
    change = find_host_change(mirror, cluster)
    if change and not change_host:
        raise change.error(mirror.namespace)
    done = _check_uniqueness(mirror, cluster)
    return replace(done, detail=f"{done.detail} (replaces {', '.join(change.old)})") if change else done


def _check_uniqueness(mirror: Mirror, cluster: Cluster) -> Done:
    """Two routes for one host would share its requests: half of them with tokens of the other mirror."""
    hosts = {mirror.host_of(upstream) for upstream in mirror.upstreams}
    if mirror.ingress.service:
        return Done(", ".join(sorted(hosts)))
    kind = HTTP_ROUTE if mirror.ingress.gateway else INGRESS
    try:
        others = cluster.select(kind, everywhere=True)
    except PermissionDeniedError:
        return Done(f"{', '.join(sorted(hosts))} not compared with other namespaces: no permission", skipped=True)
    for other in others:
        where, name = other["metadata"]["namespace"], other["metadata"]["name"]
        taken = hosts & set(hosts_of(other))
        if taken and where != mirror.namespace:
            raise ConfigurationError(
                f"host: {taken.pop()} is already used by the {kind.kind} {name} in namespace {where}",
                hint=f"choose another host, or remove that {kind.kind}; see: "
                f"kubectl -n {where} get {kind.kind.lower()} {name}",
            )
    return Done(", ".join(sorted(hosts)))


def _check_certificates(mirror: Mirror, cluster: Cluster) -> Done:
    return check_certificates(mirror, cluster, datetime.now(UTC))


async def _check_helm(helm: Helm) -> Done:
    return Done(_dotted(await helm.version()))


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
