"""``regmirror config``: validates and shows the configuration file, and prints JSON Schemas."""

import json
import os
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ExitCode

if TYPE_CHECKING:
    from regmirror.config.effective_config import ReferencedSecret, ValueSources
    from regmirror.config.model import Mirror

_COLUMN = 52
"""Where the comments begin, so that a line and its comment fit into 80 columns."""

KINDS = {
    "Mirror": "regmirror.config.schema:mirror_schema",
    "EffectiveConfiguration": "regmirror.config.report:EffectiveConfiguration",
    "ValidationReport": "regmirror.config.report:ValidationReport",
    "ClientConfiguration": "regmirror.client_config.report:ClientConfiguration",
    "ClientCheck": "regmirror.client_config.check.report:ClientCheck",
    "ImageList": "regmirror.render.image_report:ImageList",
    "RenderReport": "regmirror.render.report:RenderReport",
    "DeployReport": "regmirror.deploy.report:DeployReport",
    "DiffReport": "regmirror.deploy.report:DiffReport",
    "MirrorReport": "regmirror.report.document:MirrorReport",
    "RotateReport": "regmirror.rotate.report:RotateReport",
    "RotateCheck": "regmirror.rotate.report:RotateCheck",
    "RotatePlan": "regmirror.rotate.report:RotatePlan",
    "DestroyReport": "regmirror.destroy.report:DestroyReport",
    "StatusReport": "regmirror.status.report:StatusReport",
    "SupportBundleReport": "regmirror.support.report:SupportBundleReport",
    "UpgradeNotes": "regmirror.upgrade.report:UpgradeNotes",
    "UserReport": "regmirror.users.report:UserReport",
    "UserList": "regmirror.users.report:UserList",
    "SignOutReport": "regmirror.users.report:SignOutReport",
    "VerifyReport": "regmirror.verify.report:report_schema",
    "NodesReport": "regmirror.verify.nodes.report:NodesReport",
    "WhyReport": "regmirror.access.report:WhyReport",
    "AccessTestReport": "regmirror.access.report:AccessTestReport",
    "Explanation": "regmirror.cli.explanation:Explanation",
    "TopicList": "regmirror.cli.explanation:TopicList",
}
"""By kind of document: its Pydantic model, or a function that returns its schema; imported when it is needed."""

app = typer.Typer(
    name="config",
    help="Validate and show the configuration file, and print JSON Schemas. Needs no cluster.",
    no_args_is_help=True,
)


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        raise typer.BadParameter(f"'{kind}' is not one of {', '.join(KINDS)}.")
    return kind


def schema_of(kind: str) -> dict[str, Any]:
    """The published JSON Schema of a kind of document."""
    from regmirror.config.schema import document_schema

    module, _, name = KINDS[kind].partition(":")
    source = getattr(import_module(module), name)
    published: dict[str, Any] = document_schema(source) if isinstance(source, type) else source()
    return published


@app.command("schema")
def schema(
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            metavar="KIND",
            callback=_known_kind,
            autocompletion=lambda: list(KINDS),
            help=f"Kind of document: {', '.join(KINDS)}.",
        ),
    ] = "Mirror",
) -> None:
    """Print the JSON Schema of regmirror.yaml or of a document that a command prints.

    regmirror config schema > regmirror.schema.json
    regmirror config schema --kind VerifyReport
    """
    with terminal() as streams:
        streams.result(json.dumps(schema_of(kind), indent=2))


@app.command("validate")
def validate(
    file: options.File = DEFAULT_FILE,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Validate the configuration file and report every problem with its line and key.

    Warnings name keys that have no effect, and risks. Exits with 0 if the file is valid, 2 if not.

        regmirror config validate
        regmirror config validate -f - -o json < regmirror.yaml
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.connections import read_source
        from regmirror.config.file_warnings import file_warnings
        from regmirror.config.load import parse_file
        from regmirror.config.problem import InvalidFileError
        from regmirror.config.report import validation_report

        try:
            mirror, root = parse_file(read_source(file), str(file))
        except InvalidFileError as error:
            if streams.output is Format.TABLE:
                raise
            streams.document(validation_report(str(file), error.problems, []).document())
            raise typer.Exit(ExitCode.USAGE) from None
        report = validation_report(str(file), [], file_warnings(mirror, root))
        if streams.output is not Format.TABLE:
            streams.document(report.document())
            return
        hosts = ", ".join(mirror.url_of(upstream) for upstream in mirror.upstreams)
        streams.result(f"{streams.symbols.ok} {file} is valid ({hosts})", "green")
        if mirror.sign_in_registration:
            streams.info(f"To register at the sign-in provider: {mirror.sign_in_registration}")
        for warning in report.warnings:
            streams.info(f"{streams.symbols.warning} {warning}", "yellow")


@app.command("show")
def show(
    file: options.File = DEFAULT_FILE,
    namespace: options.Namespace = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show the effective value of every key and its source: a line of the file, or the default.

    The output is a valid configuration file. It has references to secrets, never their values.

        regmirror config show
        regmirror config show -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.connections import read_configuration, read_source
        from regmirror.config.effective_config import ValueSources, referenced_secrets
        from regmirror.config.load import parse_file
        from regmirror.config.report import effective_configuration

        mirror = read_configuration(file, namespace)
        _, root = parse_file(read_source(file), str(file))
        sources = ValueSources(root, {"namespace": "--namespace or REGMIRROR_NAMESPACE"} if namespace else {})
        secrets = referenced_secrets(mirror, os.environ, file.resolve().parent)
        if streams.output is Format.TABLE:
            _print(streams, mirror, sources, secrets)
        else:
            streams.document(effective_configuration(mirror, sources, secrets).document())


def _print(streams: Terminal, mirror: "Mirror", sources: "ValueSources", secrets: "list[ReferencedSecret]") -> None:
    from regmirror.config.effective_config import effective, yaml_lines

    for line, path in yaml_lines(effective(mirror)):
        streams.result(f"{line:<{_COLUMN}}  # {sources.of(path)}" if path else line)
    for secret in secrets:
        if secret.found is False:
            streams.info(f"{streams.symbols.warning} {secret.key_path}: not found: {secret.location}", "yellow")
