"""``regmirror upgrade-notes``: what an update of regmirror changes, restarts and asks to be done by hand."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror import __version__
from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError, RegmirrorError

if TYPE_CHECKING:
    from regmirror.upgrade.changelog import Notes

_FIRST = ("By hand", "Restarts")


def upgrade_notes(
    before: Annotated[
        str, typer.Option("--from", help="The old version; else the one that is deployed.", show_default=False)
    ] = "",
    after: Annotated[str, typer.Option("--to", help="The new version; unreleased is one, too.")] = __version__,
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show what changes between two versions: what to do by hand, which pods deploy replaces, and all else.

    Run the new version, before its first deploy.

        regmirror upgrade-notes
        regmirror upgrade-notes --from 0.1.0 -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.desired.assets import changelog
        from regmirror.upgrade.changelog import notes_between, parse_changelog

        old = before or _deployed(file, kubeconfig, context, namespace)
        notes = notes_between(parse_changelog(changelog()), old.lower(), after.lower())
        if streams.output is Format.TABLE:
            _print(streams, old, after, notes)
        else:
            streams.document(_document(old, after, notes))


def _deployed(file: Path, kubeconfig: Path | None, context: str | None, namespace: str | None) -> str:
    from regmirror.cli.connections import CommandConnections
    from regmirror.upgrade.deployed import deployed_version

    try:
        connections = CommandConnections(file, namespace, kubeconfig=kubeconfig, context=context)
        return deployed_version(connections.cluster.blocking)
    except RegmirrorError as error:
        raise ConfigurationError(
            f"the deployed version is not known: {error.message}", hint="say it: regmirror upgrade-notes --from VERSION"
        ) from error


def _print(streams: Terminal, old: str, new: str, notes: "list[Notes]") -> None:
    if not notes:
        streams.result(f"{old} to {new}: nothing changes.")
        return
    for one in notes:
        streams.result(f"{one.version}{f' ({one.date})' if one.date else ''}", "bold")
        for title in sorted(one.sections, key=lambda title: (title not in _FIRST, title)):
            streams.result(f"  {title}")
            for entry in one.sections[title]:
                streams.result(f"    - {entry}")
    streams.info("Next: regmirror diff, then regmirror deploy")


def _document(old: str, new: str, notes: "list[Notes]") -> dict[str, Any]:
    from regmirror.config.model import API_VERSION

    versions = [{"version": one.version, "date": one.date or None, "notes": one.sections} for one in notes]
    return {"apiVersion": API_VERSION, "kind": "UpgradeNotes", "from": old, "to": new, "versions": versions}
