"""What must be true before anything is changed: the cluster, permissions, Ingress, certificate, Helm."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from regmirror.config.model import Mirror
from regmirror.deploy.gitops import ensure_owned
from regmirror.deploy.host_change import find_host_change
from regmirror.deploy.pod_prerequisites import check_pods
from regmirror.deploy.resolve_secrets import secret_value
from regmirror.deploy.rights import deploy_rights, require_rights
from regmirror.errors import ClusterError, ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import (
    CLUSTER_ISSUER,
    CUSTOM_RESOURCE_DEFINITION,
    INGRESS,
    INGRESS_CLASS,
    MINIMUM_KUBERNETES,
    NAMESPACE,
    SECRET,
    Cluster,
    Kind,
    Object,
    Right,
)
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.signing.host_certificate import is_for_host, load_host_certificate
from regmirror.steps.step import Done, Waiting

_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


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
        _in_thread("ingress-class", "Ingress class", _check_ingress_class, connections),
        _in_thread("host", "Public host", partial(_check_host, change_host=change_host), connections),
        _in_thread("certificate", "TLS certificate", _check_certificate, connections),
    ]


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
    wanted = mirror.ingress.class_name
    try:
        classes = {item["metadata"]["name"]: item for item in cluster.select(INGRESS_CLASS)}
    except PermissionDeniedError:
        return Done(f"{wanted or 'default'} not checked: no permission", skipped=True)
    hint = "install an Ingress controller; the cluster has no IngressClass"
    if classes:
        hint = f"set ingress.className to one of: {', '.join(sorted(classes))}"
    defaults = [name for name, item in classes.items() if _is_default(item)]
    if wanted is None and not defaults:
        raise ConfigurationError("the cluster has no default IngressClass", hint=hint)
    if wanted is not None and wanted not in classes:
        raise ConfigurationError(f"ingress.className: the cluster has no IngressClass {wanted}", hint=hint)
    return Done(wanted or defaults[0])


def _is_default(ingress_class: Object) -> bool:
    return (ingress_class["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"


def _check_host(mirror: Mirror, cluster: Cluster, *, change_host: bool) -> Done:
    change = find_host_change(mirror, cluster)
    if change and not change_host:
        raise change.error(mirror.namespace)
    done = _check_uniqueness(mirror, cluster)
    return replace(done, detail=f"{done.detail} (replaces {', '.join(change.old)})") if change else done


def _check_uniqueness(mirror: Mirror, cluster: Cluster) -> Done:
    """Two Ingresses for one host would share its requests: half of them with tokens of the other mirror."""
    hosts = {mirror.host_of(upstream) for upstream in mirror.upstreams}
    try:
        ingresses = cluster.select(INGRESS, everywhere=True)
    except PermissionDeniedError:
        return Done(f"{', '.join(sorted(hosts))} not compared with other namespaces: no permission", skipped=True)
    for ingress in ingresses:
        where = ingress["metadata"]["namespace"]
        taken = hosts & {rule.get("host") for rule in ingress["spec"].get("rules") or []}
        if taken and where != mirror.namespace:
            name = ingress["metadata"]["name"]
            raise ConfigurationError(
                f"host: {taken.pop()} is already used by the Ingress {name} in namespace {where}",
                hint=f"choose another host, or remove that Ingress; see: kubectl -n {where} get ingress {name}",
            )
    return Done(", ".join(sorted(hosts)))


def _check_certificate(mirror: Mirror, cluster: Cluster) -> Done:
    """Without it, the Ingress controller serves a default certificate that no client trusts."""
    if mirror.ingress.issuer:
        return _check_issuer(mirror.ingress.issuer.kind, mirror.ingress.issuer.name, cluster)
    secrets = {mirror.host_of(u): secret for u in mirror.upstreams if (secret := mirror.tls_secret_of(u))}
    for host, secret in secrets.items():
        _check_tls_secret(secret, host, cluster)
    return Done(f"Secret {', '.join(dict.fromkeys(secrets.values()))}" if secrets else "from the Ingress controller")


def _check_issuer(kind: str, name: str, cluster: Cluster) -> Done:
    try:
        if cluster.get(Kind(CLUSTER_ISSUER.api_version, kind), name):
            return Done(f"from {kind} {name}")
        has_cert_manager = cluster.get(CUSTOM_RESOURCE_DEFINITION, f"{kind.lower()}s.cert-manager.io") is not None
    except PermissionDeniedError:
        return Done(f"{kind} {name} not checked: no permission", skipped=True)
    alternative = "or remove ingress.issuer and create the Secret that ingress.tlsSecret names"
    if not has_cert_manager:
        raise ConfigurationError(
            f"ingress.issuer: {kind} {name} needs cert-manager, which is not installed",
            hint=f"install cert-manager, {alternative}",
        )
    raise ConfigurationError(
        f"ingress.issuer: cert-manager has no {kind} {name}", hint=f"create the {kind} {name}, {alternative}"
    )


def _check_tls_secret(name: str, host: str, cluster: Cluster) -> None:
    kubectl = f"kubectl -n {cluster.namespace}"
    create = f"{kubectl} create secret tls {name} --cert=tls.crt --key=tls.key"
    secret = cluster.get(SECRET, name)
    if secret is None:
        # Only a missing namespace has to be created first.
        first = "" if cluster.get(NAMESPACE, cluster.namespace) else f"kubectl create namespace {cluster.namespace}; "
        raise ConfigurationError(
            f"ingress.tlsSecret: namespace {cluster.namespace} has no Secret {name} with a certificate for {host}",
            hint=f"{first}{create}; or set ingress.issuer",
        )
    replace = f"replace it: {create} --dry-run=client -o yaml | {kubectl} apply -f -"
    certificate = load_host_certificate(secret_value(secret, "tls.crt"))
    if certificate is None:
        raise ConfigurationError(f"ingress.tlsSecret: tls.crt in Secret {name} is not a certificate", hint=replace)
    if not is_for_host(certificate, host):
        raise ConfigurationError(
            f"ingress.tlsSecret: the certificate in Secret {name} is not valid for {host}", hint=replace
        )


async def _check_helm(helm: Helm) -> Done:
    return Done(_dotted(await helm.version()))


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
