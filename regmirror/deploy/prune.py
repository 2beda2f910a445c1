"""What an upstream leaves behind that is no longer in the file: its release and its Secrets."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from regmirror.deploy.diff_changes import Plan, counted, kind_of, removal
from regmirror.desired import names
from regmirror.desired.releases import Stack
from regmirror.errors import ClusterError, HelmError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import POD, SECRET, Object
from regmirror.ports.helm import Helm, ListedRelease
from regmirror.steps.step import Done, Waiting

_CHARTS = {"redis", "auth", "registry", "ingress"}
_POLL = 0.5
"""Seconds between two looks at the pods."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """By name, in alphabetical order."""

    releases: tuple[str, ...]
    secrets: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.releases or self.secrets)

    def __str__(self) -> str:
        return ", ".join([*self.releases, *(f"Secret {name}" for name in self.secrets)])


def our_releases(found: Iterable[ListedRelease]) -> list[str]:
    """The releases that deploy has made, by their names and charts; others of the namespace are left aside."""
    return sorted(
        one.name for one in found if one.name.startswith(names.PREFIX) and one.chart.rpartition("-")[0] in _CHARTS
    )


def find_orphans(stack: Stack, releases: Iterable[ListedRelease], secrets: Iterable[str]) -> Orphans:
    """What is there and not in the stack; ``secrets`` names those that regmirror has labelled as its own."""
    wanted = {release.name for release in stack.releases}
    known = {manifest["metadata"]["name"] for manifest in stack.secrets} | {names.NEXT_SIGNING_SECRET}
    return Orphans(
        tuple(name for name in our_releases(releases) if name not in wanted), tuple(sorted(set(secrets) - known))
    )


@dataclass(frozen=True, slots=True)
class PruneStep:
    """Takes away what the file no longer has.

    Comes after the Ingress, so that no client is led to what goes. Secrets come last: a run that was killed midway
    finds them, and goes on.
    """

    orphans: Orphans
    helm: Helm
    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = "prune"
    title: str = "No longer in the file"

    async def apply(self, progress: Waiting) -> Done:
        """Raises HelmError or ClusterError."""
        for release in self.orphans.releases:
            await remove_release(release, self.helm, self.cluster, lambda reason: progress.waiting(self.title, reason))
        for secret in self.orphans.secrets:
            progress.waiting(self.title, f"Secret {secret}")
            try:
                await self.cluster.delete(SECRET, secret)
            except ClusterError as error:
                error.left_changes = True
                raise
        return Done(f"removed {self.orphans}", changed=True)

    async def plan(self) -> Plan:
        """Raises HelmError or ClusterError."""
        manifests = await asyncio.gather(*(self.helm.manifest(release) for release in self.orphans.releases))
        looked = await asyncio.gather(*(self._look(found) for manifest in manifests for found in manifest))
        secrets = [_secret(name) for name in self.orphans.secrets]
        objects = (*(removal(found) for found in looked if found), *(removal(secret) for secret in secrets))
        return Plan(counted(objects), True, objects)

    async def _look(self, found: Object) -> Object | None:
        return await self.cluster.get(kind_of(found), found["metadata"]["name"])


def _secret(name: str) -> Object:
    return {"kind": SECRET.kind, "metadata": {"name": name}}


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
