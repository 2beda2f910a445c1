"""``regmirror rotate-cert``: a new signing key, while clients go on pulling."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import RegmirrorError

if TYPE_CHECKING:
    from regmirror.rotate.plan import Action
    from regmirror.rotate.run import Rotation

_IS_DUE, _IS_NOT_DUE, _NOTHING_DEPLOYED, _UNKNOWN = 0, 1, 2, 255
"""How ``--check`` leaves; the same codes as those of smallstep's ``step certificate needs-renewal``."""
_TIMEOUT = 5.0
"""Seconds in which the public host must go on answering."""
_ANYWAY = "Rotate anyway: regmirror rotate-cert --force"
_TITLES = {
    "trust": "1/5 the registries get to know the new key: its certificate joins their bundle",
    "roll-registries": "    registry pods are replaced, until the last with the old bundle has drained",
    "prove": "2/5 proof: every registry pod must accept a token signed by the new key",
    "swap": "3/5 docker_auth gets the new key",
    "roll-auth": "    docker_auth pods are replaced, until the last with the old key has drained",
    "roll-all": "    all pods are replaced, until the last with the old key has drained",
    "mark": "    proof: every docker_auth pod must sign by the new key",
    "wait": "4/5 waiting until the last token of the old key has expired, and 60s for clocks",
    "drop": "5/5 the registries forget every other key",
    "finish": "    every pod is asked once more, and the rotation ends",
}


def rotate_cert(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    timeout: Annotated[
        str, typer.Option("--timeout", envvar="REGMIRROR_TIMEOUT", help="How long one replacement of pods may take.")
    ] = "5m",
    check: Annotated[
        bool,
        typer.Option("--check", help="Only tell: leaves with 0 if renewal is needed, 1 if not, 2 if nothing is there."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done from here on.")] = False,
    expires_in: Annotated[
        str,
        typer.Option("--expires-in", metavar="30d|66%", help="Due with less than this left, or more than this passed."),
    ] = "66%",
    force: Annotated[bool, typer.Option("--force", help="Rotate though it is not due.")] = False,
    emergency: Annotated[
        bool,
        typer.Option("--emergency", help="The key has leaked: swap it at once; pulls fail for a moment."),
    ] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Give up a rotation whose new key is not yet in use.")] = False,
    key_size: Annotated[int | None, typer.Option("--key-size", help="2048, 3072 or 4096; else as in the file.")] = None,
    validity: Annotated[
        str | None, typer.Option("--validity", metavar="DAYS", help="Such as 365d; else as in the file.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Bring in this RSA key (PEM); needs --cert.")] = None,
    cert: Annotated[Path | None, typer.Option("--cert", help="The certificate of --key (PEM).")] = None,
    unlock: Annotated[
        bool,
        typer.Option("--unlock", help="Take a Helm that left its mark for killed, without watching it for 30 s."),
    ] = False,
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    skip_verify: Annotated[
        bool, typer.Option("--skip-verify", help="Skip the final check of the public host.")
    ] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Replace the key that signs tokens, without a failed pull.

    Does nothing, and says so, unless it is due. Takes the lifetime of a token and a few minutes. It may be killed at
    any point: the same command goes on from what the cluster shows.

        regmirror rotate-cert --check && regmirror rotate-cert
        regmirror rotate-cert --force --dry-run
        regmirror rotate-cert --emergency               # the key has leaked
    """
    code = partial(_code, check=check)
    resumes = not (check or dry_run)
    with terminal(output, debug=debug, no_color=no_color, resumes=resumes, exit_code=code) as streams:
        from regmirror.cli.connections import CommandConnections, read_timeout
        from regmirror.cli.progress import StepProgress
        from regmirror.cli.rotation_options import read_wish
        from regmirror.rotate.run import Rotation

        options = read_wish(
            expires_in, key_size, validity, key, cert, force=force, emergency=emergency, abort=abort, unlock=unlock
        )
        connections = CommandConnections(
            file,
            namespace,
            kubeconfig=kubeconfig,
            context=context,
            helm=helm,
            resolve=resolve,
            ca_file=ca_file,
            timeout=_TIMEOUT,
        )
        limit = read_timeout(timeout)
        with StepProgress(streams) as progress:
            rotation = Rotation(
                connections, progress, lambda action: _announce(streams, action), limit, options, skip_verify
            )
            if check:
                raise typer.Exit(_check(streams, rotation))
            if dry_run:
                _show_plan(streams, rotation)
                raise typer.Exit
            report = _run(streams, rotation)
        _show(streams, report)


def _code(error: RegmirrorError, *, check: bool) -> int:
    return _UNKNOWN if check else error.exit_code


def _announce(streams: Terminal, action: "Action") -> None:
    streams.info(_TITLES[action.value], "bold")


def _run(streams: Terminal, rotation: "Rotation") -> dict[str, Any]:
    from regmirror.cli.connections import run_until_done

    try:
        return run_until_done(rotation.run())
    except KeyboardInterrupt:
        done = ", ".join(name for name, _ in rotation.done) or "nothing"
        streams.info(f"done in this run: {done}")
        raise


def _check(streams: Terminal, rotation: "Rotation") -> int:
    from regmirror.cli.connections import run_until_done

    found = run_until_done(rotation.check())
    if streams.output is not Format.TABLE:
        streams.document(found)
    streams.info(found["message"])
    if not found["deployed"]:
        return _NOTHING_DEPLOYED
    return _IS_DUE if found["due"] else _IS_NOT_DUE


def _show_plan(streams: Terminal, rotation: "Rotation") -> None:
    from regmirror.cli.connections import run_until_done

    actions = run_until_done(rotation.plan())
    if streams.output is not Format.TABLE:
        streams.document({"plan": [action.value for action in actions]})
    else:
        for action in actions:
            streams.result(_TITLES[action.value])
    if not actions:
        streams.info("Nothing would be done: the certificate is not due.")
        streams.info(_ANYWAY)


def _show(streams: Terminal, report: dict[str, Any]) -> None:
    if streams.output is not Format.TABLE:
        streams.document(report)
    streams.info()
    if report["rotated"] or report["changed"]:
        streams.info(f"The signing key is {report['key']}." if report["rotated"] else f"Kept: {report['key']}.")
        streams.info(f"Started: {', '.join(report['started']) or 'no pod'}")
        streams.info("Next: regmirror verify")
        return
    streams.info(f"Not due before {report['due'][:10]}, nothing was changed: {report['key']}.")
    streams.info(_ANYWAY)
