"""The lookups of a status, one function each; a lookup raises RegmirrorError if the value cannot be determined."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from cryptography import x509

from regmirror.config.model import DOCKER_HUB, Upstream
from regmirror.desired import names
from regmirror.desired.registry_config import data_prefix
from regmirror.desired.secret_contents import look_up
from regmirror.distribution.client import RegistryClient
from regmirror.distribution.metrics import CacheFigures, pod_figures
from regmirror.distribution.pull_limit import PREVIEW_IMAGE, ask_pull_limit
from regmirror.errors import ClusterError, PermissionDeniedError, RegistryError, StorageError, StorageUnreachableError
from regmirror.ports.cluster import DEPLOYMENT, POD, Object
from regmirror.ports.object_store import Contents, ObjectStore
from regmirror.status.background import Lookup, Unavailable
from regmirror.status.findings import Cache, Component, PublicEndpoint, PullQuota
from regmirror.verify.live_mirror import LiveMirror, NotDeployedError
from regmirror.verify.sample_pull import parse_image


def component(live: LiveMirror, name: str) -> Component:
    """A Deployment of the mirror, with the image that its ready pods run; raises NotDeployedError if it is missing."""
    deployment = live.cluster.get(DEPLOYMENT, name)
    if deployment is None:
        raise NotDeployedError(f"namespace {live.cluster.namespace} has no Deployment {name}")
    try:
        ready, problem = live.ready_pods(name), live.pod_problem(name)
    except PermissionDeniedError:
        ready, problem = [], ""
    return Component(
        name,
        # Pods of two images may be ready during a rollout: the newest pod counts.
        _image(ready[-1]) if ready else "",
        look_up(deployment, "status", "availableReplicas") or 0,
        deployment["spec"].get("replicas", 1),
        f"{'a new pod' if ready else 'a pod'} does not start: {problem}" if problem else _refused(deployment),
    )


def _image(pod: Object) -> str:
    return str((look_up(pod, "spec", "containers") or [{}])[0].get("image", ""))


def _refused(deployment: Object) -> str:
    """Why no pod can be created; empty if all is well."""
    conditions = look_up(deployment, "status", "conditions") or []
    refused = [condition for condition in conditions if condition.get("reason") == "FailedCreate"]
    return f"no pod can be created: {refused[0].get('message', '')}" if refused else ""


def signing_ends(live: LiveMirror) -> datetime:
    """When the signing certificate expires."""
    return live.signing_certificate().not_valid_after_utc


def public_endpoint(live: LiveMirror, upstream: Upstream) -> PublicEndpoint:
    """The answer of the public host."""
    client = live.client(upstream)
    detour = live.http.detour(live.mirror.host_of(upstream), live.mirror.port)
    reached_at = f"{detour.address}:{detour.port}" if detour else ""
    return PublicEndpoint(client.base, client.request("GET", "/v2/").status, reached_at)


def certificate_ends(live: LiveMirror, upstream: Upstream) -> datetime:
    """When the certificate of the public host expires."""
    host = live.mirror.endpoint_of(upstream)
    try:
        return x509.load_der_x509_certificate(live.http.certificate(host)).not_valid_after_utc
    except ValueError as error:
        raise RegistryError(f"cannot read the certificate of {host}") from error


def cache(live: LiveMirror, upstream: Upstream, ends: float) -> Cache:
    """The counters of the registry pods, summed over those that respond before ``ends`` on the monotonic clock."""
    if not live.mirror.monitoring.metrics:
        raise RegistryError("the pods count nothing: monitoring.metrics is false")
    release = names.registry(upstream.name)
    pods = live.cluster.select(POD, selector=f"app.kubernetes.io/instance={release}")
    running = [pod for pod in pods if look_up(pod, "status", "phase") == "Running"]
    if not running:
        raise ClusterError(f"no pod of {release} is running")
    started = [Lookup(pod_figures, live.cluster, pod["metadata"]["name"], names.METRICS_PORT) for pod in running]
    results = [(pod, lookup.result(ends)) for pod, lookup in zip(running, started, strict=True)]
    responding = [(pod, figures) for pod, figures in results if isinstance(figures, CacheFigures)]
    if not responding:
        raise ClusterError(next(result.reason for _, result in results if isinstance(result, Unavailable)))
    begun = [moment for pod, _ in responding if (moment := _begun(pod))]
    total = sum((figures for _, figures in responding), CacheFigures())
    return Cache(total, min(begun, default=None), len(responding), len(running))


def _begun(pod: Object) -> datetime | None:
    """When a pod began to count: the counters of a restarted container start at 0."""
    statuses = look_up(pod, "status", "containerStatuses") or []
    states = [status for status in statuses if status.get("name") == names.METRICS_CONTAINER]
    moment = look_up((states or [{}])[0], "state", "running", "startedAt") or look_up(pod, "status", "startTime")
    return datetime.fromisoformat(moment) if moment else None


def store(live: LiveMirror, upstream: Upstream, ends: float) -> Contents:
    """The objects of one upstream in the bucket, counted until ``ends`` on the monotonic clock."""
    with reached_store(live, upstream) as bucket:
        return bucket.measure(data_prefix(live.mirror.storage, upstream), ends - time.monotonic())


@contextmanager
def reached_store(live: LiveMirror, upstream: Upstream) -> Iterator[ObjectStore]:
    """The bucket with the registry's key; raises StorageError, also within, if this machine cannot reach it."""
    storage = live.mirror.storage
    if storage.filesystem:
        claim = storage.filesystem.claim or names.registry(upstream.name)
        raise StorageError(f"the data is on PersistentVolumeClaim {claim}, which only Kubernetes can measure")
    account = live.s3_account(upstream) if storage.access_key else None
    if account is None and storage.access_key:
        raise StorageError("the registry's configuration has no S3 key")
    try:
        yield live.connections.open_store(account)
    except StorageUnreachableError:
        where = storage.endpoint or "AWS"
        raise StorageError(f"this machine cannot reach {where}; regmirror verify asks the pods") from None


def pull_quota(live: LiveMirror, upstream: Upstream) -> PullQuota:
    """The pull limit of the mirror's own account, read with a HEAD request, which does not count as a pull."""
    image = PREVIEW_IMAGE if upstream.url == DOCKER_HUB else None
    if image is None and upstream.probe_image:
        image = parse_image(upstream.probe_image)
    if image is None:
        raise RegistryError("no image is known to read the limit with: set probeImage of the upstream")
    account = live.upstream_account(upstream) if upstream.credentials else None
    limit = ask_pull_limit(RegistryClient(live.upstream_http(upstream), upstream.url, account), image)
    return PullQuota(limit, has_account=account is not None)
