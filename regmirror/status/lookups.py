"""The lookups of a status, one function each; each raises RegmirrorError where the thing cannot be seen."""

import time
from datetime import datetime

from cryptography import x509

from regmirror.config.model import DOCKER_HUB, Upstream
from regmirror.desired import names
from regmirror.desired.registry_config import storage_prefix
from regmirror.desired.secret_contents import look_up
from regmirror.distribution.client import RegistryClient
from regmirror.distribution.metrics import CacheFigures, pod_figures
from regmirror.distribution.pull_limit import PREVIEW_IMAGE, ask_pull_limit
from regmirror.distribution.reference import parse_image
from regmirror.errors import ClusterError, RegistryError, StorageError, StorageUnreachableError
from regmirror.ports.cluster import DEPLOYMENT, POD, Object
from regmirror.ports.object_store import Contents
from regmirror.signing.bundle import parse_bundle
from regmirror.status.background import Lookup, Unavailable
from regmirror.status.findings import Cache, Component, PublicEndpoint, Pulls
from regmirror.verify.live_mirror import LiveMirror, NotDeployedError


def component(live: LiveMirror, name: str) -> Component:
    """A Deployment of the mirror."""
    found = live.cluster.get(DEPLOYMENT, name)
    if found is None:
        raise NotDeployedError(f"namespace {live.cluster.namespace} has no Deployment {name}")
    containers = look_up(found, "spec", "template", "spec", "containers") or [{}]
    ready = look_up(found, "status", "availableReplicas") or 0
    return Component(name, containers[0].get("image", ""), ready, found["spec"].get("replicas", 1))


def signing_ends(live: LiveMirror) -> datetime:
    """When the signing certificate ends."""
    return parse_bundle(live.secret(names.SIGNING_SECRET).get("tls.crt", b""))[0].not_valid_after_utc


def public_endpoint(live: LiveMirror, upstream: Upstream) -> PublicEndpoint:
    """What the public host answers."""
    client = live.client(upstream)
    return PublicEndpoint(client.base, client.request("GET", "/v2/").status)


def certificate_ends(live: LiveMirror, upstream: Upstream) -> datetime:
    """When the certificate ends that the public host presents."""
    host = live.mirror.host_of(upstream)
    try:
        return x509.load_der_x509_certificate(live.http.certificate(host)).not_valid_after_utc
    except ValueError as error:
        raise RegistryError(f"the certificate of {host} cannot be read") from error


def cache(live: LiveMirror, upstream: Upstream, ends: float) -> Cache:
    """What the registry's pods did, summed over those that answer before ``ends`` on the monotonic clock."""
    release = names.registry(upstream.name)
    pods = live.cluster.select(POD, selector=f"app.kubernetes.io/instance={release}")
    running = [pod for pod in pods if look_up(pod, "status", "phase") == "Running"]
    if not running:
        raise ClusterError(f"no pod of {release} is running")
    asked = [Lookup(pod_figures, live.cluster, pod["metadata"]["name"]) for pod in running]
    settled = [(pod, lookup.found(ends)) for pod, lookup in zip(running, asked, strict=True)]
    answered = [(pod, found) for pod, found in settled if isinstance(found, CacheFigures)]
    if not answered:
        raise ClusterError(next(found.why for _, found in settled if isinstance(found, Unavailable)))
    begun = [moment for pod, _ in answered if (moment := _begun(pod))]
    total = sum((figures for _, figures in answered), CacheFigures())
    return Cache(total, min(begun, default=None), len(answered), len(running))


def _begun(pod: Object) -> datetime | None:
    """When the process in a pod began: a container that was restarted counts anew."""
    name = (look_up(pod, "spec", "containers") or [{}])[0].get("name")
    # Not in the order of the spec.
    states = [one for one in look_up(pod, "status", "containerStatuses") or [] if one.get("name") == name]
    moment = look_up((states or [{}])[0], "state", "running", "startedAt") or look_up(pod, "status", "startTime")
    return datetime.fromisoformat(moment) if moment else None


def store(live: LiveMirror, upstream: Upstream, ends: float) -> Contents:
    """What the bucket holds for one upstream, counted until ``ends`` on the monotonic clock."""
    storage = live.mirror.storage
    account = live.s3_account(upstream)
    if account is None and storage.access_key:
        raise StorageError("the registry's configuration lacks its S3 key")
    try:
        prefix = storage_prefix(storage, upstream).removeprefix("/") + "/"
        return live.connections.open_store(account).measure(prefix, ends - time.monotonic())
    except StorageUnreachableError:
        if storage.is_inside_cluster:
            raise StorageError(f"{storage.endpoint} can be reached from inside the cluster only") from None
        raise


def pulls(live: LiveMirror, upstream: Upstream) -> Pulls:
    """What the upstream still grants to the mirror's own account, asked by a HEAD, which takes no pull."""
    image = PREVIEW_IMAGE if upstream.url == DOCKER_HUB else None
    if image is None and upstream.probe_image:
        image = parse_image(upstream.probe_image)
    if image is None:
        raise RegistryError("no image to ask about is known: set probeImage of the upstream")
    account = live.upstream_account(upstream)
    limit = ask_pull_limit(RegistryClient(live.http, upstream.url, account), image)
    return Pulls(limit, has_account=account is not None)
