"""Finds and removes the releases and Secrets of upstreams that are no longer in the file."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from regmirror.config.chart import CHART_NAMES
from regmirror.deploy.diff_changes import StepDiff, count_actions, kind_of, object_removed
from regmirror.desired import names
from regmirror.desired.releases import Stack
from regmirror.errors import ClusterError, HelmError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import POD, SECRET, Object
from regmirror.ports.helm import Helm, ListedRelease
from regmirror.steps.step import Done, Waiting

PRUNE_STEP = "prune"
_CHARTS = {
    *("redis", "auth", "registry", "certificates", "monitoring", "job", "ingress", "endpoint"),
    *CHART_NAMES.values(),
}
"""regmirror's own, and those that the file may name instead."""
_POLL = 0.5
"""Seconds between two requests for the pods of a removed release."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """Releases and Secrets that are in the cluster and no longer in the file; by name, in alphabetical order."""

    releases: tuple[str, ...]
    secrets: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.releases or self.secrets)

    @property
    def names(self) -> list[str]:
        """Each with its kind."""
        return [*(f"release {name}" for name in self.releases), *(f"Secret {name}" for name in self.secrets)]


def our_releases(listed: Iterable[ListedRelease]) -> list[str]:
    """The releases that regmirror deployed, by their names and charts; other releases of the namespace are ignored."""
    return sorted(
        release.name for release in listed if release.name.startswith(names.PREFIX) and release.chart_name in _CHARTS
    )


def find_orphans(stack: Stack, releases: Iterable[ListedRelease], secrets: Iterable[str]) -> Orphans:
    """What exists and is not in the stack; ``secrets`` are the names of those with regmirror's label."""
    wanted = {release.name for release in stack.releases}
    wanted_secrets = {manifest["metadata"]["name"] for manifest in stack.secrets}
    # Written by other commands.
    known = wanted_secrets | {names.NEXT_SIGNING_SECRET, names.USERS_SECRET}
    return Orphans(
        tuple(name for name in our_releases(releases) if name not in wanted), tuple(sorted(set(secrets) - known))
    )


@dataclass(frozen=True, slots=True)
class PruneStep:
    """Removes orphans.

    Runs after the Ingress is changed, so that no client reaches what is removed. Secrets are removed last: a run that
    is killed midway leaves them, so that the next run finds the orphans again.
    """

    orphans: Orphans
    helm: Helm
    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = PRUNE_STEP
    title: str = "Prune"

    async def apply(self, progress: Waiting) -> Done:
        """Raises HelmError or ClusterError."""
        for release in self.orphans.releases:
            await remove_release(release, self.helm, self.cluster, progress.waiting)
        for secret in self.orphans.secrets:
            progress.waiting(f"Secret {secret}")
            try:
                await self.cluster.delete(SECRET, secret)
            except ClusterError as error:
                error.left_changes = True
                raise
        return Done(f"removed {', '.join(self.orphans.names)}", changed=True)

    async def diff(self) -> StepDiff:
        """Raises HelmError or ClusterError."""
        manifests = await asyncio.gather(*(self.helm.manifest(release) for release in self.orphans.releases))
        live = await asyncio.gather(
            *(self.cluster.get(kind_of(o), o["metadata"]["name"]) for manifest in manifests for o in manifest)
        )
        removed = [*(target for target in live if target), *(_secret(name) for name in self.orphans.secrets)]
        objects = tuple(map(object_removed, removed))
        return StepDiff(count_actions(objects), True, objects)


async def remove_release(name: str, helm: Helm, cluster: AsyncCluster, waiting: Callable[[str], None]) -> None:
    """Uninstall a release, which may be missing, and wait until its pods have ended.

    ``waiting`` is called with what it waits for. Raises HelmError or ClusterError.
    """
    waiting(f"helm uninstall {name}")
    try:
        await helm.uninstall(name)
    except HelmError as error:
        # Helm deletes one object after the other.
        raise error.reworded(f"{name}: {error.message}", left_changes=True) from error
    selector = f"app.kubernetes.io/instance={name}"
    while pods := await cluster.select(POD, selector):
        waiting(f"pods to terminate: {', '.join(sorted(_described(pod) for pod in pods))}")
        await asyncio.sleep(_POLL)


def _described(pod: Object) -> str:
    finalizers = pod["metadata"].get("finalizers") or []
    held = f" (held by the finalizer {', '.join(finalizers)})" if finalizers else ""
    return f"{pod['metadata']['name']}{held}"


def _secret(name: str) -> Object:
    return {"kind": SECRET.kind, "metadata": {"name": name}}
