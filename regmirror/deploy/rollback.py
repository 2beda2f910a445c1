"""Puts back what served before a deployment that failed: its Secrets, then its releases."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from regmirror.deploy.public_check import ProofStep
from regmirror.deploy.release import ReleaseStep
from regmirror.deploy.steps import DeployOptions, DesiredState
from regmirror.desired import names
from regmirror.errors import InterruptedRunError, PartlyAppliedError, RegmirrorError, RolledBackError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import DEPLOYMENT, INGRESS, SECRET, Object
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress, Step, Waiting
from regmirror.workloads.rollout import is_rolled_out, progress_of

_SECRETS_STEP = "secrets of before"
_OF_THE_KEY = {names.SIGNING_SECRET, names.BUNDLE_SECRET}
"""What a rotation alone replaces: an older key must never come back."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What stood in the cluster before a deployment."""

    secrets: Mapping[str, Object]
    revisions: dict[str, int]
    """By release: the revision that served."""
    objects: dict[str, list[Object]]
    """By release: what that revision consists of."""
    fault: str | None
    """Why this is nothing to go back to; None where it served."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The public hosts of before."""
        ingresses = [found for objects in self.objects.values() for found in objects if found["kind"] == INGRESS.kind]
        return tuple(sorted({rule["host"] for found in ingresses for rule in found["spec"]["rules"]}))


async def take_snapshot(releases: list[str], connections: Connections, secrets: list[Object]) -> Snapshot:
    """What stands in the cluster now. Raises HelmError or ClusterError."""
    found = {name: await connections.helm.find(name) for name in releases}
    there = {name: one for name, one in found.items() if one}
    objects = {name: await connections.helm.manifest(name) for name in there}
    faults = [f"{name} was {one.status}" for name, one in there.items() if one.status != "deployed"]
    for name in [found["metadata"]["name"] for all_of in objects.values() for found in all_of if _is_deployment(found)]:
        live = await connections.cluster.get(DEPLOYMENT, name)
        if live is None or not is_rolled_out(live):
            faults.append(f"{name} was not as it should be ({progress_of(live) if live else 'it was missing'})")
    if not there:
        faults.append("nothing was deployed")
    by_name = {secret["metadata"]["name"]: secret for secret in secrets}
    return Snapshot(by_name, {name: one.revision for name, one in there.items()}, objects, "; ".join(faults) or None)


def rollback_steps(
    before: Snapshot, desired: DesiredState, connections: Connections, options: DeployOptions
) -> list[Step]:
    """What brings the cluster back, and proves it."""
    steps: list[Step] = [RestoreSecretsStep(connections.cluster, before, tuple(_names(desired)))]
    for release in desired.stack.releases:
        if release.name in before.revisions:
            steps.append(
                ReleaseStep(
                    release,
                    before.objects[release.name],
                    connections.helm,
                    connections.cluster,
                    desired.mirror_secrets,
                    # Whatever is marked as going on now is our own, and was stopped.
                    unlock=True,
                    needs=(_SECRETS_STEP, *(need for need in release.needs if need in before.revisions)),
                    back_to=before.revisions[release.name],
                )
            )
        else:
            steps.append(RemoveReleaseStep(release.name, connections.helm, needs=(_SECRETS_STEP,)))
    if before.hosts and not options.skip_verify:
        steps.append(ProofStep(before.hosts, connections.http, needs=tuple(before.revisions)))
    return steps


async def rolled_back(
    error: RegmirrorError,
    before: Snapshot,
    desired: DesiredState,
    connections: Connections,
    progress: Progress,
    timeout: timedelta,
    options: DeployOptions,
) -> RegmirrorError:
    """Go back to what was before; gives the error to be told."""
    if before.fault:
        error.message += f"\n  not rolled back: before this deployment, {before.fault}; what was done stays"
        return error
    steps = rollback_steps(before, desired, connections, options)
    why = _told(error.causes)
    try:
        await run_steps(steps, progress, time.monotonic() + timeout.total_seconds())
    except InterruptedRunError:
        raise
    except RegmirrorError as another:
        failed = PartlyAppliedError(
            f"the deployment failed: {why}\nand could not be rolled back: {_told(another.causes or (another,))}",
            hint=another.hint,
        )
        failed.causes = (*error.causes, another)
        return failed
    served = f"https://{', '.join(before.hosts)} serves" if not options.skip_verify else "what was before is back"
    done = RolledBackError(
        f"the deployment failed and was rolled back, {served} as before: {why}", hint=error.causes[0].hint
    )
    done.causes, done.exit_code = error.causes, error.causes[0].exit_code
    return done


def _told(errors: Sequence[RegmirrorError]) -> str:
    return "\n".join(f"{error.code}: {error.message}" for error in errors)


@dataclass(frozen=True, slots=True)
class RestoreSecretsStep:
    """Applies the Secrets of before with their versions, so that pods of before are not restarted; deletes new ones."""

    cluster: AsyncCluster
    before: Snapshot
    written: tuple[str, ...]
    """The Secrets that the deployment writes."""
    name: str = _SECRETS_STEP
    title: str = "Secrets of before"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        for name in self.written:
            if name in _OF_THE_KEY:
                continue
            progress.waiting(self.title, f"Secret {name}")
            if name in self.before.secrets:
                await self.cluster.apply(_manifest(self.before.secrets[name]))
            else:
                await self.cluster.delete(SECRET, name)
        return Done("put back", changed=True)


@dataclass(frozen=True, slots=True)
class RemoveReleaseStep:
    """Takes away a release that was not there before."""

    name: str
    helm: Helm
    needs: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name of the release."""
        return self.name

    async def apply(self, progress: Waiting) -> Done:
        """Raises HelmError."""
        progress.waiting(self.title, "helm uninstall")
        await self.helm.uninstall(self.name)
        return Done("was not there before; removed", changed=True)


def _names(desired: DesiredState) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in desired.stack.secrets]


def _manifest(live: Object) -> Object:
    """A Secret as it was written: without what the cluster keeps about it."""
    metadata = {key: value for key, value in live["metadata"].items() if key in {"name", "labels", "annotations"}}
    return {key: live[key] for key in ("apiVersion", "kind", "type", "data") if key in live} | {"metadata": metadata}


def _is_deployment(found: Object) -> bool:
    return bool(found["kind"] == DEPLOYMENT.kind)
