"""A whole deployment: preflight, secrets, steps, report."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from regmirror.config.model import API_VERSION, Mirror
from regmirror.deploy.preflight import preflight_steps
from regmirror.deploy.prune import Orphans, find_orphans
from regmirror.deploy.resolve_secrets import resolve_secrets
from regmirror.deploy.rollback import Snapshot, rolled_back, take_snapshot
from regmirror.deploy.secrets import with_resource_version
from regmirror.deploy.signing_key_warnings import signing_key_warnings
from regmirror.deploy.steps import DeployOptions, DesiredState, deployment_steps
from regmirror.desired import names
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import Stack, build_stack
from regmirror.errors import RegmirrorError
from regmirror.ports.cluster import SECRET, Object
from regmirror.ports.connections import Connections
from regmirror.ports.helm import Helm
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress, Step

DEFAULTS = DeployOptions()


async def deploy_mirror(
    connections: Connections, progress: Progress, timeout: timedelta, options: DeployOptions = DEFAULTS
) -> dict[str, Any]:
    """Bring the cluster to the configuration; gives the report. Raises RegmirrorError.

    ``timeout`` is for everything together. ``prune`` takes away what an upstream left that is no longer in the file.
    With ``rollback``, a failure puts back what served before, for which there is the same time once more, and is told
    as RolledBackError; what was pruned cannot be put back.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    await run_steps(preflight_steps(connections), progress, deadline)
    now = datetime.now(UTC)
    desired, orphans = await prepare(connections, now, skip_bucket=options.skip_bucket)
    desired = replace(desired, pruned=orphans) if options.prune else desired
    steps = deployment_steps(desired, connections, options)
    before = await _take_snapshot(desired, connections) if options.rollback else None
    try:
        results = await run_steps(steps, progress, deadline)
    except RegmirrorError as error:
        if before is None or not error.left_changes:
            raise
        raise await rolled_back(error, before, desired, connections, progress, timeout, options) from error
    report = _report(connections.mirror, steps, results)
    warnings = signing_key_warnings(connections.mirror.auth, desired.mirror_secrets.signing, now)
    if orphans and not options.prune:
        warnings.append(f"no longer in the file, but still there: {orphans}. Remove them: regmirror deploy --prune")
    return report | {"warnings": warnings}


async def prepare(connections: Connections, now: datetime, *, skip_bucket: bool) -> tuple[DesiredState, Orphans]:
    """What a deployment is to arrive at, and what is there beyond it; nothing is changed. Raises RegmirrorError."""
    mirror, cluster = connections.mirror, connections.cluster
    found, releases = await asyncio.gather(cluster.select(SECRET, names.MANAGED_SELECTOR), connections.helm.releases())
    live = {secret["metadata"]["name"]: secret for secret in found}
    # After the look above: a key that is rotated between the two then belongs to a version that is outdated.
    mirror_secrets = await cluster.run(resolve_secrets, mirror, connections.resolver, now)
    stack = build_stack(mirror, mirror_secrets, live, now)
    stack = replace(stack, secrets=with_resource_version(stack.secrets, live))
    # The S3 library takes its time to get ready, and Helm runs in processes of its own.
    opening = _open_store(connections, mirror_secrets, skip_bucket)
    rendered, store = await asyncio.gather(_render(connections.helm, stack), opening)
    listed = {release.name: release for release in releases}
    return DesiredState(mirror, mirror_secrets, stack, rendered, listed, store), find_orphans(stack, releases, live)


async def _render(helm: Helm, stack: Stack) -> dict[str, list[Object]]:
    manifests = await asyncio.gather(*(helm.render(release) for release in stack.releases))
    return {release.name: objects for release, objects in zip(stack.releases, manifests, strict=True)}


async def _open_store(connections: Connections, mirror_secrets: MirrorSecrets, skip: bool) -> ObjectStore | None:
    return None if skip else await asyncio.to_thread(connections.open_store, mirror_secrets.s3)


async def _take_snapshot(desired: DesiredState, connections: Connections) -> Snapshot:
    secrets = await connections.cluster.select(SECRET, names.MANAGED_SELECTOR)
    return await take_snapshot([release.name for release in desired.stack.releases], connections, secrets)


def _report(mirror: Mirror, steps: list[Step], results: list[Done]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "DeployReport",
        "host": mirror.host,
        "namespace": mirror.namespace,
        "changed": any(result.changed for result in results),
        "steps": [
            {"name": step.name, "changed": result.changed, "detail": result.detail}
            for step, result in zip(steps, results, strict=True)
        ],
    }
