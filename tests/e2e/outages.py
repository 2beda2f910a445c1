"""The outages that a mirror must live through, and what it promises in each."""

import time
from collections.abc import Callable

from tests.e2e import harm
from tests.e2e.deployed_mirror import Object
from tests.e2e.harm import Harm, Undo, redis_commands
from tests.e2e.outage import Outage, Scene
from tests.e2e.pulls import CACHED, DIGEST, LAYER, TOKEN
from tests.e2e.s3_proxy import FULL, HANGING, KEY_REVOKED, SLOW, S3Fault

AUTH, REDIS, REGISTRY = "regmirror-auth", "regmirror-redis", "regmirror-docker-hub"
Begin = Callable[[Scene], Undo]
PATIENCE = 90.0


def hub(fault: Object) -> Begin:
    """Another behaviour of Docker Hub."""
    return by(harm.hub("/faults", fault, {}))


def s3(fault: S3Fault) -> Begin:
    """Another behaviour of the store."""

    def begin(scene: Scene) -> Undo:
        scene.s3.break_by(fault)
        return scene.s3.heal

    return begin


def s3_down(scene: Scene) -> Undo:
    """Nobody listens where the store was."""
    scene.s3.shut()
    return scene.s3.open


def s3_down_for_long(scene: Scene) -> Undo:
    """Nobody has listened where the store was until the pods have noticed."""
    scene.s3.shut()
    wait_until(lambda: ready_pods(scene, REGISTRY) == 0)
    return scene.s3.open


def without_pods(deployment: str) -> Begin:
    """No pod of a component, until the cluster may start one again."""

    def begin(scene: Scene) -> Undo:
        scene.mirror.kubectl("scale", "deployment", deployment, "--replicas=0")
        scene.mirror.kubectl("delete", "pods", "-l", f"app.kubernetes.io/instance={deployment}", "--now")
        return lambda: scene.mirror.kubectl("scale", "deployment", deployment, "--replicas=1")

    return begin


def killed(deployment: str) -> Begin:
    """A pod of a component is gone at once, as if its node had burnt down."""

    def begin(scene: Scene) -> Undo:
        pod, *_ = scene.mirror.objects("pods", "-l", f"app.kubernetes.io/instance={deployment}")
        scene.mirror.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")
        return lambda: None

    return begin


def by(harmed: Harm) -> Begin:
    """A harm of the mirror alone."""
    return lambda scene: harmed(scene.mirror)


def ready_pods(scene: Scene, deployment: str) -> int:
    """How many pods of a component the Service leads to."""
    (found,) = scene.mirror.objects("deployments", f"--field-selector=metadata.name={deployment}")
    return int(found["status"].get("readyReplicas", 0))


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; the test fails where it never does."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.2)


def checks(*names: str) -> frozenset[str]:
    """Ids of checks of verify."""
    return frozenset(names)


HUB = [
    Outage("Docker Hub refuses connections", hub({"down": True}), checks("upstream-reachable"), quick=True),
    Outage(
        "Docker Hub accepts and never answers",
        hub({"registry": {"mode": "hang"}, "token": {"mode": "hang"}}),
        checks("upstream-reachable"),
        within=16.0,
    ),
    Outage(
        "Docker Hub gives tokens, then never answers",
        hub({"registry": {"mode": "hang"}}),
        checks("upstream-reachable"),
        served=checks(TOKEN, DIGEST, LAYER),
    ),
    Outage(
        "Docker Hub answers 429, no pull left",
        hub({"registry": {"mode": "status", "status": 429}}),
        checks("upstream-reachable"),
    ),
    Outage(
        "Docker Hub answers 401, account revoked",
        hub({"token": {"mode": "status", "status": 401}}),
        checks("upstream-credentials"),
    ),
    Outage(
        "Docker Hub answers 503", hub({"registry": {"mode": "status", "status": 503}}), checks("upstream-reachable")
    ),
    Outage(
        "Docker Hub is slow, 20 kB/s",
        hub({"registry": {"mode": "slow", "bytes_per_second": 20_000}}),
        frozenset(),
        within=3.0,
    ),
]
STORE = [
    Outage("S3 refuses connections", s3_down, checks("storage-bucket"), served=checks(TOKEN)),
    Outage(
        "S3 refuses connections, for a minute",
        s3_down_for_long,
        checks("storage-bucket"),
        served=checks(TOKEN),
        recovers_within=20.0,
    ),
    Outage("S3 accepts and never answers", s3(HANGING), checks("storage-bucket"), served=checks(TOKEN)),
    Outage("S3 is slow, 0.2 s a request and 1 MB/s", s3(SLOW), checks("storage-speed"), within=5.0),
    Outage("S3 is full", s3(FULL), checks("storage-bucket"), served=checks(TOKEN, DIGEST, LAYER), quick=True),
    Outage("S3 key revoked", s3(KEY_REVOKED), checks("storage-bucket"), served=checks(TOKEN)),
]
CACHE = [
    Outage("Redis has no pod", without_pods(REDIS), checks("cluster-pods"), quick=True, recovers_within=30.0),
    Outage("Redis accepts and never answers", by(harm.frozen(REDIS)), checks("cache-password")),
    Outage("Redis has lost everything", by(redis_commands(["FLUSHALL"])), frozenset()),
    Outage(
        "Redis has another password",
        by(
            redis_commands(
                ["CONFIG SET requirepass another", "CLIENT KILL TYPE normal"], ["CONFIG SET requirepass {password}"]
            )
        ),
        checks("cache-password"),
    ),
    Outage(
        "Redis is out of memory",
        by(redis_commands(["CONFIG SET maxmemory 1"], ["CONFIG SET maxmemory {maxmemory}"])),
        checks("cache-policy"),
    ),
]
TOKENS = [
    Outage("docker_auth has no pod", without_pods(AUTH), checks("cluster-pods"), served=CACHED, recovers_within=30.0)
]
PODS = [
    Outage(
        "The registry's only pod is killed", killed(REGISTRY), frozenset(), served=checks(TOKEN), recovers_within=30.0
    ),
    Outage(
        "The registry has two pods, and one is killed",
        killed(REGISTRY),
        frozenset(),
        served=checks(TOKEN),
        recovers_within=30.0,
        replicas=2,
    ),
    Outage(
        "The token service has two pods, and one is killed",
        killed(AUTH),
        frozenset(),
        served=CACHED,
        recovers_within=30.0,
        replicas=2,
    ),
]
OUTAGES = [*HUB, *STORE, *CACHE, *TOKENS, *PODS]
