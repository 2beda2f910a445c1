"""What must hold for every single pod before the next change is safe; each pod is asked directly, by port-forward.

A Service would forward the request to any one of the pods.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlencode

from regmirror.desired import names
from regmirror.distribution.client import request_headers
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.errors import ClusterError, RotationError
from regmirror.ports.cluster import Cluster
from regmirror.rotate.state import ObservedState, RunningWorkload, TokenService, id_of
from regmirror.signing.key_pair import KeyPair
from regmirror.signing.tokens import Claims, Token, decode_token, sign_token
from regmirror.steps.clock import Clock

T = TypeVar("T")

MAXIMUM_SKEW = timedelta(seconds=30)
"""Half of the registry's leeway: beyond it, our own calculation of when tokens expire is wrong."""
_TRIES = 5


async def check_registries(cluster: Cluster, live: ObservedState, pair: KeyPair, clock: Clock) -> int:
    """Check that every registry pod accepts a token of this key; returns the number of pods. Raises RotationError."""
    pods = list(_ready_pods(live.registries))
    for workload, pod in pods:
        token = sign_test_token(pair, live.token_service(workload), clock)
        if not await _retry(lambda pod=pod, token=token: pod_accepts(cluster, pod, token), clock):  # type: ignore[misc]
            raise RotationError(
                f"the registry pod {pod} refuses a token of the key {id_of(pair)}", hint=_replace_pod(cluster, pod)
            )
    return len(pods)


async def check_auth(cluster: Cluster, live: ObservedState, pair: KeyPair, clock: Clock) -> int:
    """Check that every docker_auth pod signs with this key and has a clock like ours; returns the number of pods.

    Raises RotationError.
    """
    wanted, service = id_of(pair), live.token_service(live.registries[0]).service
    pods = list(_ready_pods((live.auth,)))
    for _, pod in pods:
        token = await _retry(lambda pod=pod: issued_token(cluster, pod, service), clock)  # type: ignore[misc]
        if token.header.get("kid") != wanted or not token.is_signed_by(pair.private_key.public_key()):
            raise RotationError(
                f"the docker_auth pod {pod} signs with the key {token.header.get('kid')} instead of {wanted}",
                hint=_replace_pod(cluster, pod),
            )
        skew = abs(clock.now().timestamp() - float(token.claims.get("iat") or 0))
        if skew > MAXIMUM_SKEW.total_seconds():
            raise RotationError(
                f"the clocks of this machine and of pod {pod} differ by {skew:.0f} seconds",
                hint="synchronize both clocks with NTP",
            )
    return len(pods)


def sign_test_token(pair: KeyPair, service: TokenService, clock: Clock) -> str:
    """A token without any access for one registry, signed with a key; valid for a minute."""
    claims = Claims(
        service.issuer, service.service, "regmirror", (), clock.now(), timedelta(minutes=1), secrets.token_hex(8)
    )
    return sign_token(claims, pair.private_key)


def pod_accepts(cluster: Cluster, pod: str, token: str) -> bool:
    """Whether a registry pod accepts a token; raises ClusterError if it does not answer."""
    return get_inside_pod(cluster, pod, names.REGISTRY_PORT, "/v2/", request_headers(token)).status == 200


def issued_token(cluster: Cluster, pod: str, service: str) -> Token:
    """A token without any access, issued by one docker_auth pod; raises ClusterError or RotationError."""
    # The front is not on this way, and docker_auth may refuse a request without the address of its client.
    headers = {names.CLIENT_ADDRESS_HEADER: "127.0.0.1"}
    answer = get_inside_pod(cluster, pod, names.AUTH_PORT, f"/auth?{urlencode({'service': service})}", headers)
    try:
        return decode_token(str(json.loads(answer.body)["token"]))
    except (ValueError, KeyError, TypeError):
        raise RotationError(
            f"the docker_auth pod {pod} answers {answer.status} instead of issuing a token",
            hint="find the cause: regmirror verify",
        ) from None


def _ready_pods(workloads: tuple[RunningWorkload, ...]) -> Iterator[tuple[RunningWorkload, str]]:
    for workload in workloads:
        if not workload.ready:
            raise RotationError(f"{workload.release} has no ready pod", hint="find the cause: regmirror verify")
        yield from ((workload, pod) for pod in workload.ready)


def _replace_pod(cluster: Cluster, pod: str) -> str:
    return f"replace the pod: kubectl --context {cluster.context} -n {cluster.namespace} delete pod {pod}"


async def _retry(ask: Callable[[], T], clock: Clock) -> T:
    """The answer; a connection through the API server may fail once or twice."""
    for _ in range(_TRIES - 1):
        try:
            return await asyncio.to_thread(ask)
        except ClusterError:
            await clock.sleep(1)
    return await asyncio.to_thread(ask)
