"""The step that waits until the Gateways have accepted the routes of the mirror."""

import asyncio
import time
from dataclasses import dataclass

from regmirror.deploy.diff_changes import kind_of
from regmirror.errors import RouteRefusedError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import HTTP_ROUTE, Object
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.routes import ROUTE_KINDS, pending, refusals

ROUTE_STEP = "route"
_POLL = 0.5
_GRACE = 20.0
"""Seconds in which a Gateway may refuse a route: its controller may not have seen the Services or the Gateway yet."""


@dataclass(frozen=True, slots=True)
class RouteStep:
    """Waits for the conditions of every HTTPRoute and ListenerSet of the release; changes nothing.

    A route that is refused for ``_GRACE`` seconds fails the step without waiting for the deadline. A ListenerSet may be
    refused for longer: its certificate may still have to be issued, and its routes wait for it.
    """

    routes: tuple[Object, ...]
    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = ROUTE_STEP
    title: str = "Route"

    async def apply(self, progress: Waiting) -> Done:
        """Raises RouteRefusedError or ClusterError."""
        refused_since: float | None = None
        while True:
            live = await self._live()
            refused = [line for found in live for line in refusals(found)]
            unanswered = [line for found in live for line in pending(found)]
            if not (refused or unanswered) and len(live) == len(self.routes):
                return Done(f"accepted: {', '.join(route['metadata']['name'] for route in self.routes)}")
            refused_since = (refused_since or time.monotonic()) if refused else None
            if refused_since and time.monotonic() - refused_since >= _GRACE and not self._has_listeners:
                raise _error(refused, self.cluster.namespace)
            progress.waiting("\n  ".join(["a Gateway to accept the route", *(refused or unanswered)]))
            await asyncio.sleep(_POLL)

    @property
    def _has_listeners(self) -> bool:
        return any(kind_of(route) != HTTP_ROUTE for route in self.routes)

    async def _live(self) -> list[Object]:
        found = (self.cluster.get(kind_of(route), route["metadata"]["name"]) for route in self.routes)
        return [live for live in await asyncio.gather(*found) if live]


def routes_of(objects: list[Object]) -> tuple[Object, ...]:
    """The objects of a release that a Gateway accepts or refuses, causes first."""
    return tuple(found for kind in ROUTE_KINDS for found in objects if kind_of(found) == kind)


def _error(refused: list[str], namespace: str) -> RouteRefusedError:
    return RouteRefusedError(
        "the Gateway does not accept the route: " + "\n  ".join(refused),
        hint=f"correct ingress.gateway or the Gateway; see: kubectl -n {namespace} describe httproute",
    )
