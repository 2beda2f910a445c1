"""Collects a support bundle, side by side; what cannot be had is left out and told."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regmirror.desired import names
from regmirror.errors import ClusterError
from regmirror.ports.cluster import POD, SECRET, Kind, Object
from regmirror.status.background import Lookup, Unavailable
from regmirror.status.collect import collect_status
from regmirror.status.report import status_report
from regmirror.support.bundle import Bundle
from regmirror.support.known_secrets import secret_values
from regmirror.support.objects import KINDS, secret_summary, shown
from regmirror.support.redact import Redactor
from regmirror.verify.checks import CHECKS
from regmirror.verify.live_mirror import LiveMirror, look_up
from regmirror.verify.report import verify_report
from regmirror.verify.run import run_checks
from regmirror.verify.select import select_checks

PATIENCE = 60.0
"""Seconds after which what has not come is left out."""
_LINES = 5000
"""Of each container's log, from its end."""
_INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a bundle is from; each function may raise RegmirrorError, which leaves its part out."""

    live: LiveMirror
    file_name: str
    file_text: str
    versions: Callable[[], dict[str, Any]]
    values: Callable[[], dict[str, Any]]
    """The values of each release, by its name."""
    own_secrets: Callable[[], set[str]]
    """Secret values that this machine knows and the cluster may not."""


def collect(sources: Sources, patience: float = PATIENCE) -> Bundle:
    """The whole bundle. Where the Secrets cannot be read, nothing is in it that others have written."""
    ends = time.monotonic() + patience
    live = sources.live
    own, secrets = Lookup(sources.own_secrets), Lookup(live.cluster.select, SECRET)
    versions, values = Lookup(sources.versions), Lookup(sources.values)
    verified, status = Lookup(_verify, live), Lookup(lambda: status_report(collect_status(live)).document())
    bundle = Bundle(_redactor(live, own.result(ends), secrets.result(ends)))
    bundle.add_text(sources.file_name, sources.file_text)
    bundle.add_json("versions.json", versions.result(ends))
    bundle.add_json("values.json", values.result(ends))
    found = secrets.result(ends)
    if isinstance(found, Unavailable):
        bundle.leave_out(f"objects, events and logs, which could not be redacted: {found.reason}")
    else:
        _add_secrets(bundle, found)
        _add_objects(bundle, live, ends)
        _add_logs(bundle, live, ends)
    bundle.add_json("verify.json", verified.result(ends))
    bundle.add_json("status.json", status.result(ends))
    if bundle.redactor.count:
        bundle.leave_out(f"{bundle.redactor.count} secrets within texts: *** stands in their place")
    return bundle


def _redactor(live: LiveMirror, own: set[str] | Unavailable, secrets: list[Object] | Unavailable) -> Redactor:
    values = set() if isinstance(own, Unavailable) else own
    values |= set() if isinstance(secrets, Unavailable) else secret_values(secrets)
    mirror = live.mirror
    public = {live.cluster.namespace, *(mirror.host_of(upstream) for upstream in mirror.upstreams)}
    return Redactor(values - public)


def _verify(live: LiveMirror) -> dict[str, Any]:
    checks = select_checks(CHECKS, before_deploy=False)
    return verify_report(live.mirror, list(run_checks(checks, live)))


def _add_secrets(bundle: Bundle, secrets: list[Object]) -> None:
    bundle.add_yaml("objects/Secret.yaml", [secret_summary(secret) for secret in secrets])
    bundle.leave_out(f"the values of {len(secrets)} Secrets: names, types, keys and sizes are in the bundle")


def _add_objects(bundle: Bundle, live: LiveMirror, ends: float) -> None:
    asked = {kind: Lookup(_objects, live, kind) for kind in KINDS}
    for kind, lookup in asked.items():
        bundle.add_yaml(f"objects/{kind.kind}.yaml", lookup.result(ends))
    bundle.leave_out("managed fields, and the content of ConfigMaps that are not regmirror's")


def _objects(live: LiveMirror, kind: Kind) -> list[Object]:
    return [shown(found, kind) for found in live.cluster.select(kind)]


def _add_logs(bundle: Bundle, live: LiveMirror, ends: float) -> None:
    pods = Lookup(live.cluster.select, POD).result(ends)
    if isinstance(pods, Unavailable):
        bundle.leave_out(f"logs: {pods.reason}")
        return
    ours = [pod for pod in pods if str(look_up(pod, "metadata", "labels", _INSTANCE)).startswith(names.PREFIX)]
    asked = {
        f"logs/{pod['metadata']['name']}/{container}{'.previous' if previous else ''}.log": Lookup(
            _log, live, pod["metadata"]["name"], container, previous
        )
        for pod in ours
        for container, previous in _runs(pod)
    }
    for path, lookup in asked.items():
        bundle.add_text(path, lookup.result(ends))
    if len(ours) < len(pods):
        bundle.leave_out(f"logs of {len(pods) - len(ours)} pods that are not the mirror's")


def _runs(pod: Object) -> list[tuple[str, bool]]:
    """The containers of a pod, each with whether its previous run is meant."""
    statuses = look_up(pod, "status", "containerStatuses") or []
    restarted = [(status["name"], True) for status in statuses if status.get("restartCount")]
    return [(container["name"], False) for container in look_up(pod, "spec", "containers") or []] + restarted


def _log(live: LiveMirror, pod: str, container: str, previous: bool) -> str:
    text = live.cluster.log(pod, container, _LINES, previous=previous)
    if not text:
        raise ClusterError("it is empty or cannot be read")
    return text
