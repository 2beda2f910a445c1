"""A short-lived pod through which this machine uses a store that only pods can reach."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from regmirror.config.model import Mirror, S3Storage
from regmirror.desired import names
from regmirror.desired.way_out import storage_url
from regmirror.errors import ClusterError, StorageUnreachableError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import POD, Object, Right
from regmirror.workloads import store_proxy
from regmirror.workloads.rollout import not_ready_reason

NAME = f"{names.PREFIX}store-proxy"
PORT = 8118
PROXY_RIGHTS = (
    *(Right(verb, "", "pods") for verb in ("get", "create", "delete")),
    Right("create", "", "pods/portforward"),
    Right("get", "", "pods/portforward"),
)
_LIFETIME = 600
"""Seconds after which Kubernetes stops the pod, if this process was killed before it could delete the pod."""
_POLL = 0.3


@asynccontextmanager
async def running_proxy(mirror: Mirror, cluster: AsyncCluster, waiting: Callable[[str], None]) -> AsyncIterator[str]:
    """Run the pod for the duration of the block; yields its name. ``waiting`` receives what it waits for.

    Raises ClusterError if it does not start, and StorageUnreachableError if it cannot connect to the store.
    """
    await _delete(cluster)
    try:
        await cluster.create(proxy_pod(mirror))
        while not await _is_ready(mirror.storage, cluster, waiting):
            await asyncio.sleep(_POLL)
        yield NAME
    finally:
        await cluster.delete(POD, NAME)


async def _delete(cluster: AsyncCluster) -> None:
    """Delete what a killed process left."""
    await cluster.delete(POD, NAME)
    while await cluster.get(POD, NAME):
        await asyncio.sleep(_POLL)


async def _is_ready(storage: S3Storage, cluster: AsyncCluster, waiting: Callable[[str], None]) -> bool:
    pod = await cluster.get(POD, NAME)
    if pod is None:
        raise ClusterError(f"somebody deleted the pod {NAME}, from which the bucket is checked")
    phase = pod.get("status", {}).get("phase")
    if phase in {"Failed", "Succeeded"}:
        log = await asyncio.to_thread(cluster.blocking.log, NAME, "proxy", 1)
        raise StorageUnreachableError(
            f"neither this machine nor a pod can reach the store at {storage.endpoint or 'AWS'}: {log.strip()}",
            hint="check storage.endpoint in the configuration file, and that pods may connect to it",
        )
    if phase == "Running":
        return store_proxy.READY in await asyncio.to_thread(cluster.blocking.log, NAME, "proxy", 1)
    waiting(f"pod {NAME}: {not_ready_reason(pod) or 'starting'}")
    return False


def store_address(storage: S3Storage) -> tuple[str, int]:
    """Host and port of the store; buckets of AWS are names below the host."""
    parts = urlsplit(storage_url(storage))
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def proxy_pod(mirror: Mirror) -> Object:
    """The manifest of the pod, which passes Pod Security ``restricted``."""
    host, port = store_address(mirror.storage)
    settings = mirror.registry
    ids = {} if mirror.pod_security == "assigned" else {"runAsUser": 1000, "runAsGroup": 1000}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": NAME, "labels": names.labels("store-proxy")},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": _LIFETIME,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "nodeSelector": settings.node_selector,
            "tolerations": settings.tolerations,
            "imagePullSecrets": [{"name": name} for name in settings.image_pull_secrets],
            "securityContext": {"runAsNonRoot": True, **ids, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [_container(mirror.fetcher.image, host, port)],
        },
    }


def _container(image: str, host: str, port: int) -> Object:
    return {
        "name": "proxy",
        "image": image,
        "command": ["python3", "-c", inspect.getsource(store_proxy), host, str(port), str(PORT)],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi", "ephemeral-storage": "16Mi"},
            "limits": {"memory": "128Mi", "ephemeral-storage": "64Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
