"""A whole deployment: preflight checks, the desired state, its steps, the report."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from regmirror.config.file_warnings import risk_warnings
from regmirror.deploy.final_comparison import ensure_as_applied
from regmirror.deploy.interruptions import interruptions
from regmirror.deploy.ownership import Ownership
from regmirror.deploy.preflight import preflight_steps
from regmirror.deploy.prune import Orphans, find_orphans
from regmirror.deploy.public_check import PUBLIC_CHECK_STEP
from regmirror.deploy.redis_databases import ensure_databases_unused
from regmirror.deploy.report import DeployReport, StepReport, heading
from regmirror.deploy.resolve_secrets import resolve_secrets
from regmirror.deploy.rollback import Snapshot, roll_back, take_snapshot
from regmirror.deploy.secrets import with_resource_version
from regmirror.deploy.steps import DeployOptions, DesiredState, deployment_steps
from regmirror.deploy.warnings import (
    ca_bundle_warnings,
    cluster_warnings,
    orphan_warnings,
    signing_key_warnings,
    user_warnings,
)
from regmirror.desired import names
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import Stack, build_stack
from regmirror.desired.suitable_charts import ensure_suitable
from regmirror.errors import RegmirrorError, StorageError, StorageUnreachableError
from regmirror.ports.cluster import NAMESPACE, SECRET, Object
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.clock import Clock
from regmirror.steps.lease import Lease, this_process
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress, Step

DEFAULTS = DeployOptions()
_CLOCK = Clock()


async def deploy_mirror(
    connections: Connections,
    progress: Progress,
    timeout: timedelta,
    options: DeployOptions = DEFAULTS,
    clock: Clock = _CLOCK,
) -> DeployReport:
    """Apply the configuration to the cluster and check the public hosts, holding the mirror's Lease.

    ``timeout`` is for all steps together. On failure with ``rollback``, restores the previous state (same timeout
    again) and raises RolledBackError; what was pruned cannot be restored. Raises RegmirrorError.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    preflight = preflight_steps(connections, change_host=options.change_host)
    await run_steps(preflight, progress, deadline, in_order=True)
    lease = Lease(connections.cluster, this_process("deploy"), clock)
    has_namespace = await connections.cluster.get(NAMESPACE, connections.cluster.namespace) is not None

    async def deploy() -> DeployReport:
        return await _deploy(connections, progress, timeout, options, lease, deadline)

    # A missing namespace is created by a step, once everything before it has succeeded.
    return await lease.hold(deploy, progress, acquire=has_namespace)


async def _deploy(
    connections: Connections,
    progress: Progress,
    timeout: timedelta,
    options: DeployOptions,
    lease: Lease,
    deadline: float,
) -> DeployReport:
    now = datetime.now(UTC)
    desired, orphans = await prepare(connections, now, options)
    desired = replace(desired, pruned=orphans) if options.prune else desired
    steps = deployment_steps(desired, connections, options, lease)
    interrupted = await interruptions(desired, connections.cluster)
    of_controller = await connections.cluster.run(cluster_warnings, connections.mirror)
    for warning in [*interrupted, *desired.pod_warnings]:
        progress.warning(warning)
    snapshot = await _take_snapshot(desired, connections) if options.rollback else None
    try:
        results = await run_steps(steps, progress, deadline)
    except RegmirrorError as error:
        if snapshot is None or not error.left_changes:
            raise
        raise await roll_back(error, snapshot, desired, connections, progress, timeout, options) from error
    await ensure_as_applied(steps)
    # After the comparison: nobody else can have begun a change before it.
    await lease.ensure_held()
    warnings = [*interrupted, *desired.pod_warnings, *risk_warnings(connections.mirror), *of_controller]
    warnings += signing_key_warnings(connections.mirror.auth, desired.mirror_secrets.signing, now)
    warnings += ca_bundle_warnings(desired.mirror_secrets.ca_bundles, now)
    warnings += user_warnings(connections.mirror, desired.mirror_secrets)
    if not options.prune:
        warnings += orphan_warnings(orphans)
    return _report(connections, steps, results, warnings)


async def prepare(connections: Connections, now: datetime, options: DeployOptions) -> tuple[DesiredState, Orphans]:
    """The desired state, and what exists beyond it; changes nothing. Raises RegmirrorError."""
    mirror, cluster = connections.mirror, connections.cluster
    secrets, releases, namespace = await asyncio.gather(
        cluster.select(SECRET, names.MANAGED_SELECTOR),
        connections.helm.releases(),
        cluster.get(NAMESPACE, cluster.namespace),
    )
    live = {secret["metadata"]["name"]: secret for secret in secrets}
    # After the Secrets were listed: if a rotation replaces the key in between, the listed version is outdated.
    mirror_secrets = await cluster.run(resolve_secrets, mirror, connections.resolver, connections.ca_bundles, now)
    stack = build_stack(mirror, mirror_secrets, live, now)
    ensure_databases_unused(mirror, stack.secrets, live)
    stack = replace(stack, secrets=with_resource_version(stack.secrets, live))
    # boto3 takes a second to load, and Helm runs in processes of its own.
    opening = _open_store(connections, mirror_secrets, options.skip_bucket)
    rendered, store = await asyncio.gather(_render(connections.helm, stack), opening)
    ensure_suitable(mirror, stack.releases, rendered)
    existing = {release.name: release for release in releases}
    ownership = Ownership(mirror, store, cluster.blocking, now, options.take_over) if store else None
    is_reachable = store is None or await asyncio.to_thread(_is_reachable, store, mirror.storage.key_prefix)
    desired = DesiredState(
        mirror,
        mirror_secrets,
        stack,
        rendered,
        existing,
        has_namespace=namespace is not None,
        is_checked=not options.skip_admission,
        store=store,
        is_store_reachable=is_reachable,
        ownership=ownership,
    )
    return desired, find_orphans(stack, releases, set(live) - set(mirror.tls_secrets))


async def _render(helm: Helm, stack: Stack) -> dict[str, list[Object]]:
    manifests = await asyncio.gather(*(helm.render(release) for release in stack.releases))
    return {release.name: objects for release, objects in zip(stack.releases, manifests, strict=True)}


async def _open_store(connections: Connections, mirror_secrets: MirrorSecrets, skip: bool) -> ObjectStore | None:
    if skip or connections.mirror.storage.filesystem:
        return None
    return await asyncio.to_thread(connections.open_store, mirror_secrets.s3)


def _is_reachable(store: ObjectStore, prefix: str) -> bool:
    """Whether this machine gets any answer from the store: names and addresses do not show who can reach it."""
    try:
        store.measure(prefix, 0.0)
    except StorageUnreachableError:
        return False
    except StorageError:
        return True
    return True


async def _take_snapshot(desired: DesiredState, connections: Connections) -> Snapshot:
    secrets = await connections.cluster.select(SECRET, names.MANAGED_SELECTOR)
    return await take_snapshot([release.name for release in desired.stack.releases], connections, secrets)


def _report(connections: Connections, steps: list[Step], results: list[Done], warnings: list[str]) -> DeployReport:
    return DeployReport(
        **heading(connections.mirror, connections.cluster.context),
        changed=any(result.changed for result in results),
        verified=any(step.name == PUBLIC_CHECK_STEP for step in steps),
        steps=[
            StepReport(name=step.name, changed=result.changed, detail=result.detail)
            for step, result in zip(steps, results, strict=True)
        ],
        warnings=warnings,
        sign_in_url=connections.mirror.sign_in_url,
    )
