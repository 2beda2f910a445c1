"""The step that brings one Helm release to what it should be and waits until it serves."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from regmirror.deploy.diff_changes import (
    ForeignField,
    ObjectChange,
    Plan,
    as_foreign_fields,
    counted,
    creation,
    diff_object,
    kind_of,
    removal,
)
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import Release
from regmirror.errors import ChartError, ClusterError, ClusterUnreachableError, HelmError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET, Kind, Object
from regmirror.ports.helm import DeployedRelease, Helm, ListedRelease
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.remedies import suggest_remedy
from regmirror.workloads.rollout import diagnose, is_rolled_out, pre_stop_seconds, progress_of

_POLL = 0.5
"""Seconds between two looks at a rollout."""
_PATIENCE = 30.0
"""Seconds without a sign of life after which an operation of Helm is taken for killed."""

_ENDED_WELL = "deployed"


@dataclass(frozen=True, slots=True)
class ReleaseStep:
    """Installs or upgrades a release where its objects differ from ``wanted``, then waits for its Deployments.

    ``wanted`` is the release as Helm renders it: so that a chart that does not render has changed nothing yet.
    ``unlock`` takes an operation that Helm has marked as going on for killed at once, instead of after a while.
    ``back_to`` is the revision that ``wanted`` is of, where an earlier one is to be put back.
    """

    release: Release
    wanted: list[Object]
    helm: Helm
    cluster: AsyncCluster
    mirror_secrets: MirrorSecrets
    unlock: bool
    needs: tuple[str, ...]
    listed: ListedRelease | None = None
    """The release as it was found when the deployment began; what a plan goes by."""
    back_to: int | None = None

    @property
    def name(self) -> str:
        """The name of the release."""
        return self.release.name

    @property
    def title(self) -> str:
        """The name of the release: what ``helm list`` shows, too."""
        return self.release.name

    async def apply(self, progress: Waiting) -> Done:
        """Raises HelmError or ClusterError."""
        deployed = await self._settled(progress)
        # Anything but a release that ended well is upgraded, whatever its objects are.
        status = deployed.status if deployed else None
        if status == _ENDED_WELL and not (await self._plan(status)).changed:
            await self._wait(progress)
            return Done("unchanged")
        revision = await self._bring(progress)
        await self._wait(progress)
        return Done(f"revision {revision}" + (f", as {self.back_to}" if self.back_to else ""), changed=True)

    async def _settled(self, progress: Waiting) -> DeployedRelease | None:
        """The release, once nobody works on it; clears the mark of an operation that was killed midway.

        Whether somebody is at work or was killed, only time tells: our own Helm waits for no pod, so that it is done
        with a release within seconds.
        """
        seen, since = None, time.monotonic()
        while (found := await self.helm.find(self.name)) and found.status.startswith("pending-"):
            if found != seen:
                seen, since = found, time.monotonic()
            left = _PATIENCE - (time.monotonic() - since)
            if self.unlock or left <= 0:
                # Helm's own record of the revision; what it had applied stays, and the next upgrade adopts it.
                record = f"sh.helm.release.v1.{self.name}.v{found.revision}"
                await self.cluster.delete(SECRET, record)
            else:
                progress.waiting(
                    self.title,
                    f"whoever works on the Helm release (it is marked {found.status}); "
                    f"taken for killed if nothing happens for {left:.0f}s",
                )
                await asyncio.sleep(_POLL)
        return found

    async def _bring(self, progress: Waiting) -> int:
        progress.waiting(self.title, "helm rollback" if self.back_to else "helm upgrade --install")
        try:
            if self.back_to:
                return await self.helm.rollback(self.name, self.back_to)
            return await self.helm.upgrade(self.release)
        except HelmError as error:
            # Helm applies one object after the other.
            error.left_changes = not isinstance(error, ChartError)
            error.message = self.mirror_secrets.redact(f"{self.name}: {error.message}")
            history = f"helm -n {self.cluster.namespace} history {self.name}"
            error.hint = error.hint or suggest_remedy(error.message) or f"see also: {history}"
            raise

    async def plan(self) -> Plan:
        """Raises HelmError or ClusterError."""
        return await self._plan(self.listed.status if self.listed else None)

    async def _plan(self, status: str | None) -> Plan:
        """``status`` is None where there is no release."""
        manifest = await self.helm.manifest(self.name) if status else []
        before = {_identity(found): found for found in manifest}
        # Helm compares with what it applied last; whether somebody has changed that since, only the cluster knows.
        looks = [self._look(wanted, before.pop(_identity(wanted), None)) for wanted in self.wanted]
        looked = await asyncio.gather(*looks, *(self._look_at_dropped(found) for found in before.values()))
        objects = tuple(change for change, _ in looked if change)
        kept = tuple(one for _, found in looked for one in found)
        detail = counted(objects)
        if status is None:
            return Plan("would be installed", True, objects, kept)
        if status != _ENDED_WELL:
            return Plan(f"marked {status}; {detail}", True, objects, kept)
        return Plan(detail, bool(objects) or manifest != self.wanted, objects, kept)

    async def _look(self, wanted: Object, before: Object | None) -> tuple[ObjectChange | None, list[ForeignField]]:
        kind, name = kind_of(wanted), wanted["metadata"]["name"]
        live = await self.cluster.get(kind, name)
        if live is None:
            return creation(wanted, was_there=before is not None), []
        after = await self.cluster.preview(wanted)
        return diff_object(before, wanted, live, after, self._shown), as_foreign_fields(wanted, live, after)

    async def _look_at_dropped(self, before: Object) -> tuple[ObjectChange | None, list[ForeignField]]:
        live = await self.cluster.get(kind_of(before), before["metadata"]["name"])
        return (removal(before) if live else None), []

    def _shown(self, value: Any) -> Any:
        return self.mirror_secrets.redact(value) if isinstance(value, str) else value

    async def _wait(self, progress: Waiting) -> None:
        for name in [o["metadata"]["name"] for o in self.wanted if o["kind"] == DEPLOYMENT.kind]:
            await self._wait_for(name, progress)

    async def _wait_for(self, deployment: str, progress: Waiting) -> None:
        while True:
            try:
                if await self._is_ready(deployment, progress):
                    return await self._let_old_pods_go(deployment, progress)
            except ClusterUnreachableError as error:
                # An API server that is restarted comes back: what runs in the cluster does not stop for it.
                progress.waiting(self.title, error.message)
            await asyncio.sleep(_POLL)

    async def _is_ready(self, deployment: str, progress: Waiting) -> bool:
        found = await self.cluster.get(DEPLOYMENT, deployment)
        if found is None:
            raise ClusterError(f"the Deployment {deployment} has disappeared", hint="deploy again")
        if is_rolled_out(found):
            return True
        trouble = await self.cluster.run(diagnose, deployment)
        lines = [f"Deployment {deployment} ({progress_of(found)})", *(f"  {line}" for line in trouble)]
        progress.waiting(self.title, self.mirror_secrets.redact("\n".join(lines)))
        return False

    async def _let_old_pods_go(self, deployment: str, progress: Waiting) -> None:
        """Wait until no Ingress controller sends requests to a pod that is going: its preStop sleep allows for that.

        A client that came in between would be served by the old configuration.
        """
        began = time.monotonic()
        while True:
            pods = await self.cluster.select(POD, f"app.kubernetes.io/instance={deployment}")
            if time.monotonic() - began >= max(map(pre_stop_seconds, pods), default=0):
                return
            progress.waiting(self.title, "old pods are going")
            await asyncio.sleep(_POLL)


def _identity(found: Object) -> tuple[Kind, str]:
    return kind_of(found), found["metadata"]["name"]
