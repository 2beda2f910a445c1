"""What must be true before anything is changed: cluster, rights, Helm, Ingress class."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.errors import ClusterError, ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import (
    CLUSTER_ISSUER,
    INGRESS,
    INGRESS_CLASS,
    NAMESPACE,
    SECRET,
    Cluster,
    Kind,
    Object,
    Right,
    missing_rights,
)
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.minimum import MINIMUM_KUBERNETES

_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"
_WRITE = ("get", "list", "create", "patch", "update", "delete")
_SECRETS = ("", "secrets")
_WRITTEN = (
    _SECRETS,
    ("", "services"),
    ("", "configmaps"),
    ("apps", "deployments"),
    ("networking.k8s.io", "ingresses"),
)
_WRITTEN_WITH_REPLICAS = ("policy", "poddisruptionbudgets")
_READ = (
    # The mirror's own: a Role can give this right within the namespace.
    Right("get", "", "namespaces"),
    Right("list", "", "pods"),
    Right("get", "", "pods/log"),
    Right("list", "", "events"),
)


@dataclass(frozen=True, slots=True)
class Preflight:
    """One question to the world, as a step that changes nothing."""

    name: str
    title: str
    check: Callable[[], Awaitable[str]]
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:  # noqa: ARG002 - its title says what it waits for
        """Ask; raises RegmirrorError where the answer is no."""
        return Done(await self.check())


def deploy_rights(mirror: Mirror) -> list[Right]:
    """What ``deploy`` does in the namespace; Helm keeps its releases in Secrets, and deletes what a chart drops."""
    return [*(Right(verb, group, resource) for group, resource in _written(mirror) for verb in _WRITE), *_READ]


def _written(mirror: Mirror) -> list[tuple[str, str]]:
    several = mirror.auth.replicas > 1 or mirror.registry.replicas > 1
    return [*_WRITTEN, _WRITTEN_WITH_REPLICAS] if several else [*_WRITTEN]


def diff_rights(mirror: Mirror) -> list[Right]:
    """What ``diff`` asks of the namespace; a dry run needs the right to do it in earnest, as with kubectl."""
    written = [found for found in _written(mirror) if found != _SECRETS]
    applied = [Right(verb, group, resource) for group, resource in written for verb in ("get", "patch")]
    return [Right("get", *_SECRETS), Right("list", *_SECRETS), *applied, Right("get", "", "namespaces")]


def require_rights(cluster: Cluster, rights: list[Right], command: str) -> None:
    """Raises PermissionDeniedError, which names each missing permission of ``command``, unless the user has all."""
    missing = missing_rights(cluster, rights)
    if missing:
        hint = f"use another --context, or ask an administrator to grant them: regmirror rbac {command}"
        raise PermissionDeniedError(missing, hint=hint)


def preflight_steps(connections: Connections) -> list[Preflight]:
    """The questions in order."""

    async def in_thread(check: Callable[[Mirror, Cluster], str]) -> str:
        return await asyncio.to_thread(check, connections.mirror, connections.cluster.blocking)

    return [
        Preflight("cluster", "Kubernetes", lambda: in_thread(_check_version)),
        Preflight("rights", "Permissions", lambda: in_thread(_check_rights), ("cluster",)),
        Preflight("ingress-class", "Ingress", lambda: in_thread(_check_ingress), ("cluster",)),
        Preflight("host", "Public host", lambda: in_thread(_check_host), ("cluster",)),
        Preflight("certificate", "Certificate", lambda: in_thread(_check_certificate), ("cluster",)),
        Preflight("helm", "Helm", lambda: _check_helm(connections.helm)),
    ]


def _check_version(_: Mirror, cluster: Cluster) -> str:
    version = cluster.version()
    if version < MINIMUM_KUBERNETES:
        raise ClusterError(f"the cluster runs Kubernetes {_dotted(version)}; {_dotted(MINIMUM_KUBERNETES)} is needed")
    return f"{_dotted(version)}, context {cluster.context}"


def _check_rights(mirror: Mirror, cluster: Cluster) -> str:
    require_rights(cluster, deploy_rights(mirror), "deploy")
    if cluster.get(NAMESPACE, mirror.namespace) is None and not cluster.may(Right("create", "", "namespaces")):
        raise PermissionDeniedError(
            f"there is no namespace {mirror.namespace}, and the user of context {cluster.context} may not create it",
            hint=f"have it created: kubectl create namespace {mirror.namespace}",
        )
    return f"namespace {mirror.namespace}"


def _check_ingress(mirror: Mirror, cluster: Cluster) -> str:
    _check_issuer(mirror, cluster)
    wanted = mirror.ingress.class_name
    try:
        classes = {found["metadata"]["name"]: found for found in cluster.select(INGRESS_CLASS)}
    except PermissionDeniedError:
        return f"class {wanted or 'of the cluster'}, not looked at for lack of rights"
    known = f"the cluster has: {', '.join(sorted(classes)) or 'none'}"
    defaults = [name for name, found in classes.items() if _is_default(found)]
    if wanted is None and not defaults:
        raise ConfigurationError("the cluster has no default IngressClass", hint=f"set ingress.className; {known}")
    if wanted is not None and wanted not in classes:
        raise ConfigurationError(f"ingress.className: there is no IngressClass {wanted}", hint=known)
    return f"class {wanted or defaults[0]}"


def _is_default(ingress_class: Object) -> bool:
    return (ingress_class["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"


def _check_issuer(mirror: Mirror, cluster: Cluster) -> None:
    issuer = mirror.ingress.issuer
    if issuer is None:
        return
    try:
        found = cluster.get(Kind(CLUSTER_ISSUER.api_version, issuer.kind), issuer.name)
    except PermissionDeniedError:
        # cert-manager itself will say so in the Certificate's conditions.
        return
    if found is None:
        raise ConfigurationError(
            f"ingress.issuer: cert-manager has no {issuer.kind} {issuer.name}",
            hint="create it, or put a certificate into the Secret of ingress.tlsSecret and leave issuer out",
        )


def _check_host(mirror: Mirror, cluster: Cluster) -> str:
    """Two Ingresses of one host would share its requests: half of them with tokens of the other mirror."""
    try:
        found = cluster.select(INGRESS, everywhere=True)
    except PermissionDeniedError:
        return "not compared with other namespaces, for lack of rights"
    hosts = {mirror.host_of(upstream) for upstream in mirror.upstreams}
    for ingress in found:
        where = ingress["metadata"]["namespace"]
        taken = hosts & {rule.get("host") for rule in ingress["spec"].get("rules") or []}
        if taken and where != mirror.namespace:
            raise ConfigurationError(
                f"host: {taken.pop()} is taken by the Ingress {ingress['metadata']['name']} of namespace {where}",
                hint=f"choose another host, or remove that one: kubectl -n {where} get ingress",
            )
    return ", ".join(sorted(hosts))


def _check_certificate(mirror: Mirror, cluster: Cluster) -> str:
    """Without it the Ingress controller serves a certificate of its own, which no client trusts."""
    names = [name for upstream in mirror.upstreams if (name := mirror.tls_secret_of(upstream))]
    if not names:
        return "the Ingress controller's own"
    if mirror.ingress.issuer:
        return f"by {mirror.ingress.issuer.kind} {mirror.ingress.issuer.name}"
    for name in names:
        if cluster.get(SECRET, name) is None:
            space = mirror.namespace
            raise ConfigurationError(
                f"ingress.tlsSecret: namespace {space} has no Secret {name} with the certificate of the public host",
                hint=f"kubectl create namespace {space}; "
                f"kubectl -n {space} create secret tls {name} --cert=tls.crt --key=tls.key; or set ingress.issuer",
            )
    return f"Secret {', '.join(names)}"


async def _check_helm(helm: Helm) -> str:
    return _dotted(await helm.version())


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
