"""What a deployment would change, as a report; nothing is changed."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from regmirror.config.model import API_VERSION
from regmirror.deploy.diff_changes import FieldChange, ObjectChange, Plan, PlannedStep
from regmirror.deploy.preflight import diff_rights, preflight_steps, require_rights
from regmirror.deploy.run import prepare
from regmirror.deploy.signing_key_warnings import signing_key_warnings
from regmirror.deploy.steps import DeployOptions, changing_steps
from regmirror.ports.connections import Connections
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Progress


async def diff_mirror(connections: Connections, *, skip_bucket: bool = False) -> dict[str, Any]:
    """Every difference between the file and the cluster, what the file no longer has included.

    Raises RegmirrorError.
    """
    rights = connections.cluster.run(require_rights, diff_rights(connections.mirror), "diff")
    await asyncio.gather(connections.helm.version(), rights)
    return await _report(connections, prune=True, skip_bucket=skip_bucket)


async def plan_deployment(connections: Connections, progress: Progress, options: DeployOptions) -> dict[str, Any]:
    """What deploying with the same options would change, after the same preflight. Raises RegmirrorError."""
    await run_steps(preflight_steps(connections), progress)
    return await _report(connections, prune=options.prune, skip_bucket=options.skip_bucket)


async def _report(connections: Connections, *, prune: bool, skip_bucket: bool) -> dict[str, Any]:
    mirror, now = connections.mirror, datetime.now(UTC)
    desired, orphans = await prepare(connections, now, skip_bucket=skip_bucket)
    if prune:
        desired = replace(desired, pruned=orphans)
    steps: Sequence[PlannedStep] = changing_steps(desired, connections)
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
        "warnings": signing_key_warnings(mirror.auth, desired.mirror_secrets.signing, now),
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
