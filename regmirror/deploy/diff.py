"""What a deployment would change, as a report; nothing is changed."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from regmirror.deploy.admission import ADMISSION_STEP, AdmissionStep
from regmirror.deploy.diff_changes import DiffableStep, FieldChange, ForeignField, ObjectChange, StepDiff
from regmirror.deploy.interruptions import interruptions
from regmirror.deploy.ownership import OWNERSHIP_STEP, Ownership
from regmirror.deploy.preflight import preflight_steps, unmet_prerequisites
from regmirror.deploy.prune import Orphans
from regmirror.deploy.report import (
    DiffReport,
    FieldReport,
    ForeignFieldReport,
    ObjectReport,
    OverrideReport,
    PrerequisiteReport,
    StepReport,
    heading,
)
from regmirror.deploy.rights import diff_rights, require_rights
from regmirror.deploy.run import prepare
from regmirror.deploy.steps import DeployOptions, DesiredState, changing_steps
from regmirror.deploy.warnings import ca_bundle_warnings, cluster_warnings, signing_key_warnings, user_warnings
from regmirror.desired.overrides import OverriddenValue
from regmirror.errors import ForeignDataError, PodsRefusedError, QuotaError, RegmirrorError, StorageError
from regmirror.ports.connections import Connections
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Progress


async def diff_mirror(connections: Connections, *, skip_bucket: bool = False) -> DiffReport:
    """Every difference between the file and the cluster, including orphans and what deploy requires and is missing.

    Raises RegmirrorError.
    """
    rights = connections.cluster.run(require_rights, diff_rights(connections.mirror), "diff")
    await asyncio.gather(connections.helm.version(), rights)
    unmet = [
        PrerequisiteReport(name=step.name, message=error.message, hint=error.hint)
        for step, error in await unmet_prerequisites(connections)
    ]
    options = DeployOptions(prune=True, skip_bucket=skip_bucket)
    desired, orphans = await prepare(connections, datetime.now(UTC), options)
    if desired.ownership and desired.is_store_reachable and (refusal := await _refusal(desired.ownership)):
        unmet.append(PrerequisiteReport(name=OWNERSHIP_STEP, message=refusal.message, hint=refusal.hint))
        desired = replace(desired, ownership=None)
    if refused := await _not_admitted(desired, connections):
        unmet.append(PrerequisiteReport(name=ADMISSION_STEP, message=refused.message, hint=refused.hint))
    desired = replace(desired, is_checked=False)
    return await _report(connections, replace(desired, pruned=orphans), orphans, prerequisites=unmet)


async def plan_deployment(connections: Connections, progress: Progress, options: DeployOptions) -> DiffReport:
    """What a deployment with the same options would change, after the same preflight. Raises RegmirrorError."""
    await run_steps(preflight_steps(connections, change_host=options.change_host), progress, in_order=True)
    desired, orphans = await prepare(connections, datetime.now(UTC), options)
    if options.prune:
        desired = replace(desired, pruned=orphans)
    return await _report(connections, desired, orphans)


async def _refusal(ownership: Ownership) -> ForeignDataError | None:
    """Why the data cannot be claimed; every other error is one of the step, which reads the same."""
    try:
        await asyncio.to_thread(ownership.read)
    except ForeignDataError as error:
        return error
    except StorageError:
        return None
    return None


async def _not_admitted(desired: DesiredState, connections: Connections) -> RegmirrorError | None:
    try:
        await AdmissionStep(connections.cluster, desired.stack.secrets, desired.rendered).check()
    except (QuotaError, PodsRefusedError) as error:
        return error
    return None


async def _report(
    connections: Connections,
    desired: DesiredState,
    orphans: Orphans,
    *,
    prerequisites: Sequence[PrerequisiteReport] = (),
) -> DiffReport:
    mirror, now = connections.mirror, datetime.now(UTC)
    steps: Sequence[DiffableStep] = changing_steps(desired, connections)
    diffs: list[StepDiff] = await asyncio.gather(*(step.diff() for step in steps))
    warnings = await interruptions(desired, connections.cluster)
    warnings += await connections.cluster.run(cluster_warnings, mirror)
    pairs = list(zip(steps, diffs, strict=True))
    key_warnings = signing_key_warnings(mirror.auth, desired.mirror_secrets.signing, now)
    return DiffReport(
        **heading(mirror, connections.cluster.context),
        differs=any(diff.changed for diff in diffs),
        steps=[StepReport(name=step.name, changed=diff.changed, detail=diff.detail) for step, diff in pairs],
        objects=[_object(change, step.name) for step, diff in pairs for change in diff.objects],
        foreign_fields=[_foreign_field(field) for diff in diffs for field in diff.foreign],
        orphans=orphans.names,
        overrides=[_override(value) for release in desired.stack.releases for value in release.overridden],
        prerequisites=list(prerequisites),
        warnings=[
            *warnings,
            *desired.pod_warnings,
            *key_warnings,
            *ca_bundle_warnings(desired.mirror_secrets.ca_bundles, now),
            *user_warnings(mirror, desired.mirror_secrets),
        ],
    )


def _override(value: OverriddenValue) -> OverrideReport:
    return OverrideReport(
        release=value.release, path=value.path, value=value.value, instead_of=value.instead_of, source=value.source
    )


def _object(change: ObjectChange, step: str) -> ObjectReport:
    return ObjectReport(
        step=step,
        action=change.action.value,
        kind=change.kind,
        name=change.name,
        cause=change.cause.value,
        changed_by=list(change.by),
        fields=[_field(field) for field in change.fields],
    )


def _field(change: FieldChange) -> FieldReport:
    return FieldReport(
        path=change.path, cause=change.cause.value, masked=change.masked, from_=change.old, to=change.new
    )


def _foreign_field(field: ForeignField) -> ForeignFieldReport:
    return ForeignFieldReport(kind=field.kind, name=field.name, path=field.path, manager=field.manager)
