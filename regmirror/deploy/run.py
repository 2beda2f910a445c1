"""A whole deployment: preflight, secrets, steps, report."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from regmirror.config.model import API_VERSION, Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.foundation import with_resource_version
from regmirror.deploy.preflight import preflight_steps
from regmirror.deploy.prune import Orphans, find_orphans
from regmirror.deploy.resolve_secrets import resolve_secrets
from regmirror.deploy.rollback import Before, remember, rolled_back
from regmirror.deploy.signing_key_warnings import signing_key_warnings
from regmirror.deploy.steps import Target, World, deployment_steps
from regmirror.desired.mirror_secrets import Account, MirrorSecrets
from regmirror.desired.releases import Stack, build_stack
from regmirror.errors import RegmirrorError
from regmirror.ports.cluster import SECRET, Cluster, Object
from regmirror.ports.helm import Helm
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress, Step

_OURS = "app.kubernetes.io/managed-by=regmirror"


@dataclass(frozen=True, slots=True)
class Edges:
    """What a deployment works on. ``open_store`` is None to leave the bucket alone, ``http`` to leave out the proof."""

    cluster: Cluster
    helm: Helm
    resolver: SecretResolver
    open_store: Callable[[Account | None], ObjectStore] | None
    http: Http | None


async def deploy_mirror(
    mirror: Mirror,
    edges: Edges,
    progress: Progress,
    timeout: timedelta,
    *,
    unlock: bool = False,
    prune: bool = False,
    rollback: bool = False,
) -> dict[str, Any]:
    """Bring the cluster to the configuration; gives the report. Raises RegmirrorError.

    ``timeout`` is for everything together. ``prune`` takes away what an upstream left that is no longer in the file.
    With ``rollback``, a failure puts back what served before, for which there is the same time once more, and is told
    as RolledBackError; what was pruned cannot be put back.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    await run_steps(preflight_steps(mirror, edges.cluster, edges.helm), progress, deadline)
    now = datetime.now(UTC)
    target, world, orphans = await prepare(mirror, edges, now)
    target = replace(target, pruned=orphans) if prune else target
    steps = deployment_steps(target, world, unlock=unlock)
    before = await _remember(target, edges) if rollback else None
    try:
        results = await run_steps(steps, progress, deadline)
    except RegmirrorError as error:
        if before is None or not error.left_changes:
            raise
        raise await rolled_back(error, before, target, world, progress, timeout) from error
    report = _report(mirror, steps, results)
    warnings = signing_key_warnings(mirror.auth, target.mirror_secrets.signing, now)
    if orphans and not prune:
        warnings.append(f"no longer in the file, but still there: {orphans}. Remove them: regmirror deploy --prune")
    return report | {"warnings": warnings}


async def prepare(mirror: Mirror, edges: Edges, now: datetime) -> tuple[Target, World, Orphans]:
    """What a deployment is to arrive at, and what is there beyond it; nothing is changed. Raises RegmirrorError."""
    found, releases = await asyncio.gather(
        asyncio.to_thread(edges.cluster.select, SECRET, _OURS), edges.helm.releases()
    )
    live = {secret["metadata"]["name"]: secret for secret in found}
    # After the look above: a key that is rotated between the two then belongs to a version that is outdated.
    mirror_secrets = await asyncio.to_thread(resolve_secrets, mirror, edges.cluster, edges.resolver, now)
    stack = build_stack(mirror, mirror_secrets, live, now)
    stack = replace(stack, secrets=with_resource_version(stack.secrets, live))
    # The S3 library takes its time to get ready, and Helm runs in processes of its own.
    rendered, store = await asyncio.gather(_render(edges.helm, stack), _open_store(edges, mirror_secrets))
    world = World(edges.cluster, edges.helm, store, edges.http)
    listed = {release.name: release for release in releases}
    return Target(mirror, mirror_secrets, stack, rendered, listed), world, find_orphans(stack, releases, live)


async def _render(helm: Helm, stack: Stack) -> dict[str, list[Object]]:
    manifests = await asyncio.gather(*(helm.render(release) for release in stack.releases))
    return {release.name: objects for release, objects in zip(stack.releases, manifests, strict=True)}


async def _open_store(edges: Edges, mirror_secrets: MirrorSecrets) -> ObjectStore | None:
    return await asyncio.to_thread(edges.open_store, mirror_secrets.s3) if edges.open_store else None


async def _remember(target: Target, edges: Edges) -> Before:
    secrets = await asyncio.to_thread(edges.cluster.select, SECRET, _OURS)
    return await remember([release.name for release in target.stack.releases], edges.helm, edges.cluster, secrets)


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
