"""The documents of ``regmirror rotate-cert``: of a rotation, of ``--check`` and of ``--dry-run``."""

from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import MirrorDocument, StepReport, Timestamp


class RotateReport(MirrorDocument):
    """The result of ``regmirror rotate-cert -o json``."""

    kind: Annotated[Literal["RotateReport"], Field(description="Kind of the document.")] = "RotateReport"
    changed: Annotated[bool, Field(description="Whether this run changed anything.")]
    rotated: Annotated[bool, Field(description="Whether the signing key is a new one.")]
    key: Annotated[str, Field(description="The signing key: size, short id, last day.")]
    key_id: Annotated[str, Field(description="Id of the signing key, which is the kid of every token.")]
    not_after: Annotated[Timestamp, Field(description="When the signing certificate expires.")]
    due_at: Annotated[Timestamp, Field(description="From when on a rotation is due, according to --expires-in.")]
    steps: Annotated[list[StepReport], Field(description="What this run did, in order.")]
    started_pods: Annotated[list[str], Field(description="Pods that were started and are ready.")]
    checked_hosts: Annotated[
        list[str], Field(description="Public hosts that use the new key; empty with --skip-verify.")
    ]
    warnings: Annotated[list[str], Field(description="What was not checked.")]


class RotateCheck(MirrorDocument):
    """The result of ``regmirror rotate-cert --check -o json``."""

    kind: Annotated[Literal["RotateCheck"], Field(description="Kind of the document.")] = "RotateCheck"
    deployed: Annotated[bool, Field(description="Whether a mirror is deployed; if not, the exit code is 2.")]
    due: Annotated[bool, Field(description="Whether rotate-cert has something to do; the exit code is 0 if so, or 1.")]
    in_progress: Annotated[bool, Field(description="Whether a rotation has started and is not complete.")]
    key: Annotated[str | None, Field(description="The signing key: size, short id, last day.")] = None
    key_id: Annotated[str | None, Field(description="Id of the signing key.")] = None
    not_after: Annotated[Timestamp | None, Field(description="When the signing certificate expires.")] = None
    due_at: Annotated[Timestamp | None, Field(description="From when on a rotation is due.")] = None
    message: Annotated[str, Field(description="The same in a sentence.")]


class RotatePlan(MirrorDocument):
    """The result of ``regmirror rotate-cert --dry-run -o json``."""

    kind: Annotated[Literal["RotatePlan"], Field(description="Kind of the document.")] = "RotatePlan"
    dry_run: Annotated[Literal[True], Field(description="Nothing was changed.")] = True
    due: Annotated[bool, Field(description="Whether rotate-cert has something to do.")]
    steps: Annotated[list[StepReport], Field(description="What rotate-cert would do, in order; empty if not due.")]
