"""``regmirror why``: whether an image may be pulled, and which rule decides."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError, ExitCode, RegmirrorError

if TYPE_CHECKING:
    from pydantic import SecretStr

    from regmirror.access.question import Question
    from regmirror.access.report import WhyReport
    from regmirror.access.rules import RuleBook
    from regmirror.config.model import Mirror
    from regmirror.ports.connections import Connections
    from regmirror.verify.live_mirror import LiveMirror

_TIMEOUT = 5.0
"""Seconds without data after which a request fails."""
_ERROR = 3


def why(
    image: Annotated[str, typer.Argument(help="Image to pull, e.g. library/alpine:3 or quay.io/acme/tool.")],
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    upstream: Annotated[
        str, typer.Option("--upstream", metavar="NAME", help="Upstream of the image. Default: by its registry.")
    ] = "",
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Ask for this account; prompts for its password.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    group: Annotated[
        list[str],
        typer.Option("--group", metavar="NAME", help="Ask for a member of this group; repeatable."),
    ] = [],  # noqa: B006 - typer copies it
    signed_in: Annotated[
        str | None,
        typer.Option("--signed-in", metavar="NAME", help="Ask for this name at the sign-in provider."),
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="ADDRESS", help="Ask for a client with this IP address.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask the configuration file only: no cluster, no network.")
    ] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Show whether an image may be pulled, which rule decides, and what the mirror has of it.

    Requests a token as the client would, looks up the cached manifest, and asks the upstream. Counts no pull.
    What a sign-in or another address decides is answered from the file. Exits with 0 if the pull is allowed, 1 if
    not, 2 for wrong usage, and 3 if the mirror cannot be asked.

        regmirror why library/alpine:3
        regmirror why acme/private-tool --user ci-robot
        regmirror why acme/private-tool --group platform --user alice --offline
    """
    with terminal(output, debug=debug, no_color=no_color, exit_code=exit_code_of_answer) as streams:
        from regmirror.access.rules import RuleBook
        from regmirror.access.why import why_report
        from regmirror.cli.connections import CommandConnections, read_configuration, read_source
        from regmirror.cli.why_table import print_why
        from regmirror.config.load import parse_file

        mirror = read_configuration(file, namespace)
        rules = RuleBook(mirror, parse_file(read_source(file), str(file))[1], str(file))
        question = _question(mirror, image, upstream, (user, signed_in, group, from_))
        if offline:
            report = why_report(mirror, rules, question)
        else:
            password = _password(streams, question, from_stdin=password_stdin)
            connections = CommandConnections(
                file,
                namespace,
                kubeconfig=kubeconfig,
                context=context,
                resolve=resolve,
                ca_file=ca_file,
                timeout=_TIMEOUT,
            )
            live = _live_mirror(connections, context or "", str(kubeconfig or ""))
            report = _ask(live, rules, question, password)
        if streams.output is Format.TABLE:
            print_why(streams, report)
        else:
            streams.document(report.document())
        if not report.allowed:
            raise typer.Exit(ExitCode.FAILED)


def _question(
    mirror: "Mirror", image: str, upstream: str, client: tuple[str | None, str | None, list[str], str | None]
) -> "Question":
    from regmirror.access.question import Question, client_of, find_image, require_possible

    try:
        question = Question(*find_image(mirror, image, upstream), client_of(*client))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    require_possible(mirror, question.client)
    return question


def _live_mirror(connections: "Connections", context: str, kubeconfig: str) -> "LiveMirror":
    from datetime import UTC, datetime

    from regmirror.verify.live_mirror import KubectlOptions, LiveMirror

    return LiveMirror(connections, lambda: datetime.now(UTC), kubectl_options=KubectlOptions(context, kubeconfig))


def _ask(live: "LiveMirror", rules: "RuleBook", question: "Question", password: "SecretStr | None") -> "WhyReport":
    from dataclasses import replace

    from regmirror.access.live import ask_mirror, with_groups
    from regmirror.access.why import why_report

    known = replace(question, client=with_groups(live, question.client))
    return why_report(live.mirror, rules, known, ask_mirror(live, known, password), live)


def exit_code_of_answer(error: RegmirrorError) -> int:
    """3 for what is not wrong usage: 1 means that the answer is no."""
    return error.exit_code if error.exit_code in {ExitCode.USAGE, ExitCode.INTERRUPTED} else _ERROR


def _password(streams: Terminal, question: "Question", *, from_stdin: bool) -> "SecretStr | None":
    """The password of the account; None if no token is requested for one."""
    from pydantic import SecretStr

    from regmirror.cli.prompts import Prompts

    user = question.client.user
    if from_stdin:
        if user is None:
            raise ConfigurationError("--password-stdin: there is no account: name it with --user")
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise ConfigurationError("--password-stdin: standard input is empty")
        return SecretStr(password)
    if user is None or question.client.address is not None:
        return None
    if not sys.stdin.isatty():
        raise ConfigurationError(
            f"cannot ask for the password of {user}: standard input is not a terminal",
            hint="pipe it to --password-stdin, or use --offline",
        )
    return SecretStr(Prompts(streams).secret(f"Password of {user}"))
