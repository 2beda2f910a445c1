"""What a namespace contains of a mirror: what is removed, and what is kept because others created it."""

import asyncio
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.gitops import ensure_removable
from regmirror.deploy.prune import our_releases
from regmirror.desired import names
from regmirror.destroy.namespace import VOLUME_CLAIM, NamespaceDecision, decide_namespace
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import LEASE, POD, SECRET, Cluster
from regmirror.ports.connections import Connections


@dataclass(frozen=True, slots=True)
class Inventory:
    """By name; ``kept`` has sentences."""

    releases: tuple[str, ...]
    draining: tuple[str, ...]
    """Names of releases that do not exist, but still have pods."""
    secrets: tuple[str, ...]
    leases: tuple[str, ...]
    namespace: NamespaceDecision
    kept: tuple[str, ...]
    """Apart from the bucket."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the mirror is left in the cluster."""
        return not (self.releases or self.draining or self.secrets or self.leases or self.namespace.is_removed)

    @property
    def removed(self) -> list[str]:
        """Everything that is removed, one line each."""
        return [
            *(f"Helm release {name}, with its pods" for name in self.releases),
            *(f"Pods of {name}, which has no Helm release" for name in self.draining),
            *(f"Secret {name}" for name in self.secrets),
            *(f"Lease {name}" for name in self.leases),
            *([f"Namespace {self.namespace.name}"] if self.namespace.is_removed else []),
        ]


async def take_inventory(connections: Connections) -> Inventory:
    """Read everything; nothing is changed. Raises HelmError, ClusterError or ManagedByGitOpsError."""
    cluster = connections.cluster
    listed, secrets, lease, pods, namespace = await asyncio.gather(
        connections.helm.releases(),
        cluster.select(SECRET, names.MANAGED_SELECTOR),
        cluster.get(LEASE, names.CHANGE_LEASE),
        cluster.select(POD, "app.kubernetes.io/part-of=regmirror"),
        cluster.run(decide_namespace),
    )
    releases = our_releases(listed)
    await cluster.run(ensure_removable, connections.mirror, releases)
    instances = {str(pod["metadata"]["labels"].get("app.kubernetes.io/instance", "")) for pod in pods}
    draining = sorted(name for name in instances - set(releases) if name.startswith(names.PREFIX))
    return Inventory(
        tuple(releases),
        tuple(draining),
        tuple(sorted({secret["metadata"]["name"] for secret in secrets} - set(_certificates(connections.mirror)))),
        (names.CHANGE_LEASE,) if lease else (),
        namespace,
        tuple(await cluster.run(_kept, connections.mirror, namespace)),
    )


def _certificates(mirror: Mirror) -> list[str]:
    """The Secrets with the public certificates, unless deploy issued them."""
    return [] if mirror.ingress.self_signed else sorted(mirror.tls_secrets)


def _kept(cluster: Cluster, mirror: Mirror, namespace: NamespaceDecision) -> list[str]:
    """What the mirror uses but others created, and what it never had."""
    found = [name for name in _certificates(mirror) if cluster.get(SECRET, name)]
    lines = [f"Secret {name}: the public certificate" for name in found]
    try:
        claims = ", ".join(sorted(claim["metadata"]["name"] for claim in cluster.select(VOLUME_CLAIM)))
    except PermissionDeniedError:
        claims = ""
    lines.append(f"volumes: {claims}, which are not part of the mirror" if claims else "volumes: the mirror has none")
    if namespace.exists and not namespace.is_removed:
        lines.append(f"Namespace {namespace.name}: {namespace.reason}")
    return lines
