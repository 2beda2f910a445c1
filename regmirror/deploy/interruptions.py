"""Which changes of the file interrupt pulls, for the warning before a deployment; all others do not."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

from regmirror.config.model import Mirror
from regmirror.deploy.diff_changes import kind_of
from regmirror.deploy.steps import DesiredState
from regmirror.desired import names
from regmirror.desired.secret_contents import SecretContentError, look_up, read_config, secret_data
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import INGRESS, SECRET, SERVICE, Object

_CONFIG = "auth_config.yml"


async def interruptions(desired: DesiredState, cluster: AsyncCluster) -> list[str]:
    """A sentence for each change that makes pulls fail: which one, and for how long. Raises ClusterError."""
    (wanted,) = (secret for secret in desired.stack.secrets if secret["metadata"]["name"] == names.AUTH_SECRET)
    live = await cluster.get(SECRET, names.AUTH_SECRET)
    ingresses = [found for found in desired.rendered[names.INGRESS] if kind_of(found) == INGRESS]
    current = await asyncio.gather(*(cluster.get(INGRESS, found["metadata"]["name"]) for found in ingresses))
    return [
        *_issuer(_config(live), _config(wanted)),
        *_hosts(_config(live), _config(wanted)),
        *_ingress_class(current, ingresses),
        *await _kind_of_endpoint(desired.mirror, cluster),
    ]


async def _kind_of_endpoint(mirror: Mirror, cluster: AsyncCluster) -> list[str]:
    """Clients reach an Ingress and a Service at different addresses."""
    old, new = "the Ingress", "the Service"
    live = [await cluster.get(INGRESS, f"{names.INGRESS}-{mirror.host_of(upstream)}") for upstream in mirror.upstreams]
    if not mirror.ingress.service:
        old, new, live = new, old, [await cluster.get(SERVICE, names.INGRESS)]
    if not any(live):
        return []
    return [f"{new} replaces {old} as the public endpoint: pulls fail until clients reach the address of {new}"]


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


def _config(secret: Object | None) -> dict[str, Any]:
    """docker_auth's configuration; empty if there is none, or if it was edited beyond recognition."""
    try:
        return read_config(secret_data(secret or {}), _CONFIG)
    except (SecretContentError, ValueError):
        return {}
