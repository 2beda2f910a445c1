"""The outages that a mirror must survive, and what it must still serve in each."""

from collections.abc import Callable

from tests.e2e import inject
from tests.e2e.deployed_mirror import Object
from tests.e2e.inject import InjectFault, Undo, redis_commands
from tests.e2e.outage import Outage, OutageEnvironment
from tests.e2e.pulls import CACHED, DIGEST, LAYER, TOKEN
from tests.e2e.s3_proxy import FULL, HANGING, KEY_REVOKED, SLOW, S3Fault

AUTH, REDIS, REGISTRY = "regmirror-auth", "regmirror-redis", "regmirror-docker-hub"
Begin = Callable[[OutageEnvironment], Undo]


def hub(fault: Object) -> Begin:
    """Change the behavior of Docker Hub."""
    return of_mirror(inject.hub("/faults", fault, {}))


def s3(fault: S3Fault) -> Begin:
    """Change the behavior of the object store."""

    def begin(env: OutageEnvironment) -> Undo:
        env.s3.fail_with(fault)
        return env.s3.recover

    return begin


def s3_down(env: OutageEnvironment) -> Undo:
    """The object store refuses connections."""
    env.s3.stop()
    return env.s3.start


def without_pods(deployment: str) -> Begin:
    """A component without pods, until the end of the outage."""

    def begin(env: OutageEnvironment) -> Undo:
        env.mirror.kubectl("scale", "deployment", deployment, "--replicas=0")
        env.mirror.kubectl("delete", "pods", "-l", f"app.kubernetes.io/instance={deployment}", "--now")
        return lambda: env.mirror.kubectl("scale", "deployment", deployment, "--replicas=1")

    return begin


def killed(deployment: str) -> Begin:
    """Delete a pod of a component without a grace period, as if its node had failed."""

    def begin(env: OutageEnvironment) -> Undo:
        pod, *_ = env.mirror.objects("pods", "-l", f"app.kubernetes.io/instance={deployment}")
        env.mirror.kubectl("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0")
        return lambda: None

    return begin


def of_mirror(inject: InjectFault) -> Begin:
    """Inject a fault into the mirror only."""
    return lambda env: inject(env.mirror)


def checks(*names: str) -> frozenset[str]:
    """IDs of verify's checks."""
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
    Outage("S3 refuses connections", s3_down, checks("storage-bucket")),
    Outage("S3 accepts and never answers", s3(HANGING), checks("storage-bucket")),
    Outage("S3 is slow, 0.2 s a request and 1 MB/s", s3(SLOW), checks("storage-speed"), within=5.0),
    Outage("S3 is full", s3(FULL), checks("storage-bucket"), quick=True),
    Outage("S3 key revoked", s3(KEY_REVOKED), checks("storage-bucket")),
]
CACHE = [
    Outage("Redis has no pod", without_pods(REDIS), checks("cluster-pods"), quick=True, recovers_within=30.0),
    Outage("Redis accepts and never answers", of_mirror(inject.paused(REDIS)), checks("cache-password")),
    Outage("Redis has lost everything", of_mirror(redis_commands(["FLUSHALL"])), frozenset()),
    Outage(
        "Redis has another password",
        of_mirror(
            redis_commands(
                ["CONFIG SET requirepass another", "CLIENT KILL TYPE normal"], ["CONFIG SET requirepass {password}"]
            )
        ),
        checks("cache-password"),
    ),
    Outage(
        "Redis is out of memory",
        of_mirror(redis_commands(["CONFIG SET maxmemory 1"], ["CONFIG SET maxmemory {maxmemory}"])),
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
