"""``regmirror user``: adds, changes, removes and lists the accounts that may log in to the mirror."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.cli.user_output import show_change, show_list, show_sign_out
from regmirror.cli.user_password import new_password, password_may_be_lost
from regmirror.errors import ConfigurationError

if TYPE_CHECKING:
    from regmirror.cli.connections import CommandConnections
    from regmirror.users.changes import Change
    from regmirror.users.run import Outcome

app = typer.Typer(
    name="user",
    help="Manage the accounts that may log in to the mirror. Rules (upstreams[].rules) say what they may pull.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.", show_default=False)]
Generate = Annotated[
    bool, typer.Option("--generate", help="Choose a random password and print it once, on standard output.")
]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command("add")
def add(
    name: Name,
    group: Annotated[
        list[str], typer.Option("--group", metavar="GROUP", help="Put the account into this group. Repeatable.")
    ] = [],  # noqa: B006 - typer copies it
    generate: Generate = False,
    password_stdin: PasswordStdin = False,
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    timeout: options.Timeout = "5m",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Add an account, and let docker_auth use it without interrupting pulls.

    Asks for the password on a terminal. The cluster stores only its hash.

        regmirror user add alice --group platform
        regmirror user add ci-robot --generate
        regmirror user add ci-robot --password-stdin < password.txt
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.users import changes
        from regmirror.users.password import hash_password

        _check_name(name)
        _check_groups(group)
        password = new_password(streams, file, generate=generate, from_stdin=password_stdin)
        connections = _connections(file, kubeconfig, context, namespace, helm)
        with password_may_be_lost(streams, name, generate=generate):
            outcome = _change(streams, connections, timeout, changes.add(name, hash_password(password), group))
            show_change(streams, connections, "add", [name], outcome, password if generate else None)


@app.command("passwd")
def passwd(
    name: Name,
    generate: Generate = False,
    password_stdin: PasswordStdin = False,
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    timeout: options.Timeout = "5m",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Set another password of an account. Its groups stay as they are.

    regmirror user passwd alice
    regmirror user passwd ci-robot --generate
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.users import changes
        from regmirror.users.password import hash_password

        password = new_password(streams, file, generate=generate, from_stdin=password_stdin)
        connections = _connections(file, kubeconfig, context, namespace, helm)
        with password_may_be_lost(streams, name, generate=generate):
            outcome = _change(streams, connections, timeout, changes.set_password(name, hash_password(password)))
            show_change(streams, connections, "passwd", [name], outcome, password if generate else None)


@app.command("groups")
def groups(
    name: Name,
    group: Annotated[
        list[str] | None,
        typer.Argument(metavar="GROUP...", help="Every group of the account.", show_default=False),
    ] = None,
    none: Annotated[bool, typer.Option("--none", help="Remove the account from all groups.")] = False,
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    timeout: options.Timeout = "5m",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Replace the groups of an account. Its password stays as it is.

    regmirror user groups alice platform release
    regmirror user groups alice --none
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.users import changes

        chosen = group or []
        if chosen and none:
            raise ConfigurationError("--none cannot be combined with groups", hint="leave out one of them")
        if not chosen and not none:
            raise ConfigurationError("set the groups: name at least one, or use --none", hint="regmirror user list")
        _check_groups(chosen)
        connections = _connections(file, kubeconfig, context, namespace, helm)
        outcome = _change(streams, connections, timeout, changes.set_groups(name, chosen))
        show_change(streams, connections, "groups", [name], outcome)


@app.command("remove")
def remove(
    name: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of the accounts.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    timeout: options.Timeout = "5m",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Remove accounts. Tokens that they have already remain valid until they expire.

    regmirror user remove alice
    regmirror user remove alice ci-robot --yes
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.users import changes

        connections = _connections(file, kubeconfig, context, namespace, helm)
        host = connections.mirror.endpoint
        if not yes:
            question = f"Remove {', '.join(name)} from {host} (context {connections.cluster.context})?"
            _confirm(streams, question, f"regmirror user remove --yes {' '.join(name)}")
        outcome = _change(streams, connections, timeout, changes.remove(name))
        show_change(streams, connections, "remove", name, outcome)


@app.command("sign-out")
def sign_out(
    person: Annotated[
        list[str] | None,
        typer.Argument(metavar="PERSON...", help="Names in the logins: docker login -u NAME.", show_default=False),
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="End the logins of everyone.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """End the logins of people who signed in on the sign-in page.

    Block them at the provider first, or they can sign in again. Tokens that they
    have already remain valid until they expire. Exits with 1 if somebody has no
    login.

        regmirror user sign-out alice
        regmirror user sign-out --all
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.deploy.rights import require_rights
        from regmirror.users.rights import sign_out_rights
        from regmirror.users.sign_out import sign_out as end_logins

        people = person or []
        if bool(people) == everyone:
            raise ConfigurationError("name at least one person, or use --all", hint="regmirror user sign-out --help")
        connections = _connections(file, kubeconfig, context, namespace)
        host = connections.mirror.endpoint
        if everyone and not yes:
            _confirm(streams, f"End the logins of everyone at {host}?", "regmirror user sign-out --all --yes")
        cluster = connections.cluster.blocking
        require_rights(cluster, sign_out_rights(), "user")
        show_sign_out(streams, end_logins(cluster, connections.mirror, people))


@app.command("list")
def list_(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """List the accounts with their groups, and the rules that name them. Never shows passwords or hashes.

    regmirror user list
    regmirror user list -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.deploy.rights import require_rights
        from regmirror.users.listing import list_users
        from regmirror.users.rights import list_rights
        from regmirror.users.run import require_own_docker_auth

        connections = _connections(file, kubeconfig, context, namespace)
        require_own_docker_auth(connections.mirror)
        cluster = connections.cluster.blocking
        require_rights(cluster, list_rights(), "user")
        show_list(streams, list_users(cluster, connections.mirror))


def _connections(
    file: Path, kubeconfig: Path | None, context: str | None, namespace: str | None, helm: str = "helm"
) -> "CommandConnections":
    from regmirror.cli.connections import CommandConnections

    return CommandConnections(file, namespace, kubeconfig=kubeconfig, context=context, helm=helm)


def _change(streams: Terminal, connections: "CommandConnections", timeout: str, change: "Change") -> "Outcome":
    from regmirror.cli.connections import read_timeout, run_until_done
    from regmirror.cli.progress import StepProgress
    from regmirror.users.run import AccountChange

    limit = read_timeout(timeout)
    with StepProgress(streams) as progress:
        return run_until_done(AccountChange(connections, progress, limit).run(change))


def _check_name(name: str) -> None:
    from regmirror.config.access import account_name

    try:
        account_name(name)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def _check_groups(groups: list[str]) -> None:
    from regmirror.config.access import plain_text

    for group in groups:
        try:
            plain_text(group)
        except ValueError as error:
            raise ConfigurationError(f'"{group}" is not a valid group: {error}') from None


def _confirm(streams: Terminal, question: str, confirmed_command: str) -> None:
    """Raises ConfigurationError unless it is confirmed at a terminal."""
    from regmirror.cli.prompts import Prompts

    if not sys.stdin.isatty():
        message = "cannot ask for confirmation without a terminal: nothing was removed"
        raise ConfigurationError(message, hint=confirmed_command)
    if not Prompts(streams).confirm(question):
        raise ConfigurationError("not confirmed: nothing was removed")
