"""The step that installs or upgrades one Helm release and waits for its rollout."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from regmirror.deploy.diff_changes import (
    ForeignField,
    ObjectChange,
    StepDiff,
    as_foreign_fields,
    count_actions,
    diff_object,
    kind_of,
    object_created,
    object_removed,
)
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import Release
from regmirror.errors import ChartError, ClusterError, ClusterUnreachableError, HelmError, RegmirrorError
from regmirror.errors.remedies import suggest_remedy
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET, Kind, Object
from regmirror.ports.helm import DeployedRelease, Helm, ListedRelease
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.rollout import diagnose, is_rolled_out, old_pods_serve, pre_stop_seconds, progress_of

_POLL = 0.5
"""Seconds between two requests while waiting."""
_STALE_LOCK = 30.0
"""Seconds without progress after which a pending operation of Helm is treated as killed."""

_DEPLOYED = "deployed"
"""Helm's status of a release whose last operation succeeded."""


@dataclass(frozen=True, slots=True)
class ReleaseStep:
    """Installs or upgrades a release if its objects differ from ``wanted``, then waits for its Deployments.

    ``wanted`` is the release as Helm renders it, which was done before anything changed. ``unlock`` clears a stale lock
    of Helm immediately. ``revision`` is set for a rollback: the revision that has the objects ``wanted``.
    """

    release: Release
    wanted: list[Object]
    helm: Helm
    cluster: AsyncCluster
    mirror_secrets: MirrorSecrets
    unlock: bool
    needs: tuple[str, ...]
    existing: ListedRelease | None = None
    """The release as it was when the deployment started; a diff compares with it."""
    revision: int | None = None

    @property
    def name(self) -> str:
        """The name of the release."""
        return self.release.name

    @property
    def title(self) -> str:
        """The name of the release, as in ``helm list``."""
        return self.release.name

    async def apply(self, progress: Waiting) -> Done:
        """Raises HelmError or ClusterError."""
        deployed = await self._wait_for_lock(progress)
        # A release whose last operation failed is upgraded even if its objects are as wanted.
        status = deployed.status if deployed else None
        if status == _DEPLOYED and not (await self._diff(status)).changed:
            await self._wait(progress)
            return Done("unchanged")
        revision = await self._upgrade(progress)
        try:
            await self._wait(progress)
        except RegmirrorError as error:
            error.left_changes = True
            raise
        return Done(f"revision {revision}" + (f", as {self.revision}" if self.revision else ""), changed=True)

    async def _wait_for_lock(self, progress: Waiting) -> DeployedRelease | None:
        """The release, once no operation on it is pending; clears the lock of an operation that was killed.

        Only time shows whether an operation is running or was killed: regmirror's own Helm does not wait for pods, so
        it ends within seconds.
        """
        seen, since = None, time.monotonic()
        while (newest := await self.helm.find(self.name)) and newest.status.startswith("pending-"):
            if newest != seen:
                seen, since = newest, time.monotonic()
            left = _STALE_LOCK - (time.monotonic() - since)
            if self.unlock or left <= 0:
                # Helm's record of the revision; the objects that it applied stay, and the next upgrade adopts them.
                record = f"sh.helm.release.v1.{self.name}.v{newest.revision}"
                await self.cluster.delete(SECRET, record)
            else:
                progress.waiting(
                    f"another Helm operation ({newest.status}); treated as stale after {left:.0f}s without progress"
                )
                await asyncio.sleep(_POLL)
        return newest

    async def _upgrade(self, progress: Waiting) -> int:
        """Upgrade, or roll back to ``revision``; returns the new revision."""
        progress.waiting("helm rollback" if self.revision else "helm upgrade --install")
        try:
            if self.revision:
                return await self.helm.rollback(self.name, self.revision)
            return await self.helm.upgrade(self.release)
        except HelmError as error:
            history = f"see the history of the release: helm -n {self.cluster.namespace} history {self.name}"
            raise error.reworded(
                self.mirror_secrets.redact(f"{self.name}: {error.message}"),
                hint=error.hint or suggest_remedy(error.message) or history,
                # Helm applies one object after the other.
                left_changes=not isinstance(error, ChartError),
            ) from error

    async def changed_since(self) -> list[ObjectChange]:
        """The objects that are not as they were applied. Raises ClusterError."""
        results = await asyncio.gather(*(self._compare(wanted, wanted) for wanted in self.wanted))
        return [change for change, _ in results if change]

    async def diff(self) -> StepDiff:
        """Raises HelmError or ClusterError."""
        return await self._diff(self.existing.status if self.existing else None)

    async def _diff(self, status: str | None) -> StepDiff:
        """``status`` is None if the release does not exist."""
        manifest = await self.helm.manifest(self.name) if status else []
        before = {_identity(target): target for target in manifest}
        # Helm compares with what it applied last; only the cluster knows what others changed since.
        compared = [self._compare(wanted, before.pop(_identity(wanted), None)) for wanted in self.wanted]
        results = await asyncio.gather(*compared, *(self._compare_dropped(target) for target in before.values()))
        objects = tuple(change for change, _ in results if change)
        foreign = tuple(field for _, fields in results for field in fields)
        detail = count_actions(objects)
        if status is None:
            return StepDiff("would be installed", True, objects, foreign)
        if status != _DEPLOYED:
            return StepDiff(f"status {status}; {detail}", True, objects, foreign)
        return StepDiff(detail, bool(objects) or manifest != self.wanted, objects, foreign)

    async def _compare(self, wanted: Object, before: Object | None) -> tuple[ObjectChange | None, list[ForeignField]]:
        kind, name = kind_of(wanted), wanted["metadata"]["name"]
        live = await self.cluster.get(kind, name)
        if live is None:
            return object_created(wanted, was_there=before is not None), []
        after = await self.cluster.preview(wanted)
        return diff_object(before, wanted, live, after, self._redact), as_foreign_fields(wanted, live, after)

    async def _compare_dropped(self, before: Object) -> tuple[ObjectChange | None, list[ForeignField]]:
        live = await self.cluster.get(kind_of(before), before["metadata"]["name"])
        return (object_removed(before) if live else None), []

    def _redact(self, value: Any) -> Any:
        return self.mirror_secrets.redact(value) if isinstance(value, str) else value

    async def _wait(self, progress: Waiting) -> None:
        for name in [o["metadata"]["name"] for o in self.wanted if o["kind"] == DEPLOYMENT.kind]:
            await self._wait_for(name, progress)

    async def _wait_for(self, deployment: str, progress: Waiting) -> None:
        while True:
            try:
                if await self._is_ready(deployment, progress):
                    return await self._wait_for_drain(deployment, progress)
            except ClusterUnreachableError as error:
                # A restarting API server comes back, and the pods keep running meanwhile.
                progress.waiting(error.message)
            await asyncio.sleep(_POLL)

    async def _is_ready(self, deployment: str, progress: Waiting) -> bool:
        live = await self.cluster.get(DEPLOYMENT, deployment)
        if live is None:
            raise ClusterError(f"the Deployment {deployment} was deleted", hint="regmirror deploy")
        if is_rolled_out(live):
            return True
        reasons = await self.cluster.run(diagnose, deployment)
        lines = [f"Deployment {deployment} ({progress_of(live)})", *(f"  {line}" for line in reasons)]
        if old_pods_serve(live):
            lines.append("  the old pods still serve")
        progress.waiting(self.mirror_secrets.redact("\n".join(lines)))
        return False

    async def _wait_for_drain(self, deployment: str, progress: Waiting) -> None:
        """Wait until no Ingress controller sends requests to a terminating pod, which its preStop sleep covers.

        Until then, a client may be served by the old configuration.
        """
        started = time.monotonic()
        while True:
            pods = await self.cluster.select(POD, f"app.kubernetes.io/instance={deployment}")
            if time.monotonic() - started >= max(map(pre_stop_seconds, pods), default=0):
                return
            progress.waiting("old pods to terminate")
            await asyncio.sleep(_POLL)


def _identity(target: Object) -> tuple[Kind, str]:
    return kind_of(target), target["metadata"]["name"]
