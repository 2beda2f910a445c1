"""A cluster for code that runs on the event loop."""

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from regmirror.ports.cluster import Applied, Cluster, Kind, Object

P = ParamSpec("P")
T = TypeVar("T")


class AsyncCluster:
    """The async view of a ``Cluster``: each call runs in a thread of its own and raises what ``Cluster`` raises."""

    def __init__(self, blocking: Cluster) -> None:
        self.blocking = blocking

    @property
    def context(self) -> str:
        """Name of the kubeconfig context in use."""
        return self.blocking.context

    @property
    def namespace(self) -> str:
        """The namespace of every namespaced call."""
        return self.blocking.namespace

    async def run(self, call: Callable[Concatenate[Cluster, P], T], /, *arguments: P.args, **options: P.kwargs) -> T:
        """Call a function that works on the blocking cluster."""
        return await asyncio.to_thread(call, self.blocking, *arguments, **options)

    async def get(self, kind: Kind, name: str) -> Object | None:
        """As ``Cluster.get``."""
        return await asyncio.to_thread(self.blocking.get, kind, name)

    async def select(self, kind: Kind, selector: str = "") -> list[Object]:
        """As ``Cluster.select``, in the namespace."""
        return await asyncio.to_thread(self.blocking.select, kind, selector)

    async def apply(self, manifest: Object) -> Applied:
        """As ``Cluster.apply``."""
        return await asyncio.to_thread(self.blocking.apply, manifest)

    async def create(self, manifest: Object) -> None:
        """As ``Cluster.create``."""
        await asyncio.to_thread(self.blocking.create, manifest)

    async def replace(self, found: Object) -> None:
        """As ``Cluster.replace``."""
        await asyncio.to_thread(self.blocking.replace, found)

    async def preview(self, manifest: Object) -> Object:
        """As ``Cluster.preview``."""
        return await asyncio.to_thread(self.blocking.preview, manifest)

    async def delete(self, kind: Kind, name: str) -> None:
        """As ``Cluster.delete``."""
        await asyncio.to_thread(self.blocking.delete, kind, name)
