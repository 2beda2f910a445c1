"""What keeps deployments from their end: quotas, admission, images, volumes, nodes, programs, a killed Helm."""

from typing import Any

from regmirror.adapters.cluster import KubernetesCluster
from tests.e2e.deploy_blocker import Hindrance, count, memory, policy, quota, unbound_claim, variable, volume
from tests.e2e.deployed_mirror import Deployment
from tests.e2e.harm import Undo
from tests.ports.conftest import leave_pending

AUTH, REDIS, REGISTRY = "regmirror-auth", "regmirror-redis", "regmirror-docker-hub"
MISSING_IMAGE = "lab.regmirror.test/no-such-image:1"
TIMEOUT, PARTLY, FAILED = 124, 3, 1
QUOTA = ("exceeded quota: small", "make room in the ResourceQuota small, or raise it")
DENIED = ("denied request: the platform team says no", "have the admission policy allow it")
AGAIN = "or raise --timeout; then run the command again: it continues where it stopped"


def unhindered(_: Deployment) -> Undo:
    """Nothing is in the way but the file itself."""
    return lambda: None


def killed_helm(mirror: Deployment) -> Undo:
    """A Helm that was killed has left its mark on a release."""
    cluster = KubernetesCluster(None, mirror.setting.context, mirror.namespace)
    leave_pending(cluster, AUTH, 1 + max(revisions(mirror, AUTH)))
    return lambda: None


def revisions(mirror: Deployment, release: str) -> list[int]:
    """The revisions of a release that Helm has records of."""
    records = mirror.objects("secrets", "-l", f"owner=helm,name={release}")
    return [int(record["metadata"]["labels"]["version"]) for record in records]


def redis(**section: Any) -> Any:
    """Other settings of redis."""
    return lambda _: {"redis": section}


HINDRANCES = [
    Hindrance(
        "a quota of pods",
        quota(pods=count("pods")),
        TIMEOUT,
        (f"timed out waiting for Deployment {AUTH} (1/1 ready, 1 old)", "no new pod: ", *QUOTA, AGAIN),
        memory("auth"),
        quick=True,
        puts_back=True,
    ),
    Hindrance(
        "a quota of Secrets, which Helm's records are",
        quota(secrets=count("secrets")),
        PARTLY,
        (f"{AUTH}: ", *QUOTA),
        memory("auth"),
    ),
    Hindrance(
        "an image that is not there",
        unhindered,
        TIMEOUT,
        (f"timed out waiting for Deployment {REDIS}", f"pod {REDIS}-", "ImagePull", "  event: ", MISSING_IMAGE, AGAIN),
        redis(image=MISSING_IMAGE),
        puts_back=True,
    ),
    Hindrance(
        "a pod that Pod Security denies",
        volume(AUTH, hostPath={"path": "/"}),
        TIMEOUT,
        (f"timed out waiting for Deployment {AUTH}", "no new pod: ", 'violates PodSecurity "restricted', 'volume "added"', AGAIN),
        memory("auth"),
    ),
    Hindrance(
        "an admission policy about Deployments",
        policy("deployments", "apps"),
        FAILED,
        (f"cannot apply Deployment {AUTH}", *DENIED),
        memory("auth"),
        quick=True,
    ),
    Hindrance(
        "an admission policy about Secrets",
        policy("secrets"),
        FAILED,
        ("cannot apply Secret regmirror-", *DENIED),
        lambda _: {"registry": {"ttl": "36h"}},
    ),
    Hindrance(
        "a volume that waits for its claim",
        unbound_claim(AUTH),
        TIMEOUT,
        (f"pod {AUTH}-", "cannot be scheduled: ", "unbound immediate PersistentVolumeClaims", AGAIN),
        memory("auth"),
    ),
    Hindrance(
        "no node that fits",
        unhindered,
        TIMEOUT,
        (f"pod {REDIS}-", "cannot be scheduled: 0/1 nodes are available", "node affinity/selector", AGAIN),
        redis(nodeSelector={"no": "such"}),
        puts_back=True,
    ),
    Hindrance(
        "a program that ends at its start",
        variable(REGISTRY, "REGISTRY_HTTP_ADDR", "nonsense"),
        TIMEOUT,
        (f"pod {REGISTRY}-", "CrashLoopBackOff (exit code", "    log: ", "nonsense", AGAIN),
        memory("registry"),
        quick=True,
    ),
    Hindrance(
        "the mark of a Helm that was killed, and no time to watch it",
        killed_helm,
        TIMEOUT,
        (f"{AUTH}: timed out waiting for another Helm operation (pending-upgrade)",),
        memory("auth"),
    ),
]
