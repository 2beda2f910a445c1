"""Which changes of the file interrupt pulls, for the warning before a deployment; all others do not."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from regmirror.config.model import Mirror
from regmirror.deploy.diff_changes import kind_of
from regmirror.deploy.steps import DesiredState
from regmirror.desired import names
from regmirror.desired.secret_contents import SecretContentError, look_up, read_config, secret_data
from regmirror.errors import PermissionDeniedError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import HTTP_ROUTE, INGRESS, SECRET, SERVICE, Kind, Object
from regmirror.workloads.routes import hosts_of

_CONFIG = "auth_config.yml"
_REGISTRY_CONFIG = "config.yml"
_NAMES = {INGRESS: "an Ingress", HTTP_ROUTE: "a Gateway"}


async def interruptions(desired: DesiredState, cluster: AsyncCluster) -> list[str]:
    """A sentence for each change that makes pulls fail: which one, and for how long. Raises ClusterError."""
    if desired.mirror.auth.external:
        return await _another_docker_auth(desired.mirror, cluster)
    (wanted,) = (secret for secret in desired.stack.secrets if secret["metadata"]["name"] == names.AUTH_SECRET)
    live = await cluster.get(SECRET, names.AUTH_SECRET)
    ingresses = [found for found in desired.rendered[names.INGRESS] if kind_of(found) == INGRESS]
    current = await asyncio.gather(*(cluster.get(INGRESS, found["metadata"]["name"]) for found in ingresses))
    return [
        *_issuer(_config(live), _config(wanted)),
        *_hosts(_config(live), _config(wanted)),
        *_ingress_class(current, ingresses),
        *await _other_kind(desired.rendered[names.INGRESS], cluster),
        *await _service_or_not(desired.mirror, cluster),
    ]


async def _another_docker_auth(mirror: Mirror, cluster: AsyncCluster) -> list[str]:
    """A sentence if the registries will send clients elsewhere for tokens."""
    live = await asyncio.gather(*(cluster.get(SECRET, names.registry_secret(u.name)) for u in mirror.upstreams))
    realms = {str(look_up(_config(secret, _REGISTRY_CONFIG), "auth", "token", "realm")) for secret in live if secret}
    wanted = {mirror.realm_of(upstream) for upstream in mirror.upstreams}
    others = ", ".join(sorted(realms - wanted - {"None"}))
    reason = "pulls fail for some seconds while the pods are replaced, longer with several replicas"
    return [f"clients get tokens from {', '.join(wanted)} instead of {others}: {reason}"] if others else []


async def _other_kind(wanted: Iterable[Object], cluster: AsyncCluster) -> list[str]:
    """A change from an Ingress to an HTTPRoute of the same host, or back: another controller serves it."""
    others = {INGRESS: HTTP_ROUTE, HTTP_ROUTE: INGRESS}
    warnings = []
    for route in wanted:
        other, name = others.get(kind_of(route)), route["metadata"]["name"]
        if other and await _exists(other, name, cluster):
            warnings.append(
                f"{', '.join(hosts_of(route))} moves from {_NAMES[other]} to {_NAMES[kind_of(route)]}: pulls fail "
                "until DNS points to the new address"
            )
    return warnings


async def _exists(kind: Kind, name: str, cluster: AsyncCluster) -> bool:
    """Whether an object exists; what the user may not read was not deployed by this user."""
    try:
        return await cluster.get(kind, name) is not None
    except PermissionDeniedError:
        return False


async def _service_or_not(mirror: Mirror, cluster: AsyncCluster) -> list[str]:
    """A change from an Ingress or an HTTPRoute to a Service, or back."""
    routes = [f"{names.INGRESS}-{mirror.host_of(upstream)}" for upstream in mirror.upstreams]
    route = _NAMES[HTTP_ROUTE if mirror.ingress.gateway else INGRESS]
    if mirror.ingress.service:
        found = [kind for kind in _NAMES for name in routes if await _exists(kind, name, cluster)]
        moves = f"from {_NAMES[found[0]]} to a Service" if found else ""
    else:
        moves = f"from a Service to {route}" if await _exists(SERVICE, names.INGRESS, cluster) else ""
    hosts = ", ".join(dict.fromkeys(mirror.host_of(upstream) for upstream in mirror.upstreams))
    return [f"{hosts} moves {moves}: pulls fail until DNS points to the new address"] if moves else []


def _issuer(live: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    old, new = (look_up(config, "token", "issuer") for config in (live, wanted))
    if old and old != new:
        yield (
            f"auth.issuer changes from {old} to {new}: pulls fail for some seconds while the pods are replaced, "
            "longer with several replicas"
        )


def _hosts(live: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    """The hosts that docker_auth issues tokens for, and will not any more."""
    remaining = set(_services(wanted))
    for host in sorted(set(_services(live)) - remaining):
        yield f"https://{host} is no longer served: its pulls fail until the clients are set up again with another host"


def _services(config: dict[str, Any]) -> Iterator[str]:
    rules = config.get("acl")
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(service := look_up(rule, "match", "service"), str):
            yield service


def _ingress_class(live: Iterable[Object | None], wanted: Iterable[Object]) -> Iterator[str]:
    pairs = zip(live, wanted, strict=True)
    classes = {tuple(look_up(found, "spec", "ingressClassName") for found in pair) for pair in pairs}
    for old, new in sorted((old, new) for old, new in classes if old and new and old != new):
        yield (
            f"ingress.className changes from {old} to {new}: pulls fail until DNS points to the Ingress controller "
            f"of class {new}"
        )


def _config(secret: Object | None, key: str = _CONFIG) -> dict[str, Any]:
    """A configuration; empty if there is none, or if it was edited beyond recognition."""
    try:
        return read_config(secret_data(secret or {}), key)
    except (SecretContentError, ValueError):
        return {}
