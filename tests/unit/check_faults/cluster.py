"""Faults of the cluster and of the mirror's pods."""

from __future__ import annotations

from regmirror.desired import names
from regmirror.ports.cluster import DEPLOYMENT, ENDPOINT_SLICE, Right
from tests.fakes.cluster import FakeCluster
from tests.unit.check_faults.table import FaultTable, reconfigure, set_container_status
from tests.unit.deployed import Deployed

fault = FaultTable()


@fault("cluster-version", "the cluster runs Kubernetes 1.29; 1.30 or later is required")
def old_cluster(mirror: Deployed) -> None:
    mirror.cluster.server_version = (1, 29)


@fault("cluster-permissions", "the user of context fake may not, in namespace regmirror: get pods/log")
def missing_permission(mirror: Deployed) -> None:
    mirror.cluster.denied.add(Right("get", "", "pods/log"))


@fault("cluster-deployed", "namespace regmirror does not contain a mirror")
def nothing_deployed(mirror: Deployed) -> None:
    mirror.cluster = FakeCluster()


@fault("cluster-deployed", "namespace regmirror does not exist")
def no_namespace(mirror: Deployed) -> None:
    mirror.cluster = FakeCluster(exists=False)


@fault(
    "cluster-versions",
    "docker.io/library/registry:3.0.0 is older than 3.1.2: older versions pass on and keep content that does not match",
)
def old_registry(mirror: Deployed) -> None:
    reconfigure(mirror, registry={"image": "docker.io/library/registry:3.0.0"})


@fault("cluster-versions", "docker.io/cesanta/docker_auth:v1.13.0 is older than 1.14.0: older versions use key ids")
def old_auth(mirror: Deployed) -> None:
    reconfigure(mirror, auth={"image": "docker.io/cesanta/docker_auth:v1.13.0"})


@fault("cluster-images", "pod regmirror-docker-hub-0: an-image:1: no such host")
def unavailable_image(mirror: Deployed) -> None:
    set_container_status(mirror, state={"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}})


@fault("cluster-pods", "regmirror-auth is scaled to 0 instead of 1")
def scaled_to_zero(mirror: Deployed) -> None:
    mirror.change(DEPLOYMENT, names.AUTH, lambda found: found["spec"].update(replicas=0))


@fault("cluster-pods", "namespace regmirror has no Deployment regmirror-redis")
def no_redis(mirror: Deployed) -> None:
    mirror.cluster.delete(DEPLOYMENT, names.REDIS)


@fault("cluster-pods", "regmirror-auth: 0/1 ready")
def not_ready(mirror: Deployed) -> None:
    mirror.cluster.rollouts[names.AUTH] = [{"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1}]


@fault("cluster-services", "no ready endpoint: Service regmirror-redis")
def wrong_selector(mirror: Deployed) -> None:
    mirror.change(ENDPOINT_SLICE, names.REDIS, lambda found: found.update(endpoints=None))


@fault(
    "cluster-restarts",
    "pod regmirror-docker-hub-0, container main: 3 restarts, last: OOMKilled (exit code 137)",
)
def out_of_memory(mirror: Deployed) -> None:
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-23T10:00:00Z"}
    set_container_status(mirror, restartCount=3, lastState={"terminated": ended})
