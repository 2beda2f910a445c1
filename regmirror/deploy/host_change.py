"""Whether a deployment would replace the public host of the mirror that the namespace serves."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.secret_contents import SecretContentError, look_up, read_config, secret_data
from regmirror.errors import HostChangeError, PermissionDeniedError
from regmirror.ports.cluster import HTTP_ROUTE, INGRESS, SECRET, SERVICE, Cluster, Object

_SUFFIX = names.registry_secret("").removeprefix(names.PREFIX)


@dataclass(frozen=True, slots=True)
class HostChange:
    """The hosts that are served and would not be any more, and those that replace them; both sorted."""

    old: tuple[str, ...]
    new: tuple[str, ...]

    def error(self, namespace: str) -> HostChangeError:
        """The refusal of a change that was not requested."""
        return HostChangeError(
            f"host: namespace {namespace} serves {', '.join(self.old)}, which this file replaces with "
            f"{', '.join(self.new)}: clients of the old host would get 404",
            hint="to deploy another mirror, set another namespace in the file; to change the host of this mirror, run "
            "regmirror deploy --change-host",
        )


def find_host_change(mirror: Mirror, cluster: Cluster) -> HostChange | None:
    """The change, if an upstream gets another host or no host remains; None if the user may not read the Secrets.

    If a host remains, an upstream may be removed or renamed. Raises ClusterError.
    """
    wanted = {upstream.name: mirror.endpoint_of(upstream) for upstream in mirror.upstreams}
    served = _served_hosts(cluster)
    changed = {name for name, host in served.items() if wanted.get(name, host) != host}
    if served and not set(served.values()) & set(wanted.values()):
        changed = set(served)
    if not changed:
        return None
    old = {served[name] for name in changed}
    new = {wanted[name] for name in changed & wanted.keys()} or set(wanted.values())
    return HostChange(tuple(sorted(old)), tuple(sorted(new)))


def _served_hosts(cluster: Cluster) -> dict[str, str]:
    """The endpoint of each upstream according to its registry, if the cluster serves it."""
    try:
        hosts = registry_endpoints(cluster.select(SECRET, names.MANAGED_SELECTOR))
    except PermissionDeniedError:
        return {}
    return {name: host for name, host in hosts.items() if host and _is_routed(host, cluster)}


def _is_routed(endpoint: str, cluster: Cluster) -> bool:
    """Whether an Ingress, an HTTPRoute or the Service of ``ingress.service`` exists, as far as the user may know."""
    route = f"{names.INGRESS}-{endpoint.partition(':')[0]}"
    for kind, name in ((INGRESS, route), (HTTP_ROUTE, route), (SERVICE, names.INGRESS)):
        with suppress(PermissionDeniedError):
            if cluster.get(kind, name):
                return True
    return False


def registry_endpoints(secrets: Iterable[Object]) -> dict[str, str]:
    """The public endpoint of each upstream whose registry's Secret is among these; damaged Secrets are left out."""
    found = {_upstream_of(secret): _endpoint_of(secret) for secret in secrets if _is_registry_secret(secret)}
    return {name: endpoint for name, endpoint in found.items() if endpoint}


def _is_registry_secret(secret: Object) -> bool:
    labels = secret["metadata"].get("labels") or {}
    return labels == names.labels("registry") and secret["metadata"]["name"].endswith(_SUFFIX)


def _upstream_of(secret: Object) -> str:
    return str(secret["metadata"]["name"]).removeprefix(names.PREFIX).removesuffix(_SUFFIX)


def _endpoint_of(secret: Object) -> str:
    """The name by which the registry accepts tokens; empty if the Secret is damaged."""
    try:
        return str(look_up(read_config(secret_data(secret), "config.yml"), "auth", "token", "service") or "")
    except SecretContentError:
        return ""
