"""Requests to one pod, by port-forward: a Service would answer with any of them."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from regmirror.errors import ClusterError, RotationError
from regmirror.ports.cluster import Cluster
from regmirror.signing.tokens import Token, decode_token
from regmirror.stack import names


@dataclass(frozen=True, slots=True)
class PodAnswer:
    """What a pod answered."""

    status: int
    body: bytes


def accepts(cluster: Cluster, pod: str, token: str) -> bool:
    """Whether a registry's pod accepts a token; raises ClusterError where no answer comes."""
    return _get(cluster, pod, names.REGISTRY_PORT, "/v2/", {"Authorization": f"Bearer {token}"}).status == 200


def issued_token(cluster: Cluster, pod: str, service: str) -> Token:
    """A token without any rights, as one docker_auth pod issues it; raises ClusterError or RotationError."""
    answer = _get(cluster, pod, names.AUTH_PORT, f"/auth?{urlencode({'service': service})}", {})
    try:
        return decode_token(str(json.loads(answer.body)["token"]))
    except (ValueError, KeyError, TypeError):
        raise RotationError(
            f"the docker_auth pod {pod} answers {answer.status} instead of issuing a token",
            hint="find out why: regmirror verify",
        ) from None


def _get(cluster: Cluster, pod: str, port: int, path: str, headers: Mapping[str, str]) -> PodAnswer:
    with cluster.connect(pod, port) as connection:
        request = http.client.HTTPConnection(pod, port)
        request.sock = connection
        try:
            request.request("GET", path, headers={"Connection": "close", **headers})
            answer = request.getresponse()
            return PodAnswer(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise ClusterError(f"no answer from port {port} of pod {pod}: {reason}") from error
