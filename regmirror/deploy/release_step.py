"""The step that brings one Helm release to what it should be and waits until it serves."""

import asyncio
import time
from dataclasses import dataclass

from regmirror.deploy.steps import Done, Progress
from regmirror.errors import ClusterError, ReleaseStuckError, RolloutTimeoutError
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET, Cluster, Object
from regmirror.ports.helm import DeployedRelease, Helm
from regmirror.stack.material import Material
from regmirror.stack.releases import Release
from regmirror.workloads.rollout import diagnose, is_rolled_out, progress_of, seconds_of_grace

_POLL = 0.5
"""Seconds between two looks at a rollout."""


@dataclass(frozen=True, slots=True)
class ReleaseStep:
    """Installs or upgrades a release where its objects differ from ``wanted``, then waits for its Deployments.

    ``wanted`` is the release as Helm renders it: so that a chart that does not render has changed nothing yet.
    ``deadline`` is on the monotonic clock. ``unlock`` clears the mark of an operation that was killed midway.
    """

    release: Release
    wanted: list[Object]
    helm: Helm
    cluster: Cluster
    material: Material
    deadline: float
    unlock: bool
    needs: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the release."""
        return self.release.name

    @property
    def title(self) -> str:
        """The name of the release: what ``helm list`` shows, too."""
        return self.release.name

    async def apply(self, progress: Progress) -> Done:
        """Raises HelmError, ClusterError or RolloutTimeoutError."""
        deployed = await self.helm.find(self.release.name)
        if deployed and deployed.status.startswith("pending-"):
            await self._clear(deployed)
        if await self._is_current(deployed):
            await self._wait(progress)
            return Done("unchanged")
        progress.waiting(self.title, "helm upgrade --install")
        revision = await self.helm.upgrade(self.release)
        await self._wait(progress)
        return Done(f"revision {revision}", changed=True)

    async def _clear(self, deployed: DeployedRelease) -> None:
        if not self.unlock:
            raise ReleaseStuckError(
                f"the Helm release {self.name} is marked {deployed.status}: another deployment is at work, "
                "or one was killed midway",
                hint="if none is at work: regmirror deploy --unlock",
            )
        # Helm's own record of the unfinished revision; what it had applied stays, and the next upgrade adopts it.
        record = f"sh.helm.release.v1.{self.name}.v{deployed.revision}"
        await asyncio.to_thread(self.cluster.delete, SECRET, record)

    async def _is_current(self, deployed: DeployedRelease | None) -> bool:
        if deployed is None or deployed.status != "deployed":
            return False
        if await self.helm.manifest(self.name) != self.wanted:
            return False
        # Helm compares with what it applied last; whether somebody has changed that since, only the cluster knows.
        return all([await asyncio.to_thread(self.cluster.is_in_place, manifest) for manifest in self.wanted])

    async def _wait(self, progress: Progress) -> None:
        for name in [o["metadata"]["name"] for o in self.wanted if o["kind"] == DEPLOYMENT.kind]:
            await self._wait_for(name, progress)

    async def _wait_for(self, deployment: str, progress: Progress) -> None:
        while True:
            found = await asyncio.to_thread(self.cluster.get, DEPLOYMENT, deployment)
            if found is None:
                raise ClusterError(f"the Deployment {deployment} has disappeared", hint="run the command again")
            if is_rolled_out(found):
                return await self._let_old_pods_go(deployment, progress)
            lines = await asyncio.to_thread(diagnose, self.cluster, deployment)
            trouble = [self.material.redact(line) for line in lines]
            if time.monotonic() > self.deadline:
                raise RolloutTimeoutError(
                    "\n  ".join([f"{deployment} did not become ready in time ({progress_of(found)})", *trouble]),
                    hint=f"kubectl -n {self.cluster.namespace} describe pod -l app.kubernetes.io/instance={deployment}",
                )
            progress.waiting(self.title, "; ".join([progress_of(found), *trouble[:1]]))
            await asyncio.sleep(_POLL)

    async def _let_old_pods_go(self, deployment: str, progress: Progress) -> None:
        """Wait until no Ingress controller sends requests to a pod that is going: its preStop sleep allows for that.

        A client that came in between would be served by the old configuration.
        """
        began = time.monotonic()
        while True:
            pods = await asyncio.to_thread(self.cluster.select, POD, f"app.kubernetes.io/instance={deployment}")
            if time.monotonic() - began >= max(map(seconds_of_grace, pods), default=0):
                return
            progress.waiting(self.title, "old pods are going")
            await asyncio.sleep(_POLL)
