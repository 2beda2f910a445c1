"""Whether the registry in a pod can use its store, with its own key or cloud role."""

import json
import re

from regmirror.desired import names
from regmirror.distribution.client import request_headers
from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.errors import RegistryError
from regmirror.ports.cluster import Cluster
from regmirror.ports.http import Answer

_CATALOG_PATH = "/v2/_catalog?n=1"
"""The registry lists its store for each request; nothing in front of it caches the answer."""
_OF_STORE = re.compile(rb"s3aws|filesystem: |\"driver\"")
"""The fetcher, in the pod, has an expression of its own (``charts/registry/files/fetcher/figures.py``)."""


def blames_store(answer: Answer) -> bool:
    """Whether the registry failed because of its store, whose driver its error names (``storagedriver.go``)."""
    return answer.status >= 500 and _OF_STORE.search(answer.body) is not None


def store_problem(cluster: Cluster, pod: str, token: str) -> str | None:
    """Why the registry in a pod cannot list its store now; None if it can. Raises ClusterError.

    ``token`` grants the catalog, which no client gets. Raises RegistryError if the registry refuses it: it has not
    asked its store then.
    """
    answer = get_inside_pod(cluster, pod, names.REGISTRY_PORT, _CATALOG_PATH, request_headers(token))
    if answer.status == 401:
        raise RegistryError(f"pod {pod} refuses regmirror's token", hint="run regmirror verify, which says why")
    return None if answer.status == 200 else _reason(answer.body) or f"its catalog answered {answer.status}"


def _reason(body: bytes) -> str:
    """What the registry reports; empty if it gives no reason."""
    try:
        details = [error.get("detail") or error.get("message") for error in json.loads(body)["errors"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    reasons = [detail.get("detail") if isinstance(detail, dict) else detail for detail in details]
    return "; ".join(str(reason)[:200] for reason in reasons if reason)
