"""Requests to one pod, by port-forward: a Service would answer with any of them."""

import json
from urllib.parse import urlencode

from regmirror.desired import names
from regmirror.distribution.client import request_headers
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.errors import RotationError
from regmirror.ports.cluster import Cluster
from regmirror.signing.tokens import Token, decode_token


def accepts(cluster: Cluster, pod: str, token: str) -> bool:
    """Whether a registry's pod accepts a token; raises ClusterError where no answer comes."""
    return get_inside_pod(cluster, pod, names.REGISTRY_PORT, "/v2/", request_headers(token)).status == 200


def issued_token(cluster: Cluster, pod: str, service: str) -> Token:
    """A token without any rights, as one docker_auth pod issues it; raises ClusterError or RotationError."""
    answer = get_inside_pod(cluster, pod, names.AUTH_PORT, f"/auth?{urlencode({'service': service})}")
    try:
        return decode_token(str(json.loads(answer.body)["token"]))
    except (ValueError, KeyError, TypeError):
        raise RotationError(
            f"the docker_auth pod {pod} answers {answer.status} instead of issuing a token",
            hint="find out why: regmirror verify",
        ) from None
