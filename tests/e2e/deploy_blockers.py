"""What blocks deployments: quotas, admission policies, images, volumes, nodes, programs, a killed Helm."""

from typing import Any

from regmirror.adapters.cluster import KubernetesCluster
from tests.e2e.deploy_blocker import DeployBlocker, count, memory, policy, quota, unbound_claim, variable, volume
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.inject import Undo
from tests.ports.conftest import leave_pending

AUTH, REDIS, REGISTRY = "regmirror-auth", "regmirror-redis", "regmirror-docker-hub"
MISSING_IMAGE = "lab.regmirror.test/no-such-image:1"
TIMEOUT, FAILED = 124, 1
LIMITS = "describe resourcequota,limitrange"
DENIED = ("denied request: the platform team says no", "change the admission policy to allow it")
AGAIN = "or raise --timeout; then run the command again: it continues where it stopped"


def nothing_else(_: DeployedMirror) -> Undo:
    """No blocker other than the configuration file itself."""
    return lambda: None


def killed_helm(mirror: DeployedMirror) -> Undo:
    """A killed Helm has left a release in status pending-upgrade."""
    cluster = KubernetesCluster(None, mirror.target.context, mirror.namespace)
    leave_pending(cluster, AUTH, 1 + max(revisions(mirror, AUTH)))
    return lambda: None


def revisions(mirror: DeployedMirror, release: str) -> list[int]:
    """The revisions of a release in Helm's records."""
    records = mirror.objects("secrets", "-l", f"owner=helm,name={release}")
    return [int(record["metadata"]["labels"]["version"]) for record in records]


def redis(**section: Any) -> Any:
    """Other values in the section ``redis``."""
    return lambda _: {"redis": section}


DEPLOY_BLOCKERS = [
    DeployBlocker(
        "a quota of pods",
        quota(pods=count("pods")),
        FAILED,
        ("the ResourceQuota small has no room: pods needs 1 more", LIMITS),
        memory("auth"),
        quick=True,
    ),
    DeployBlocker(
        "a quota of Secrets, in which Helm stores its records",
        quota(secrets=count("secrets")),
        FAILED,
        ("the ResourceQuota small has no room: secrets needs 1 more", LIMITS),
        memory("auth"),
    ),
    DeployBlocker(
        "a missing image",
        nothing_else,
        TIMEOUT,
        (f"timed out waiting for Deployment {REDIS}", f"pod {REDIS}-", "ImagePull", "  event: ", MISSING_IMAGE, AGAIN),
        redis(image=MISSING_IMAGE),
        rolls_back=True,
    ),
    DeployBlocker(
        "a pod that Pod Security denies",
        volume(AUTH, hostPath={"path": "/"}),
        FAILED,
        (
            f"the cluster does not admit the mirror's pods:\n  {AUTH}: ",
            'violates PodSecurity "restricted',
            'volume "added"',
            "remove what someone added to the pods: regmirror diff shows it",
        ),
        memory("auth"),
    ),
    DeployBlocker(
        "an admission policy about Deployments",
        policy("deployments", "apps"),
        FAILED,
        ("cannot apply Deployment regmirror-", *DENIED),
        memory("auth"),
        quick=True,
    ),
    DeployBlocker(
        "an admission policy about Secrets",
        policy("secrets"),
        FAILED,
        ("cannot apply Secret regmirror-", *DENIED),
        lambda _: {"registry": {"ttl": "36h"}},
    ),
    DeployBlocker(
        "a volume whose claim is not bound",
        unbound_claim(AUTH),
        TIMEOUT,
        (f"pod {AUTH}-", "cannot be scheduled: ", "unbound immediate PersistentVolumeClaims", AGAIN),
        memory("auth"),
    ),
    DeployBlocker(
        "no matching node",
        nothing_else,
        TIMEOUT,
        (f"pod {REDIS}-", "cannot be scheduled: 0/1 nodes are available", "node affinity/selector", AGAIN),
        redis(nodeSelector={"no": "such"}),
        rolls_back=True,
    ),
    DeployBlocker(
        "a program that exits at its start",
        variable(REGISTRY, "REGISTRY_HTTP_ADDR", "nonsense"),
        TIMEOUT,
        (f"pod {REGISTRY}-", ("CrashLoopBackOff (exit code", "Error (exit code"), "    log: ", "nonsense", AGAIN),
        memory("registry"),
        quick=True,
    ),
    DeployBlocker(
        "a release that a killed Helm has left, and no time to watch it",
        killed_helm,
        TIMEOUT,
        (f"{AUTH}: timed out waiting for another Helm operation (pending-upgrade)",),
        memory("auth"),
        # With more time, it would be treated as stale.
        timeouts=(20, 20, 20),
    ),
]
