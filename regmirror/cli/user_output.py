"""What ``regmirror user`` prints."""

from typing import TYPE_CHECKING, Literal

import typer

from regmirror.cli.options import Format
from regmirror.cli.terminal import Terminal
from regmirror.errors import ExitCode, OutputError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from regmirror.ports.connections import Connections
    from regmirror.users.report import SignOutReport, UserEntry, UserList
    from regmirror.users.run import Outcome

Action = Literal["add", "passwd", "groups", "remove"]
_DONE: dict[Action, str] = {
    "add": "Added {names}.",
    "passwd": "Changed the password of {names}.",
    "groups": "Changed the groups of {names}.",
    "remove": "Removed {names}.",
}
_HEADINGS = ("NAME", "GROUPS", "CHANGED", "RULES")


def show_change(
    streams: Terminal,
    connections: "Connections",
    action: Action,
    names: list[str],
    outcome: "Outcome",
    generated: "SecretStr | None" = None,
) -> None:
    """The result of a change; a generated password is on standard output, and nowhere else.

    Raises OutputError if it cannot be written.
    """
    from regmirror.users.report import UserReport

    password = generated.get_secret_value() if generated else None
    lifetime = outcome.tokens_expire_after
    if streams.output is Format.TABLE:
        if password:
            streams.result(password)
    else:
        report = UserReport(
            host=connections.mirror.endpoint,
            namespace=connections.cluster.namespace,
            context=connections.cluster.context,
            action=action,
            users=names,
            changed=outcome.changed,
            in_effect=lifetime is not None,
            generated_password=password,
            tokens_expire_after_seconds=int(lifetime.total_seconds()) if lifetime else None,
            steps=outcome.steps,
        )
        streams.document(report.document())
    if password and streams.stdout.quiet:
        raise OutputError("nobody can read the generated password: standard output is closed")
    done = _DONE[action] if outcome.changed else "No change of {names}."
    streams.info(done.format(names=", ".join(names)))
    if lifetime is None:
        streams.info("docker_auth is not deployed yet; it will use the accounts after: regmirror deploy")
    elif action != "add" and outcome.changed:
        streams.info(f"Tokens issued before this change expire within {int(lifetime.total_seconds())} s.")
        streams.info("To end all tokens now: regmirror rotate-cert --emergency")


def show_sign_out(streams: Terminal, report: "SignOutReport") -> None:
    """Whose logins have ended. Exits with 1 if a named person has none."""
    if streams.output is not Format.TABLE:
        streams.document(report.document())
    logins = "1 login" if report.logins_ended == 1 else f"{report.logins_ended} logins"
    streams.info(f"Ended {logins} at {report.host}.")
    streams.info("To end the tokens of these logins now: regmirror rotate-cert --emergency")
    for name in report.unknown:
        streams.info(f"{streams.symbols.warning} nobody has a login with the name {name}; check its spelling", "yellow")
    if report.unknown:
        raise typer.Exit(ExitCode.FAILED)


def show_list(streams: Terminal, listed: "UserList") -> None:
    """The accounts as a table, or as a document."""
    if streams.output is not Format.TABLE:
        streams.document(listed.document())
    elif listed.users:
        rows = [_HEADINGS, *(_row(user) for user in listed.users)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
        for row in rows:
            streams.result("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    else:
        streams.info(f"{listed.host} has no accounts. Add one: regmirror user add NAME")
    for user in listed.users:
        if note := _note(user):
            streams.info(f"{streams.symbols.warning} {user.name}: {note}", "yellow")
    for warning in listed.warnings:
        streams.info(f"{streams.symbols.warning} {warning}", "yellow")


def _row(user: "UserEntry") -> tuple[str, ...]:
    changed = user.changed[:16].replace("T", " ") if user.changed else "-"
    return user.name, ", ".join(user.groups) or "-", changed, ", ".join(user.rules) or "-"


def _note(user: "UserEntry") -> str:
    if user.problem:
        return f"{user.problem}; remove it: regmirror user remove {user.name}"
    return "" if user.in_effect else "docker_auth does not use it as it is here; apply it: regmirror deploy"
