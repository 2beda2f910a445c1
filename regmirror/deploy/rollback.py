"""Restores the previous state after a failed deployment: first its Secrets, then its releases."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from regmirror.deploy.diff_changes import kind_of
from regmirror.deploy.host_change import registry_endpoints
from regmirror.deploy.public_check import PublicCheckStep
from regmirror.deploy.release import ReleaseStep
from regmirror.deploy.steps import DeployOptions, DesiredState
from regmirror.desired import names
from regmirror.desired.secret_contents import SecretContentError, look_up, read_config, secret_data
from regmirror.errors import InterruptedRunError, PartlyAppliedError, RegmirrorError, RolledBackError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import DEPLOYMENT, SECRET, Object
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress, Step, Waiting
from regmirror.workloads.rollout import is_rolled_out, progress_of

_SECRETS_STEP = "restore-secrets"
_SIGNING_KEY_SECRETS = {names.SIGNING_SECRET, names.BUNDLE_SECRET}
"""Only a rotation replaces them: an older key must never be restored."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the cluster before a deployment."""

    secrets: Mapping[str, Object]
    revisions: dict[str, int]
    """By release: its revision."""
    objects: dict[str, list[Object]]
    """By release: the objects of that revision."""
    problem: str | None
    """Why this state is not worth restoring; None if the mirror was healthy."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The public endpoints, if the release that serves them existed."""
        if names.INGRESS not in self.revisions:
            return ()
        return tuple(sorted(set(registry_endpoints(self.secrets.values()).values())))

    @property
    def external_realms(self) -> dict[str, str]:
        """By host: the realm of an existing docker_auth; hosts that issue their own tokens are absent."""
        if names.AUTH_SECRET in self.secrets:
            return {}
        realms = [realm for secret in self.secrets.values() if (realm := _realm(secret))]
        return dict.fromkeys(self.hosts, realms[0]) if realms else {}


def _realm(secret: Object) -> str | None:
    """The realm in a registry's configuration; every registry of a mirror has the same, if it is not its own host."""
    try:
        realm = look_up(read_config(secret_data(secret), "config.yml"), "auth", "token", "realm")
    except (SecretContentError, ValueError):
        return None
    return str(realm) if realm else None


async def take_snapshot(releases: list[str], connections: Connections, secrets: list[Object]) -> Snapshot:
    """The current state. Raises HelmError or ClusterError."""
    newest = {name: await connections.helm.find(name) for name in releases}
    deployed = {name: release for name, release in newest.items() if release}
    objects = {name: await connections.helm.manifest(name) for name in deployed}
    problems = [f"{name} was {r.status}" for name, r in deployed.items() if r.status != "deployed"]
    for target in [target for manifest in objects.values() for target in manifest if kind_of(target) == DEPLOYMENT]:
        name = target["metadata"]["name"]
        live = await connections.cluster.get(DEPLOYMENT, name)
        if live is None or not is_rolled_out(live):
            problems.append(f"{name} was not ready ({progress_of(live) if live else 'missing'})")
    if not deployed:
        problems.append("nothing was deployed")
    by_name = {secret["metadata"]["name"]: secret for secret in secrets}
    revisions = {name: release.revision for name, release in deployed.items()}
    return Snapshot(by_name, revisions, objects, "; ".join(problems) or None)


def rollback_steps(
    snapshot: Snapshot, desired: DesiredState, connections: Connections, options: DeployOptions
) -> list[Step]:
    """The steps that restore the snapshot, and the check of its public hosts."""
    secrets = tuple(manifest["metadata"]["name"] for manifest in desired.stack.secrets)
    steps: list[Step] = [RestoreSecretsStep(connections.cluster, snapshot, secrets)]
    for release in desired.stack.releases:
        if release.name in snapshot.revisions:
            steps.append(
                ReleaseStep(
                    release,
                    snapshot.objects[release.name],
                    connections.helm,
                    connections.cluster,
                    desired.mirror_secrets,
                    # A pending operation can only be our own, and was stopped.
                    unlock=True,
                    needs=(_SECRETS_STEP, *(need for need in release.needs if need in snapshot.revisions)),
                    revision=snapshot.revisions[release.name],
                )
            )
        else:
            steps.append(RemoveReleaseStep(release.name, connections.helm, needs=(_SECRETS_STEP,)))
    if snapshot.hosts and not options.skip_verify:
        needs = tuple(snapshot.revisions)
        realms = snapshot.external_realms
        steps.append(PublicCheckStep(snapshot.hosts, connections.http, connections.cluster, needs, realms=realms))
    return steps


async def roll_back(
    error: RegmirrorError,
    snapshot: Snapshot,
    desired: DesiredState,
    connections: Connections,
    progress: Progress,
    timeout: timedelta,
    options: DeployOptions,
) -> RegmirrorError:
    """Restore the snapshot after a deployment failed with ``error``; returns the error to raise."""
    if snapshot.problem:
        reason = f"the state before this deployment was not healthy ({snapshot.problem})"
        return error.reworded(f"{error.message}\n  not rolled back: {reason}")
    cause = _summary(error.causes)
    try:
        steps = rollback_steps(snapshot, desired, connections, options)
        await run_steps(steps, progress, time.monotonic() + timeout.total_seconds(), work="rollback")
    except InterruptedRunError:
        raise
    except RegmirrorError as another:
        failed = PartlyAppliedError(
            f"the deployment failed: {cause}\nand the rollback failed: {_summary(another.causes or (another,))}",
            hint=another.hint,
        )
        failed.causes, failed.left_changes = (*error.causes, another), True
        return failed
    restored = RolledBackError(
        f"the deployment failed and was rolled back; {_outcome(snapshot, options)}: {cause}",
        hint=error.causes[0].hint,
    )
    restored.causes, restored.exit_code = error.causes, error.causes[0].exit_code
    return restored


def _outcome(snapshot: Snapshot, options: DeployOptions) -> str:
    if options.skip_verify or not snapshot.hosts:
        return "the previous state is restored"
    return f"https://{', '.join(snapshot.hosts)} serves as before"


def _summary(errors: Sequence[RegmirrorError]) -> str:
    return "\n".join(f"{error.code}: {error.message}" for error in errors)


@dataclass(frozen=True, slots=True)
class RestoreSecretsStep:
    """Applies the previous Secrets with their versions, so that no pod restarts for them; deletes new ones."""

    cluster: AsyncCluster
    snapshot: Snapshot
    deployed: tuple[str, ...]
    """The names of the Secrets that the deployment applied."""
    name: str = _SECRETS_STEP
    title: str = "Restore Secrets"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        for name in self.deployed:
            if name in _SIGNING_KEY_SECRETS:
                continue
            progress.waiting(f"Secret {name}")
            if name in self.snapshot.secrets:
                await self.cluster.apply(_manifest(self.snapshot.secrets[name]))
            else:
                await self.cluster.delete(SECRET, name)
        return Done("restored", changed=True)


@dataclass(frozen=True, slots=True)
class RemoveReleaseStep:
    """Removes a release that the deployment installed."""

    name: str
    helm: Helm
    needs: tuple[str, ...]

    @property
    def title(self) -> str:
        """The name of the release."""
        return self.name

    async def apply(self, progress: Waiting) -> Done:
        """Raises HelmError."""
        progress.waiting("helm uninstall")
        await self.helm.uninstall(self.name)
        return Done("removed: it did not exist before", changed=True)


def _manifest(live: Object) -> Object:
    """A Secret as it was applied, without the metadata of the cluster."""
    metadata = {key: value for key, value in live["metadata"].items() if key in {"name", "labels", "annotations"}}
    return {key: live[key] for key in ("apiVersion", "kind", "type", "data") if key in live} | {"metadata": metadata}
