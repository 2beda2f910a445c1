"""The Helm values of a deployment, and the secrets that are available on this machine."""

from datetime import datetime
from typing import Any

from regmirror.deploy.resolve_secrets import resolve_secrets
from regmirror.desired import names
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import build_stack
from regmirror.errors import ClusterError
from regmirror.ports.cluster import SECRET
from regmirror.ports.connections import Connections


def rendered_values(connections: Connections, now: datetime) -> dict[str, Any]:
    """The values by release. Raises ClusterError if nothing is deployed: the signing key is missing."""
    live = {secret["metadata"]["name"]: secret for secret in connections.cluster.blocking.select(SECRET)}
    stack = build_stack(connections.mirror, _mirror_secrets(connections, now), live, now)
    return {release.name: release.values for release in stack.releases}


def local_secret_values(connections: Connections, now: datetime) -> set[str]:
    """The secrets that the configuration refers to; the cluster may have others, of an earlier deployment."""
    return set(_mirror_secrets(connections, now).passwords)


def _mirror_secrets(connections: Connections, now: datetime) -> MirrorSecrets:
    cluster = connections.cluster.blocking
    if cluster.get(SECRET, names.SIGNING_SECRET) is None:
        raise ClusterError(f"namespace {cluster.namespace} has no Secret {names.SIGNING_SECRET}: nothing is deployed")
    return resolve_secrets(cluster, connections.mirror, connections.resolver, connections.ca_bundles, now)
