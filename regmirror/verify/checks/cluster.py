"""Checks of the cluster and the mirror's pods."""

import re
from datetime import datetime, timedelta

from regmirror.config.fields import image_parts
from regmirror.desired import names
from regmirror.ports.cluster import MINIMUM_KUBERNETES, Object, missing_rights
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Severity, Stage
from regmirror.verify.hints import DEPLOY, kubectl
from regmirror.verify.live_mirror import LiveMirror, look_up
from regmirror.verify.rights import VERIFY_RIGHTS
from regmirror.workloads.rollout import diagnose, is_rolled_out, progress_of

_RECENT = timedelta(days=1)
_IMAGE_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
_OLDEST_REGISTRY = (3, 1, 2)
_OLDEST_AUTH = (1, 14, 0)


def _api(live: LiveMirror) -> Outcome:
    major, minor = live.cluster.version()
    return Passed(f"Kubernetes {major}.{minor}, context {live.cluster.context}")


def _version(live: LiveMirror) -> Outcome:
    version = live.cluster.version()
    oldest = ".".join(map(str, MINIMUM_KUBERNETES))
    if version < MINIMUM_KUBERNETES:
        found = ".".join(map(str, version))
        return Failed(f"the cluster runs Kubernetes {found}; {oldest} is needed", "upgrade the cluster")
    return Passed(f"{oldest} or newer")


def _permissions(live: LiveMirror) -> Outcome:
    missing = missing_rights(live.cluster, VERIFY_RIGHTS)
    if missing:
        return Failed(missing, "use another --context, or have these rights granted: regmirror rbac verify")
    return Passed(f"{len(VERIFY_RIGHTS)} rights in namespace {live.cluster.namespace}")


def _images(live: LiveMirror) -> Outcome:
    missing = [
        f"pod {pod['metadata']['name']}: {status.get('image')}: {waiting.get('message') or waiting['reason']}"
        for name in _workloads(live)
        for pod in live.pods(name)
        for status in look_up(pod, "status", "containerStatuses") or []
        if (waiting := look_up(status, "state", "waiting") or {}).get("reason") in _IMAGE_TROUBLE
    ]
    if missing:
        return Failed("\n".join(missing), f"see that the nodes can pull it, or name another; {DEPLOY}")
    return Passed()


def _versions(live: LiveMirror) -> Outcome:
    registry, auth = live.mirror.registry.image, live.mirror.auth.image
    for image, oldest, reason in (
        (
            registry,
            _OLDEST_REGISTRY,
            "older ones let tags be deleted (CVE-2026-41888), and before 3.1 gave the "
            "upstream's password to others (CVE-2026-33540)",
        ),
        (auth, _OLDEST_AUTH, "older ones cannot name keys as the registry knows them, so that no token is accepted"),
    ):
        version = _version_of(image)
        if version and version < oldest:
            wanted = ".".join(map(str, oldest))
            return Failed(f"{image} is older than {wanted}: {reason}", f"set its image to {wanted}; regmirror deploy")
    return Passed()


def _version_of(image: str) -> tuple[int, ...] | None:
    """The version that the tag of an image says; None where it says none."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", image_parts(image)["tag"])
    return tuple(map(int, match.groups())) if match else None


def _pods(live: LiveMirror) -> Outcome:
    wanted = _workloads(live)
    troubles = [line for name, replicas in wanted.items() for line in _trouble(live, name, replicas)]
    if troubles:
        return Failed("\n".join(troubles), f"{kubectl(live)} get pods, then regmirror deploy")
    return Passed(", ".join(wanted))


def _workloads(live: LiveMirror) -> dict[str, int]:
    """The Deployments of the mirror, with the replicas of the file."""
    mirror = live.mirror
    registries = {names.registry(upstream.name): mirror.registry.replicas for upstream in mirror.upstreams}
    return {names.REDIS: 1, names.AUTH: mirror.auth.replicas, **registries}


def _trouble(live: LiveMirror, name: str, replicas: int) -> list[str]:
    deployment = live.deployment(name)
    if deployment is None:
        return [f"there is no Deployment {name} in namespace {live.cluster.namespace}"]
    if deployment["spec"].get("replicas", 1) < replicas:
        return [f"{name} is scaled to {deployment['spec']['replicas']} instead of {replicas}"]
    if is_rolled_out(deployment):
        return []
    return [f"{name}: {progress_of(deployment)}", *diagnose(live.cluster, name)]


def _services(live: LiveMirror) -> Outcome:
    lost = [name for name in _workloads(live) if not live.has_ready_pods(name)]
    if lost:
        return Failed(f"no ready pod is behind the Service {', '.join(lost)}", DEPLOY)
    return Passed()


def _restarts(live: LiveMirror) -> Outcome:
    restarted = [
        f"{pod['metadata']['name']}: restarted {status['restartCount']} times, last after {_how(ended)}"
        for name in _workloads(live)
        for pod in live.pods(name)
        for status in look_up(pod, "status", "containerStatuses") or []
        if (ended := look_up(status, "lastState", "terminated")) and _is_recent(ended, live.now())
    ]
    if restarted:
        return Failed("\n".join(restarted), f"{kubectl(live)} logs --previous POD")
    return Passed()


def _how(ended: Object) -> str:
    return f"{ended.get('reason', 'an end')} (exit code {ended.get('exitCode')})"


def _is_recent(ended: Object, now: datetime) -> bool:
    finished = ended.get("finishedAt")
    return bool(finished) and now - datetime.fromisoformat(str(finished)) < _RECENT


CHECKS = (
    Check("cluster-api", "the Kubernetes API answers", Category.CLUSTER, _api, stage=Stage.ANY),
    Check(
        "cluster-version",
        "Kubernetes is new enough",
        Category.CLUSTER,
        _version,
        needs=("cluster-api",),
        stage=Stage.ANY,
    ),
    Check(
        "cluster-permissions",
        "this user may look at all that verify looks at",
        Category.CLUSTER,
        _permissions,
        needs=("cluster-api",),
        stage=Stage.ANY,
    ),
    Check(
        "cluster-versions",
        "no program is of a version with known faults",
        Category.CLUSTER,
        _versions,
        stage=Stage.ANY,
    ),
    Check("cluster-images", "every image can be pulled", Category.CLUSTER, _images, needs=("cluster-permissions",)),
    Check("cluster-pods", "every pod is ready", Category.CLUSTER, _pods, needs=("cluster-images",)),
    Check("cluster-services", "every Service has ready pods", Category.CLUSTER, _services, needs=("cluster-pods",)),
    Check(
        "cluster-restarts",
        "no pod has restarted within a day",
        Category.CLUSTER,
        _restarts,
        needs=("cluster-permissions",),
        severity=Severity.WARNING,
    ),
)
