"""The values that a deployment would give to Helm now, and the secrets that this machine knows for it."""

from datetime import datetime
from typing import Any

from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.find_material import find_material
from regmirror.errors import ClusterError
from regmirror.ports.cluster import SECRET, Cluster
from regmirror.stack import names
from regmirror.stack.material import Material
from regmirror.stack.releases import build_stack


def rendered_values(mirror: Mirror, cluster: Cluster, resolver: SecretResolver, now: datetime) -> dict[str, Any]:
    """The values by release. Raises ClusterError where nothing is deployed: there is no signing key to go by."""
    live = {secret["metadata"]["name"]: secret for secret in cluster.select(SECRET)}
    stack = build_stack(mirror, _material(mirror, cluster, resolver, now), live, now)
    return {release.name: release.values for release in stack.releases}


def known_here(mirror: Mirror, cluster: Cluster, resolver: SecretResolver, now: datetime) -> set[str]:
    """The secrets that the configuration refers to; the cluster may have others, from an earlier deployment."""
    material = _material(mirror, cluster, resolver, now)
    accounts = [account for account in (material.s3, *material.upstreams.values()) if account]
    secrets = [material.redis_password, *(account.password for account in accounts)]
    return {secret.get_secret_value() for secret in secrets}


def _material(mirror: Mirror, cluster: Cluster, resolver: SecretResolver, now: datetime) -> Material:
    if cluster.get(SECRET, names.SIGNING_SECRET) is None:
        raise ClusterError(f"namespace {cluster.namespace} has no Secret {names.SIGNING_SECRET}: nothing is deployed")
    return find_material(mirror, cluster, resolver, now)
