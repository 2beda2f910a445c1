"""What a registry writes to its log about a Redis that does not answer."""

import json
from typing import Any

from regmirror.errors import ClusterError
from regmirror.verify.live_mirror import LiveMirror

_CONTAINER = "registry"
_LINES = 200


def redis_problem(live: LiveMirror, pod: str) -> str:
    """The last reason in the log of a registry pod, in parentheses; empty if there is none.

    Source: distribution v3.1.2, ``registry/storage/cache/cachedblobdescriptorstore.go``.
    """
    try:
        lines = live.cluster.log(pod, _CONTAINER, _LINES).splitlines()
    except ClusterError:
        return ""
    entries = [entry for line in lines if (entry := _entry(line))]
    reasons = [str(entry.get("error")) for entry in entries if "error from cache" in str(entry.get("msg"))]
    return f" ({reasons[-1][:200]})" if reasons else ""


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
