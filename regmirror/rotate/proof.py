"""What must be seen of every single pod before the next change is safe."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from regmirror.errors import ClusterError, RotationError
from regmirror.ports.cluster import Cluster
from regmirror.rotate.clock import Clock
from regmirror.rotate.pod_requests import accepts, issued_token
from regmirror.rotate.state import ObservedState, Service, Workload, id_of
from regmirror.signing.key_pair import KeyPair
from regmirror.signing.tokens import Claims, sign_token

T = TypeVar("T")

MAXIMUM_SKEW = timedelta(seconds=30)
"""Half of what the registry forgives: beyond it our own reckoning of when tokens expire means nothing."""
_TRIES = 5


async def prove_registries(cluster: Cluster, live: ObservedState, pair: KeyPair, clock: Clock) -> int:
    """See every registry pod accept a token of this key; gives the number of pods. Raises RotationError."""
    pods = list(_pods(live.registries))
    for workload, pod in pods:
        token = signed(pair, live.service_of(workload), clock)
        if not await _answered(lambda pod=pod, token=token: accepts(cluster, pod, token), clock):  # type: ignore[misc]
            raise RotationError(
                f"the registry pod {pod} refuses a token of the key {id_of(pair)}",
                hint=f"have it replaced, then run the command again: kubectl -n {cluster.namespace} delete pod {pod}",
            )
    return len(pods)


async def prove_auth(cluster: Cluster, live: ObservedState, pair: KeyPair, clock: Clock) -> int:
    """See every docker_auth pod sign by this key, with a clock like ours; gives the number of pods.

    Raises RotationError.
    """
    wanted, service = id_of(pair), live.service_of(live.registries[0]).service
    pods = list(_pods((live.auth,)))
    for _, pod in pods:
        token = await _answered(lambda pod=pod: issued_token(cluster, pod, service), clock)  # type: ignore[misc]
        if token.header.get("kid") != wanted or not token.is_signed_by(pair.private_key.public_key()):
            raise RotationError(
                f"the docker_auth pod {pod} signs by the key {token.header.get('kid')} instead of {wanted}",
                hint=f"have it replaced, then run the command again: kubectl -n {cluster.namespace} delete pod {pod}",
            )
        skew = abs(clock.now().timestamp() - float(token.claims.get("iat") or 0))
        if skew > MAXIMUM_SKEW.total_seconds():
            raise RotationError(
                f"the clocks of this machine and of pod {pod} differ by {skew:.0f} seconds",
                hint="set both by NTP, then run the command again",
            )
    return len(pods)


def _pods(workloads: tuple[Workload, ...]) -> Iterator[tuple[Workload, str]]:
    for workload in workloads:
        if not workload.ready:
            raise RotationError(f"{workload.release} has no pod that is ready", hint="find out why: regmirror verify")
        yield from ((workload, pod) for pod in workload.ready)


def signed(pair: KeyPair, service: Service, clock: Clock) -> str:
    """A token without any rights for one registry, signed by a key; valid for a minute."""
    claims = Claims(
        service.issuer, service.service, "regmirror", (), clock.now(), timedelta(minutes=1), secrets.token_hex(8)
    )
    return sign_token(claims, pair.private_key)


async def _answered(ask: Callable[[], T], clock: Clock) -> T:
    """The answer; a connection through the API server may break once or twice."""
    for _ in range(_TRIES - 1):
        try:
            return await asyncio.to_thread(ask)
        except ClusterError:
            await clock.sleep(1)
    return await asyncio.to_thread(ask)
