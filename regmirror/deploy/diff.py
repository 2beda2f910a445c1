"""What a deployment would change, as a report; nothing is changed."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from regmirror.config.model import API_VERSION, Mirror
from regmirror.deploy.diff_changes import FieldChange, ObjectChange, Plan, PlannedStep
from regmirror.deploy.preflight import diff_rights, preflight_steps, require_rights
from regmirror.deploy.run import Edges, prepare
from regmirror.deploy.signing_key_warnings import signing_key_warnings
from regmirror.deploy.steps import changing_steps
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Progress


async def diff_mirror(mirror: Mirror, edges: Edges) -> dict[str, Any]:
    """Every difference between the file and the cluster, what the file no longer has included.

    Raises RegmirrorError.
    """
    await asyncio.gather(edges.helm.version(), asyncio.to_thread(require_rights, edges.cluster, diff_rights(mirror)))
    return await _report(mirror, edges, prune=True)


async def plan_deployment(mirror: Mirror, edges: Edges, progress: Progress, *, prune: bool) -> dict[str, Any]:
    """What deploying with the same options would change, after the same preflight. Raises RegmirrorError."""
    await run_steps(preflight_steps(mirror, edges.cluster, edges.helm), progress)
    return await _report(mirror, edges, prune=prune)


async def _report(mirror: Mirror, edges: Edges, *, prune: bool) -> dict[str, Any]:
    now = datetime.now(UTC)
    target, world, orphans = await prepare(mirror, edges, now)
    if prune:
        target = replace(target, pruned=orphans)
    steps: Sequence[PlannedStep] = changing_steps(target, world)
    plans: list[Plan] = await asyncio.gather(*(step.plan() for step in steps))
    return {
        "apiVersion": API_VERSION,
        "kind": "DiffReport",
        "host": mirror.host,
        "namespace": mirror.namespace,
        "differs": any(plan.changed for plan in plans),
        "steps": [
            {"name": step.name, "changed": plan.changed, "detail": plan.detail}
            for step, plan in zip(steps, plans, strict=True)
        ],
        "objects": [
            _object(change, step.name) for step, plan in zip(steps, plans, strict=True) for change in plan.objects
        ],
        "kept": [
            {"kind": kept.kind, "name": kept.name, "path": kept.path, "by": kept.by}
            for kept in chain.from_iterable(plan.kept for plan in plans)
        ],
        "orphans": [] if prune else [*orphans.releases, *orphans.secrets],
        "warnings": signing_key_warnings(mirror.auth, target.mirror_secrets.signing, now),
    }


def _object(change: ObjectChange, step: str) -> dict[str, Any]:
    return {
        "step": step,
        "action": change.action.value,
        "kind": change.kind,
        "name": change.name,
        "cause": change.cause.value,
        "changedBy": list(change.by),
        "fields": _fields(change.fields),
    }


def _fields(changes: Iterable[FieldChange]) -> list[dict[str, Any]]:
    return [
        {
            "path": change.path,
            "cause": change.cause.value,
            "masked": change.masked,
            "from": change.old,
            "to": change.new,
        }
        for change in changes
    ]
