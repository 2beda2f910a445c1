"""Collects a support bundle with parallel requests; what is not available is omitted and reported."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from regmirror.desired import names
from regmirror.desired.secret_contents import look_up
from regmirror.errors import ClusterError
from regmirror.ports.cluster import POD, SECRET, Kind, Object
from regmirror.status.background import Lookup, Unavailable
from regmirror.status.collect import collect_status
from regmirror.status.report import status_report
from regmirror.support.bundle import Bundle
from regmirror.support.known_secrets import secret_values
from regmirror.support.objects import KINDS, redact_object, secret_summary
from regmirror.support.redact import Redactor
from regmirror.verify.checks import CHECKS
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.report import verify_report
from regmirror.verify.run import run_checks
from regmirror.verify.select import select_checks

TIME_LIMIT = 60.0
"""Seconds after which a part that has not arrived is omitted."""
_LINES = 5000
"""The last lines of each container's log."""
_INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of a bundle; if a function raises RegmirrorError, its part is omitted."""

    live: LiveMirror
    file_name: str
    file_text: str
    versions: Callable[[], dict[str, Any]]
    releases: Callable[[], list[dict[str, Any]]]
    """The Helm releases of the namespace, with revision and status."""
    values: Callable[[], dict[str, Any]]
    """The Helm values of each release, by its name."""
    local_secrets: Callable[[], set[str]]
    """Secret values that are available on this machine and perhaps not in the cluster."""


def collect(sources: Sources, time_limit: float = TIME_LIMIT) -> Bundle:
    """The whole bundle; without the Secrets, objects, events and logs are omitted: they cannot be redacted."""
    ends = time.monotonic() + time_limit
    live = sources.live
    local, secrets = Lookup(sources.local_secrets), Lookup(live.cluster.select, SECRET)
    versions, values = Lookup(sources.versions), Lookup(sources.values)
    releases = Lookup(sources.releases)
    verified, status = Lookup(_verify, live), Lookup(lambda: status_report(collect_status(live)).document())
    bundle = Bundle(_redactor(live, local.result(ends), secrets.result(ends)))
    bundle.add_yaml_source(sources.file_name, sources.file_text)
    bundle.add_json("versions.json", versions.result(ends))
    bundle.add_json("releases.json", releases.result(ends))
    bundle.add_json("values.json", values.result(ends))
    available = secrets.result(ends)
    if isinstance(available, Unavailable):
        bundle.omit(
            "objects, events and logs, because they cannot be redacted without the mirror's Secrets: "
            f"{available.reason}"
        )
    else:
        _add_secrets(bundle, available)
        _add_objects(bundle, live, ends)
        _add_logs(bundle, live, ends)
    bundle.add_json("verify.json", verified.result(ends))
    bundle.add_json("status.json", status.result(ends))
    if bundle.redactor.count:
        bundle.omit(f"{bundle.redactor.count} secrets in texts, which are replaced by ***")
    return bundle


def _redactor(live: LiveMirror, local: set[str] | Unavailable, secrets: list[Object] | Unavailable) -> Redactor:
    values = set() if isinstance(local, Unavailable) else local
    values |= set() if isinstance(secrets, Unavailable) else secret_values(secrets)
    mirror = live.mirror
    public = {live.cluster.namespace, *(mirror.endpoint_of(upstream) for upstream in mirror.upstreams)}
    return Redactor(values - public)


def _verify(live: LiveMirror) -> dict[str, Any]:
    checks = select_checks(CHECKS, pre_install=False)
    return verify_report(live.mirror, live.cluster.context, list(run_checks(checks, live)))


def _add_secrets(bundle: Bundle, secrets: list[Object]) -> None:
    bundle.add_yaml("objects/Secret.yaml", [secret_summary(secret) for secret in secrets])
    bundle.omit(f"the values of {len(secrets)} Secrets; names, and sizes of the mirror's, are in objects/Secret.yaml")


def _add_objects(bundle: Bundle, live: LiveMirror, ends: float) -> None:
    lookups = {kind: Lookup(_objects, live, kind) for kind in KINDS}
    for kind, lookup in lookups.items():
        bundle.add_yaml(f"objects/{kind.kind}.yaml", lookup.result(ends))
    bundle.omit("managed fields, and everything but the names of objects that are not part of the mirror")


def _objects(live: LiveMirror, kind: Kind) -> list[Object]:
    return [redact_object(resource, kind) for resource in live.cluster.select(kind)]


def _add_logs(bundle: Bundle, live: LiveMirror, ends: float) -> None:
    pods = Lookup(live.cluster.select, POD).result(ends)
    if isinstance(pods, Unavailable):
        bundle.omit(f"logs: {pods.reason}")
        return
    mirror_pods = [pod for pod in pods if str(look_up(pod, "metadata", "labels", _INSTANCE)).startswith(names.PREFIX)]
    lookups = {
        f"logs/{pod['metadata']['name']}/{container}{'.previous' if previous else ''}.log": Lookup(
            _log, live, pod["metadata"]["name"], container, previous
        )
        for pod in mirror_pods
        for container, previous in _runs(pod)
    }
    for path, lookup in lookups.items():
        bundle.add_text(path, lookup.result(ends))
    if others := len(pods) - len(mirror_pods):
        bundle.omit(f"logs of other pods in the namespace ({others})")


def _runs(pod: Object) -> list[tuple[str, bool]]:
    """The containers of a pod, each with whether the log of its previous run is wanted."""
    statuses = look_up(pod, "status", "containerStatuses") or []
    restarted = [(status["name"], True) for status in statuses if status.get("restartCount")]
    return [(container["name"], False) for container in look_up(pod, "spec", "containers") or []] + restarted


def _log(live: LiveMirror, pod: str, container: str, previous: bool) -> str:
    text = live.cluster.log(pod, container, _LINES, previous=previous)
    if not text:
        raise ClusterError("the log is empty")
    return text
