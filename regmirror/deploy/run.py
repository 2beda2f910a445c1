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
from regmirror.deploy.preflight import preflight_steps
from regmirror.deploy.steps import Done, Progress, Step, run_steps
from regmirror.ports.cluster import SECRET, Cluster
from regmirror.ports.helm import Helm
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore
from regmirror.stack.material import Account
from regmirror.stack.releases import build_stack

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
    mirror: Mirror, edges: Edges, progress: Progress, timeout: timedelta, *, unlock: bool = False
) -> dict[str, Any]:
    """Bring the cluster to the configuration; gives the report. Raises RegmirrorError.

    ``timeout`` is for everything together.
    """
    deadline = time.monotonic() + timeout.total_seconds()
    await run_steps(preflight_steps(mirror, edges.cluster, edges.helm), progress)
    now = datetime.now(UTC)
    live = {
        secret["metadata"]["name"]: secret for secret in await asyncio.to_thread(edges.cluster.select, SECRET, _OURS)
    }
    # After the look above: a key that is rotated between the two then belongs to a version that is outdated.
    material = await asyncio.to_thread(find_material, mirror, edges.cluster, edges.resolver, now)
    stack = build_stack(mirror, material, live, now)
    stack = replace(stack, secrets=unless_rotated(stack.secrets, live))
    manifests = await asyncio.gather(*(edges.helm.render(release) for release in stack.releases))
    rendered = {release.name: objects for release, objects in zip(stack.releases, manifests, strict=True)}
    store = edges.open_store(material.s3) if edges.open_store else None
    world = World(edges.cluster, edges.helm, store, edges.http)
    steps = deployment_steps(Target(mirror, material, stack, rendered), world, deadline, unlock=unlock)
    report = _report(mirror, steps, await run_steps(steps, progress))
    return report | {"warnings": key_advice(mirror.auth, material.signing, now)}


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
