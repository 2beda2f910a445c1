"""Takes a Helm release away and waits until its pods are gone."""

import asyncio
from collections.abc import Callable

from regmirror.errors import HelmError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import POD, Object
from regmirror.ports.helm import Helm

_POLL = 0.5
"""Seconds between two looks at the pods."""


async def remove_release(name: str, helm: Helm, cluster: AsyncCluster, waiting: Callable[[str], None]) -> None:
    """Uninstall a release, which may be gone already, and wait for its pods to end; ``waiting`` hears of what.

    Raises HelmError or ClusterError.
    """
    waiting(f"helm uninstall {name}")
    try:
        await helm.uninstall(name)
    except HelmError as error:
        # Helm deletes one object after the other.
        error.left_changes = True
        error.message = f"{name}: {error.message}"
        raise
    selector = f"app.kubernetes.io/instance={name}"
    while pods := await cluster.select(POD, selector):
        waiting(f"pods are going: {', '.join(sorted(_described(pod) for pod in pods))}")
        await asyncio.sleep(_POLL)


def _described(pod: Object) -> str:
    finalizers = pod["metadata"].get("finalizers") or []
    held = f" (held by the finalizer {', '.join(finalizers)})" if finalizers else ""
    return f"{pod['metadata']['name']}{held}"
