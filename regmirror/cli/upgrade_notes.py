"""``regmirror upgrade-notes``: what an upgrade changes and restarts, and what to do by hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror import __version__
from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError, RegmirrorError
from regmirror.ports.cluster import DEPLOYMENT, Right

if TYPE_CHECKING:
    from regmirror.upgrade.report import UpgradeNotes

UPGRADE_RIGHTS = (Right("get", "apps", "deployments"),)
"""The permissions in the namespace: the deployed version is a label of a Deployment."""
_FIRST = ("By hand", "Restarts")


def upgrade_notes(
    before: Annotated[
        str,
        typer.Option("--from", metavar="VERSION", help="Old version. Default: the deployed one.", show_default=False),
    ] = "",
    after: Annotated[str, typer.Option("--to", metavar="VERSION", help="New version, or unreleased.")] = __version__,
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show what changes between two versions: what to do by hand, which pods restart, and everything else.

    Install the new version, then run this before you deploy with it.

        regmirror upgrade-notes
        regmirror upgrade-notes --from 0.1.0 -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.desired.assets import changelog
        from regmirror.upgrade.changelog import notes_between, parse_changelog
        from regmirror.upgrade.report import upgrade_report
        from regmirror.version import is_development

        old = before or _deployed(file, kubeconfig, context, namespace)
        notes = notes_between(parse_changelog(changelog()), old.lower(), after.lower())
        report = upgrade_report(old, after, notes)
        if streams.output is not Format.TABLE:
            streams.document(report.document())
            return
        _print(streams, report)
        if is_development(old):
            streams.info(f"{old} is a development version: some of these changes may be deployed already.")
        if report.versions:
            streams.info("Next: regmirror diff; then regmirror deploy")


def _deployed(file: Path, kubeconfig: Path | None, context: str | None, namespace: str | None) -> str:
    from regmirror.cli.connections import CommandConnections
    from regmirror.desired import names
    from regmirror.upgrade.changelog import deployed_version

    try:
        connections = CommandConnections(file, namespace, kubeconfig=kubeconfig, context=context)
        cluster = connections.cluster.blocking
        place = f"namespace {cluster.namespace} of context {cluster.context}"
        registry = names.registry(connections.mirror.upstreams[0].name)
        name = registry if connections.mirror.auth.external else names.AUTH
        return deployed_version(cluster.get(DEPLOYMENT, name), place)
    except RegmirrorError as error:
        raise ConfigurationError(
            f"cannot determine the deployed version: {error.message}", hint="regmirror upgrade-notes --from VERSION"
        ) from error


def _print(streams: Terminal, report: "UpgradeNotes") -> None:
    if not report.versions:
        streams.result(f"No changes between {report.old_version} and {report.new_version}.")
        return
    for version in report.versions:
        streams.result(f"{version.version}{f' ({version.date})' if version.date else ''}", "bold")
        for title in sorted(version.notes, key=lambda title: (title not in _FIRST, title)):
            streams.result(f"  {title}")
            for entry in version.notes[title]:
                streams.result(f"    - {entry}")
