"""What a namespace contains of a mirror: what is removed, and what is kept because others created it."""

import asyncio
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.gitops import ensure_removable
from regmirror.deploy.prune import our_releases
from regmirror.desired import names
from regmirror.destroy.namespace import NamespaceDecision, decide_namespace
from regmirror.destroy.volumes import claims_of_mirror, has_logins, has_own_volumes, is_of_mirror
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import LEASE, POD, SECRET, VOLUME_CLAIM, Cluster
from regmirror.ports.connections import Connections

_CONTENTS = {names.USERS_SECRET: ", with every account of regmirror user"}
"""By name of a Secret: what else is lost with it."""


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
    purged_volumes: tuple[str, ...] = ()
    """Names of PersistentVolumeClaims that are removed with their data."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the mirror is left in the cluster."""
        found = (self.releases, self.draining, self.secrets, self.leases, self.purged_volumes)
        return not (any(found) or self.namespace.is_removed)

    @property
    def removed(self) -> list[str]:
        """Everything that is removed, one line each."""
        return [
            *(f"Helm release {name}, with its pods" for name in self.releases),
            *(f"Pods of {name}, which has no Helm release" for name in self.draining),
            *(f"Secret {name}{_CONTENTS.get(name, '')}" for name in self.secrets),
            *(f"Lease {name}" for name in self.leases),
            *(f"PersistentVolumeClaim {name}, with the data of this mirror" for name in self.purged_volumes),
            *([f"Namespace {self.namespace.name}"] if self.namespace.is_removed else []),
        ]


async def take_inventory(connections: Connections, *, purge_volumes: bool = False) -> Inventory:
    """Read everything; nothing is changed. Raises HelmError, ClusterError or ManagedByGitOpsError."""
    cluster = connections.cluster
    purged = tuple(await cluster.run(claims_of_mirror)) if purge_volumes else ()
    listed, secrets, lease, pods, namespace = await asyncio.gather(
        connections.helm.releases(),
        cluster.select(SECRET, names.MANAGED_SELECTOR),
        cluster.get(LEASE, names.CHANGE_LEASE),
        cluster.select(POD, "app.kubernetes.io/part-of=regmirror"),
        cluster.run(decide_namespace, purged),
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
        tuple(await cluster.run(_kept, connections.mirror, namespace, purged)),
        purged,
    )


def _certificates(mirror: Mirror) -> list[str]:
    """The Secrets with the public certificates, unless deploy issued them."""
    return [] if mirror.ingress.self_signed else sorted(mirror.tls_secrets)


def _kept(cluster: Cluster, mirror: Mirror, namespace: NamespaceDecision, purged_volumes: tuple[str, ...]) -> list[str]:
    """What the mirror uses but others created, and what it never had."""
    found = [name for name in _certificates(mirror) if cluster.get(SECRET, name)]
    lines = [f"Secret {name}: the public certificate" for name in found]
    lines += _kept_volumes(cluster, mirror, purged_volumes)
    if namespace.exists and not namespace.is_removed:
        lines.append(f"Namespace {namespace.name}: {namespace.reason}")
    return lines


def _kept_volumes(cluster: Cluster, mirror: Mirror, purged: tuple[str, ...]) -> list[str]:
    """The volumes in the namespace: those with the data of the mirror, and those of others."""
    try:
        found = [claim for claim in cluster.select(VOLUME_CLAIM) if not has_logins(claim)]
        claims = [claim for claim in found if claim["metadata"]["name"] not in purged]
    except PermissionDeniedError:
        claims = []
    own = sorted(claim["metadata"]["name"] for claim in claims if is_of_mirror(claim))
    others = sorted(claim["metadata"]["name"] for claim in claims if not is_of_mirror(claim))
    lines = [f"PersistentVolumeClaim {name}: the data of this mirror" for name in own]
    if others:
        lines.append(f"volumes: {', '.join(others)}, which are not part of the mirror")
    elif not (own or purged or has_own_volumes(mirror)):
        lines.append("volumes: the mirror has none")
    return lines
