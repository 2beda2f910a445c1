"""Checks of the Kubernetes cluster and of the mirror's pods."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from regmirror.config.fields import image_parts
from regmirror.config.model import PARTS, Mirror
from regmirror.desired import names
from regmirror.desired.secret_contents import look_up
from regmirror.desired.verify_rights import verify_rights
from regmirror.errors import ClusterError
from regmirror.ports.cluster import MINIMUM_KUBERNETES, NAMESPACE, SECRET, Object, missing_rights
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Severity, Stage
from regmirror.verify.hints import deploy, kubectl, then_deploy
from regmirror.verify.live_mirror import LiveMirror
from regmirror.workloads.rollout import diagnose, is_rolled_out, progress_of

_RECENT = timedelta(days=1)
_IMAGE_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}


@dataclass(frozen=True, slots=True)
class _Oldest:
    """The oldest supported version of a program; ``name`` is that of its image, if the key has alternatives."""

    version: tuple[int, ...]
    reason: str
    name: str = ""

    def applies_to(self, image: str) -> bool:
        """Whether the image is one of this program, judging by its name."""
        return self.name in {"", image_parts(image)["repository"].rpartition("/")[2]}


_OLDEST = {
    "registry.image": (
        _Oldest(
            (3, 1, 2),
            "older versions accept and keep wrong bytes for a digest (CVE-2026-85747), let clients delete tags "
            "(CVE-2026-41888), and before 3.1 disclose the upstream's password (CVE-2026-33540)",
        ),
    ),
    "auth.image": (
        _Oldest((1, 14, 0), "older versions use key ids that the registry does not know, so it accepts no token"),
    ),
    # Redis numbers its versions otherwise.
    "redis.image": (
        _Oldest((9, 1, 1), "older versions have known holes (CVE-2026-56684, CVE-2026-63639)", name="valkey"),
    ),
    "front.image": (
        _Oldest(
            (1, 30, 5),
            "older branches get no fixes for known holes (such as CVE-2026-42533), and before 1.23 nginx reads only "
            "one of several Accept headers",
        ),
    ),
}

check = CheckList(Category.CLUSTER)


@check("cluster-api", "the Kubernetes API is reachable", stage=Stage.ANY)
def _api(live: LiveMirror) -> Outcome:
    major, minor = live.cluster.version()
    return Passed(f"Kubernetes {major}.{minor}, context {live.cluster.context}")


@check("cluster-version", "the Kubernetes version is supported", needs=("cluster-api",), stage=Stage.ANY)
def _version(live: LiveMirror) -> Outcome:
    version = live.cluster.version()
    oldest = ".".join(map(str, MINIMUM_KUBERNETES))
    if version < MINIMUM_KUBERNETES:
        found = ".".join(map(str, version))
        return Failed(f"the cluster runs Kubernetes {found}; {oldest} or later is required", "upgrade the cluster")
    return Passed(f"{oldest} or later")


@check(
    "cluster-permissions",
    "this user has the permissions verify needs",
    needs=("cluster-api",),
    stage=Stage.ANY,
)
def _permissions(live: LiveMirror) -> Outcome:
    needed = verify_rights(live.mirror)
    missing = missing_rights(live.cluster, needed)
    if missing:
        hint = "use another --context, or ask an administrator to apply the output of regmirror rbac verify"
        return Failed(missing, hint)
    return Passed(f"{len(needed)} permissions in namespace {live.cluster.namespace}")


@check("cluster-deployed", "the mirror is deployed in the namespace", needs=("cluster-permissions",))
def check_deployed(live: LiveMirror) -> Outcome:
    """Whether anything of the mirror is in the namespace: without it every other check would fail."""
    if any(live.deployment(name) for name in _workloads(live)) or live.cluster.get(SECRET, names.BUNDLE_SECRET):
        return Passed(f"namespace {live.cluster.namespace}")
    # Reading the namespace takes a permission that verify does not need otherwise.
    with suppress(ClusterError):
        if live.cluster.get(NAMESPACE, live.cluster.namespace) is None:
            return Failed(f"namespace {live.cluster.namespace} does not exist", deploy(live))
    return Failed(f"namespace {live.cluster.namespace} does not contain a mirror", deploy(live))


@check("cluster-versions", "the image versions are supported", stage=Stage.ANY)
def _versions(live: LiveMirror) -> Outcome:
    mirror = live.mirror
    images = {
        "registry.image": mirror.registry.image,
        "auth.image": mirror.auth.image,
        "redis.image": mirror.redis.image,
        "front.image": mirror.front.image,
    }
    images = {key: image for key, image in images.items() if key not in _external_images(mirror)}
    for key, image in images.items():
        version = _version_of(image)
        oldest = next((found for found in _OLDEST[key] if found.applies_to(image)), None)
        if version and oldest and version < oldest.version:
            wanted = ".".join(map(str, oldest.version))
            action = f"set {key} to version {wanted} or later"
            return Failed(f"{image} is older than {wanted}: {oldest.reason}", then_deploy(live, action))
    unknown = [key for key, image in images.items() if _version_of(image) is None]
    return Passed(f"no version in {', '.join(unknown)}" if unknown else "")


def _external_images(mirror: Mirror) -> set[str]:
    """The keys of images that this mirror does not run."""
    return {f"{part}.image" for part in PARTS if mirror.is_external(part)}


def _version_of(image: str) -> tuple[int, ...] | None:
    """The version in the tag of an image; None if the tag is not a version."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", image_parts(image)["tag"])
    return tuple(map(int, match.groups())) if match else None


@check("cluster-images", "all images can be pulled", needs=("cluster-deployed",))
def _images(live: LiveMirror) -> Outcome:
    missing = [
        f"pod {pod['metadata']['name']}: {status.get('image')}: {waiting.get('message') or waiting['reason']}"
        for name in _workloads(live)
        for pod in live.pods(name)
        for status in look_up(pod, "status", "containerStatuses") or []
        if (waiting := look_up(status, "state", "waiting") or {}).get("reason") in _IMAGE_TROUBLE
    ]
    if missing:
        action = "make the image available to the nodes, or configure another one"
        # Containers of a pod may have the same image.
        return Failed("\n".join(dict.fromkeys(missing)), then_deploy(live, action))
    return Passed()


@check("cluster-pods", "all pods are ready", needs=("cluster-images",))
def _pods(live: LiveMirror) -> Outcome:
    wanted = _workloads(live)
    troubles = [line for name, replicas in wanted.items() for line in _trouble(live, name, replicas)]
    if troubles:
        return Failed("\n".join(troubles), then_deploy(live, f"find and fix the cause: {kubectl(live)} get pods"))
    return Passed(", ".join(wanted))


def _workloads(live: LiveMirror) -> dict[str, int]:
    """The Deployments of the mirror with their configured replicas."""
    mirror = live.mirror
    registries = {names.registry(upstream.name): mirror.registry.least_replicas for upstream in mirror.upstreams}
    redis = {} if mirror.redis.external else {names.REDIS: 1}
    redis |= {names.SIGN_IN: 1} if mirror.access.sign_in else {}
    auth = {} if mirror.auth.external else {names.AUTH: mirror.auth.replicas}
    service = mirror.ingress.service
    endpoint = {names.INGRESS: service.replicas} if service else {}
    return {**auth, **redis, **registries, **endpoint}


def _trouble(live: LiveMirror, name: str, replicas: int) -> list[str]:
    deployment = live.deployment(name)
    if deployment is None:
        return [f"namespace {live.cluster.namespace} has no Deployment {name}"]
    if deployment["spec"].get("replicas", 1) < replicas:
        return [f"{name} is scaled to {deployment['spec']['replicas']} instead of {replicas}"]
    if is_rolled_out(deployment):
        return []
    return [f"{name}: {progress_of(deployment)}", *diagnose(live.cluster, name)]


@check("cluster-services", "all Services have ready endpoints", needs=("cluster-pods",))
def _services(live: LiveMirror) -> Outcome:
    lost = [name for name in _workloads(live) if not live.has_ready_pods(name)]
    if lost:
        return Failed(f"no ready endpoint: Service {', '.join(lost)}", deploy(live))
    return Passed()


@check(
    "cluster-restarts",
    "no pod restarted in the last 24 hours",
    needs=("cluster-deployed",),
    severity=Severity.WARNING,
)
def _restarts(live: LiveMirror) -> Outcome:
    restarted = [
        (pod["metadata"]["name"], status["name"], f"{status['restartCount']} restarts, last: {_termination(ended)}")
        for name in _workloads(live)
        for pod in live.pods(name)
        for status in look_up(pod, "status", "containerStatuses") or []
        if (ended := look_up(status, "lastState", "terminated")) and _is_recent(ended, live.now())
    ]
    if not restarted:
        return Passed()
    pod, container, _ = restarted[0]
    return Failed(
        "\n".join(f"pod {pod}, container {container}: {text}" for pod, container, text in restarted),
        f"read the log of the previous run: {kubectl(live)} logs --previous {pod} -c {container}",
    )


def _termination(ended: Object) -> str:
    return f"{ended.get('reason', 'terminated')} (exit code {ended.get('exitCode')})"


def _is_recent(ended: Object, now: datetime) -> bool:
    finished = ended.get("finishedAt")
    return bool(finished) and now - datetime.fromisoformat(str(finished)) < _RECENT
