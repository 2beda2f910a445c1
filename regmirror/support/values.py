"""The values that a deployment would give to Helm now, and the secrets that this machine knows for it."""

from datetime import datetime
from typing import Any

from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.resolve_secrets import resolve_secrets
from regmirror.desired import names
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import build_stack
from regmirror.errors import ClusterError
from regmirror.ports.cluster import SECRET, Cluster


def rendered_values(mirror: Mirror, cluster: Cluster, resolver: SecretResolver, now: datetime) -> dict[str, Any]:
    """The values by release. Raises ClusterError where nothing is deployed: there is no signing key to go by."""
    live = {secret["metadata"]["name"]: secret for secret in cluster.select(SECRET)}
    stack = build_stack(mirror, _mirror_secrets(mirror, cluster, resolver, now), live, now)
    return {release.name: release.values for release in stack.releases}


def known_here(mirror: Mirror, cluster: Cluster, resolver: SecretResolver, now: datetime) -> set[str]:
    """The secrets that the configuration refers to; the cluster may have others, from an earlier deployment."""
    mirror_secrets = _mirror_secrets(mirror, cluster, resolver, now)
    accounts = [account for account in (mirror_secrets.s3, *mirror_secrets.upstreams.values()) if account]
    secrets = [mirror_secrets.redis_password, *(account.password for account in accounts)]
    return {secret.get_secret_value() for secret in secrets}


def _mirror_secrets(mirror: Mirror, cluster: Cluster, resolver: SecretResolver, now: datetime) -> MirrorSecrets:
    if cluster.get(SECRET, names.SIGNING_SECRET) is None:
        raise ClusterError(f"namespace {cluster.namespace} has no Secret {names.SIGNING_SECRET}: nothing is deployed")
    return resolve_secrets(mirror, cluster, resolver, now)
