"""A whole deployment: preflight, secrets, steps, report."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from regmirror.config.model import API_VERSION, Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.deployment import Target, World, deployment_steps
from regmirror.deploy.find_material import find_material
from regmirror.deploy.foundation import unless_rotated
from regmirror.deploy.key_advice import key_advice
from regmirror.deploy.leftovers import Leftovers, find_leftovers
from regmirror.deploy.preflight import preflight_steps
from regmirror.deploy.rollback import Before, remember, rolled_back
from regmirror.deploy.run_steps import run_steps
from regmirror.deploy.steps import Done, Progress, Step
from regmirror.errors import RegmirrorError
from regmirror.ports.cluster import SECRET, Cluster, Object
from regmirror.ports.helm import Helm
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore
from regmirror.stack.material import Account, Material
from regmirror.stack.releases import Stack, build_stack

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
    target, world, leftovers = await prepare(mirror, edges, now)
    target = replace(target, pruned=leftovers) if prune else target
    steps = deployment_steps(target, world, unlock=unlock)
    before = await _remember(target, edges) if rollback else None
    try:
        results = await run_steps(steps, progress, deadline)
    except RegmirrorError as error:
        if before is None or not error.left_changes:
            raise
        raise await rolled_back(error, before, target, world, progress, timeout) from error
    report = _report(mirror, steps, results)
    warnings = key_advice(mirror.auth, target.material.signing, now)
    if leftovers and not prune:
        warnings.append(f"no longer in the file, but still there: {leftovers}. Remove them: regmirror deploy --prune")
    return report | {"warnings": warnings}


async def prepare(mirror: Mirror, edges: Edges, now: datetime) -> tuple[Target, World, Leftovers]:
    """What a deployment is to arrive at, and what is there beyond it; nothing is changed. Raises RegmirrorError."""
    found, releases = await asyncio.gather(
        asyncio.to_thread(edges.cluster.select, SECRET, _OURS), edges.helm.releases()
    )
    live = {secret["metadata"]["name"]: secret for secret in found}
    # After the look above: a key that is rotated between the two then belongs to a version that is outdated.
    material = await asyncio.to_thread(find_material, mirror, edges.cluster, edges.resolver, now)
    stack = build_stack(mirror, material, live, now)
    stack = replace(stack, secrets=unless_rotated(stack.secrets, live))
    # The S3 library takes its time to get ready, and Helm runs in processes of its own.
    rendered, store = await asyncio.gather(_render(edges.helm, stack), _open_store(edges, material))
    world = World(edges.cluster, edges.helm, store, edges.http)
    listed = {release.name: release for release in releases}
    return Target(mirror, material, stack, rendered, listed), world, find_leftovers(stack, releases, live)


async def _render(helm: Helm, stack: Stack) -> dict[str, list[Object]]:
    manifests = await asyncio.gather(*(helm.render(release) for release in stack.releases))
    return {release.name: objects for release, objects in zip(stack.releases, manifests, strict=True)}


async def _open_store(edges: Edges, material: Material) -> ObjectStore | None:
    return await asyncio.to_thread(edges.open_store, material.s3) if edges.open_store else None


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
