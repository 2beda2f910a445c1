"""Cures that several checks have in common.

In every hint a command begins with the name of its program (regmirror, kubectl, aws) and ends at a comma, at a
semicolon, or with the hint, so that it can be taken out of there and run as it is.
"""

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.verify.live_mirror import LiveMirror

DEPLOY = "bring the cluster back to the file: regmirror deploy"
BETWEEN = "look for a proxy or CDN before the Ingress that changes requests or answers"


def kubectl(live: LiveMirror) -> str:
    """The beginning of every kubectl command: its namespace is the mirror's."""
    return f"kubectl -n {live.cluster.namespace}"


def restart(live: LiveMirror, deployment: str) -> str:
    """For pods that run with something other than what their Secrets hold, where deploy finds nothing to do."""
    return f"have its pods read their files again: {kubectl(live)} rollout restart deployment/{deployment}"


def restart_registry(live: LiveMirror, upstream: Upstream) -> str:
    """The same for the registry of an upstream."""
    return restart(live, names.registry(upstream.name))


def read_log(live: LiveMirror, upstream: Upstream) -> str:
    """Where the registry says what it cannot do."""
    return f"see why in its log: {kubectl(live)} logs --tail=100 deployment/{names.registry(upstream.name)}"
