"""What there is of a mirror in its namespace: what goes, and what stays because others have made it."""

import asyncio
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.prune import our_releases
from regmirror.desired import names
from regmirror.destroy.namespace import VOLUME_CLAIM, Fate, fate_of
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import LEASE, POD, SECRET, Cluster
from regmirror.ports.connections import Connections


@dataclass(frozen=True, slots=True)
class Inventory:
    """By name; ``stays`` has sentences."""

    releases: tuple[str, ...]
    draining: tuple[str, ...]
    """Releases that are gone, while pods of theirs still end."""
    secrets: tuple[str, ...]
    leases: tuple[str, ...]
    namespace: Fate
    stays: tuple[str, ...]
    """Beside the bucket."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing of the mirror is left in the cluster."""
        return not (self.releases or self.draining or self.secrets or self.leases or self.namespace.goes)

    @property
    def goes(self) -> list[str]:
        """Everything that is to go, one line each, in the order in which it goes."""
        return [
            *(f"Helm release {name}, with its pods" for name in (*self.releases, *self.draining)),
            *(f"Secret {name}" for name in self.secrets),
            *(f"Lease {name}" for name in self.leases),
            *([f"Namespace {self.namespace.name}"] if self.namespace.goes else []),
        ]


async def take_inventory(connections: Connections) -> Inventory:
    """Look at everything; nothing is changed. Raises HelmError or ClusterError."""
    cluster = connections.cluster
    listed, secrets, lease, pods, namespace = await asyncio.gather(
        connections.helm.releases(),
        cluster.select(SECRET, names.MANAGED_SELECTOR),
        cluster.get(LEASE, names.ROTATION_LEASE),
        cluster.select(POD, "app.kubernetes.io/part-of=regmirror"),
        cluster.run(fate_of),
    )
    releases = our_releases(listed)
    instances = {str(pod["metadata"]["labels"].get("app.kubernetes.io/instance", "")) for pod in pods}
    draining = sorted(name for name in instances - set(releases) if name.startswith(names.PREFIX))
    return Inventory(
        tuple(releases),
        tuple(draining),
        tuple(sorted(secret["metadata"]["name"] for secret in secrets)),
        (names.ROTATION_LEASE,) if lease else (),
        namespace,
        tuple(await cluster.run(_stays, connections.mirror, namespace)),
    )


def _stays(cluster: Cluster, mirror: Mirror, namespace: Fate) -> list[str]:
    """What others have made and the mirror uses, and what it never had."""
    certificates = sorted({name for upstream in mirror.upstreams if (name := mirror.tls_secret_of(upstream))})
    lines = [f"Secret {name}: the public certificate" for name in certificates if cluster.get(SECRET, name)]
    try:
        claims = ", ".join(sorted(found["metadata"]["name"] for found in cluster.select(VOLUME_CLAIM)))
    except PermissionDeniedError:
        claims = ""
    lines.append(f"volumes: {claims}, which others claim" if claims else "volumes: the mirror has none")
    if namespace.exists and not namespace.goes:
        lines.append(f"Namespace {namespace.name}: {namespace.reason}")
    return lines
