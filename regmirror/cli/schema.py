"""``regmirror schema``: the JSON Schemas of the configuration file and of the documents that commands print."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from regmirror.cli.terminal import terminal


class Kind(StrEnum):
    """The documents that have a published schema."""

    MIRROR = "Mirror"
    VERIFY_REPORT = "VerifyReport"


def schema(
    kind: Annotated[Kind, typer.Option("--kind", help="Which document: the configuration file, or a result.")] = (
        Kind.MIRROR
    ),
) -> None:
    """Print the JSON Schema of regmirror.yaml, or of a result, for editors and for checks in CI.

    regmirror schema > regmirror.schema.json

    regmirror schema --kind VerifyReport
    """
    with terminal() as streams:
        from regmirror.config.schema import mirror_schema
        from regmirror.verify.report import report_schema

        published = {Kind.MIRROR: mirror_schema, Kind.VERIFY_REPORT: report_schema}
        streams.print(json.dumps(published[kind](), indent=2))
