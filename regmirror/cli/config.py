"""``regmirror config``: the configuration file itself: what takes effect, whether it is right, and its schema."""

import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ExitCode

if TYPE_CHECKING:
    from regmirror.config.effective_config import Reference, ValueSources
    from regmirror.config.model import Mirror
    from regmirror.config.problem import Problem

_COLUMN = 52
"""Where the comments begin, so that a line and its comment fit into 80 columns."""

app = typer.Typer(
    name="config",
    help="Look at the configuration file: what takes effect, whether it is right, its schema. No cluster is asked.",
    no_args_is_help=True,
)


class Kind(StrEnum):
    """The documents that have a published schema."""

    MIRROR = "Mirror"
    VERIFY_REPORT = "VerifyReport"
    DEPLOY_REPORT = "DeployReport"
    DIFF_REPORT = "DiffReport"


@app.command("schema")
def schema(
    kind: Annotated[Kind, typer.Option("--kind", help="Which document: the configuration file, or a result.")] = (
        Kind.MIRROR
    ),
) -> None:
    """Print the JSON Schema of regmirror.yaml, or of a result, for editors and for checks in CI.

    regmirror config schema > regmirror.schema.json

    regmirror config schema --kind VerifyReport
    """
    with terminal() as streams:
        from regmirror.config.schema import mirror_schema
        from regmirror.deploy.report import deploy_report_schema, diff_report_schema
        from regmirror.verify.report import report_schema

        published = {
            Kind.MIRROR: mirror_schema,
            Kind.VERIFY_REPORT: report_schema,
            Kind.DEPLOY_REPORT: deploy_report_schema,
            Kind.DIFF_REPORT: diff_report_schema,
        }
        streams.result(json.dumps(published[kind](), indent=2))


@app.command("validate")
def validate(
    file: options.File = DEFAULT_FILE,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Check the file: every problem at once, with its line and key. Leaves with 0 where it is right, else with 2.

    regmirror config validate

    regmirror config validate -f - -o json < regmirror.yaml
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.connections import read_mirror
        from regmirror.config.problem import InvalidFileError

        try:
            mirror = read_mirror(file, None)
        except InvalidFileError as error:
            if streams.output is Format.TABLE:
                raise
            streams.document(_verdict(file, error.problems))
            raise typer.Exit(ExitCode.USAGE) from None
        if streams.output is Format.TABLE:
            hosts = ", ".join(f"https://{mirror.host_of(upstream)}" for upstream in mirror.upstreams)
            streams.result(f"{streams.symbols.ok} {file} is right: {hosts}", "green")
        else:
            streams.document(_verdict(file, []))


def _verdict(file: Path, problems: "list[Problem]") -> dict[str, Any]:
    from regmirror.config.model import API_VERSION

    return {
        "apiVersion": API_VERSION,
        "kind": "ValidationReport",
        "file": str(file),
        "valid": not problems,
        "problems": [{"line": one.line, "key": one.key_path, "message": one.message} for one in problems],
    }


@app.command("show")
def show(
    file: options.File = DEFAULT_FILE,
    namespace: options.Namespace = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show every key with the value that takes effect, and where it comes from: a line of the file, or the default.

    The result is a configuration file itself. Secrets are shown as they are referred to.

        regmirror config show
        regmirror config show -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.connections import read_mirror, read_source
        from regmirror.config.effective_config import ValueSources, effective, leaves, references
        from regmirror.config.key_paths import format_path
        from regmirror.config.load import parse_file

        mirror = read_mirror(file, namespace)
        _, root = parse_file(read_source(file), str(file))
        sources = ValueSources(root, {"namespace": "--namespace or REGMIRROR_NAMESPACE"} if namespace else {})
        found = references(mirror, os.environ, file.resolve().parent)
        if streams.output is Format.TABLE:
            _print(streams, mirror, sources, found)
        else:
            configuration = effective(mirror)
            streams.document(
                {
                    "apiVersion": mirror.api_version,
                    "kind": "EffectiveConfiguration",
                    "configuration": configuration,
                    "origins": {format_path(path): sources.of(path) for path, _ in leaves(configuration)},
                    "secrets": [{"key": one.key_path, "where": one.what, "found": one.is_there} for one in found],
                }
            )


def _print(streams: Terminal, mirror: "Mirror", sources: "ValueSources", found: "list[Reference]") -> None:
    from regmirror.config.effective_config import effective, yaml_lines

    for line, path in yaml_lines(effective(mirror)):
        streams.result(f"{line:<{_COLUMN}}  # {sources.of(path)}" if path else line)
    for one in found:
        if one.is_there is False:
            streams.info(f"Not at hand here: {one.what}, for {one.key_path}", "yellow")
