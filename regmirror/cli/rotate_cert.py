"""``regmirror rotate-cert``: replaces the signing key without failing a pull."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import RegmirrorError

if TYPE_CHECKING:
    from regmirror.rotate.plan import Action
    from regmirror.rotate.report import RotateCheck, RotatePlan, RotateReport
    from regmirror.rotate.run import Rotation

_IS_DUE, _IS_NOT_DUE, _NOTHING_DEPLOYED, _UNKNOWN = 0, 1, 2, 255
"""Exit codes of ``--check``, the same as those of smallstep's ``step certificate needs-renewal``."""
_ROTATE_NOW = "Rotate now: regmirror rotate-cert --force"
_TIMEOUT = 5.0
"""Seconds for each request to the public host."""
_PHASES = {
    "add-certificate": "1/5",
    "test-next-key": "2/5",
    "replace-key": "3/5",
    "wait-for-old-tokens": "4/5",
    "remove-old-certificates": "5/5",
}


def rotate_cert(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    image_registry: options.ImageRegistry = "",
    helm: options.Helm = "helm",
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout",
            metavar="DURATION",
            envvar="REGMIRROR_TIMEOUT",
            help="Time limit for each rollout, e.g. 90s or 5m.",
        ),
    ] = "5m",
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Report whether rotation is due. Exits with 0 if due, 1 if not, 2 if nothing is deployed, "
            "255 if that is unknown.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the remaining steps without executing them.")
    ] = False,
    expires_in: Annotated[
        str,
        typer.Option(
            "--expires-in",
            metavar="30d|66%",
            help="Rotate if less than this remains (30d), or more than this share has elapsed (66%).",
        ),
    ] = "66%",
    force: Annotated[bool, typer.Option("--force", help="Rotate even if the certificate is not due.")] = False,
    emergency: Annotated[
        bool,
        typer.Option("--emergency", help="Replace a leaked key immediately. Some pulls fail for half a minute."),
    ] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="Abort a rotation if docker_auth does not use the new key yet.")
    ] = False,
    key_size: Annotated[
        int | None, typer.Option("--key-size", help="RSA key size: 2048, 3072 or 4096. Default: auth.keySize.")
    ] = None,
    validity: Annotated[
        str | None,
        typer.Option(
            "--validity", metavar="DAYS", help="Certificate validity, e.g. 365d. Default: auth.certificateDays."
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Use this RSA private key (PEM) instead of a new one; needs --cert.")
    ] = None,
    cert: Annotated[Path | None, typer.Option("--cert", help="Certificate of --key (PEM).")] = None,
    unlock: Annotated[
        bool,
        typer.Option("--unlock", help="Clear a stale Helm lock immediately instead of waiting 30 s."),
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
    """Replace the key that signs tokens, without interrupting pulls.

    Does nothing unless the certificate is due. Takes as long as a token is valid, plus a few minutes. Safe to
    interrupt at any time: run the same command again to continue.

        regmirror rotate-cert --check && regmirror rotate-cert
        regmirror rotate-cert --force --dry-run
        regmirror rotate-cert --emergency               # the key has leaked
    """
    code = partial(_code, check=check)
    resumes = not (check or dry_run)
    with terminal(output, debug=debug, no_color=no_color, resumes=resumes, exit_code=code) as streams:
        from regmirror.cli.connections import CommandConnections, read_timeout, run_until_done
        from regmirror.cli.progress import StepProgress
        from regmirror.cli.rotation_options import read_options
        from regmirror.rotate.run import Rotation

        options = read_options(
            expires_in, key_size, validity, key, cert, force=force, emergency=emergency, abort=abort, unlock=unlock
        )
        connections = CommandConnections(
            file,
            namespace,
            image_registry=image_registry,
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
                connections, progress, lambda action: streams.info(_title(action), "bold"), limit, options, skip_verify
            )
            if check:
                raise typer.Exit(show_check(streams, run_until_done(rotation.check())))
            if dry_run:
                show_plan(streams, run_until_done(rotation.dry_run()))
                raise typer.Exit
            report = _run(streams, rotation)
        show_report(streams, report)


def _code(error: RegmirrorError, *, check: bool) -> int:
    return _UNKNOWN if check else error.exit_code


def _title(action: "Action") -> str:
    return f"{_PHASES.get(action.value, ''):3} {action.title}"


def _run(streams: Terminal, rotation: "Rotation") -> "RotateReport":
    from regmirror.cli.connections import run_until_done

    try:
        return run_until_done(rotation.run())
    except KeyboardInterrupt:
        streams.info(f"Completed steps: {', '.join(step.name for step in rotation.done) or 'none'}")
        raise


def show_check(streams: Terminal, check: "RotateCheck") -> int:
    """Print the answer of --check; returns the exit code."""
    if streams.output is not Format.TABLE:
        streams.document(check.document())
    streams.info(f"{check.message[:1].upper()}{check.message[1:]}")
    if check.key:
        streams.info(f"Signing key: {check.key}")
    if not check.deployed:
        return _NOTHING_DEPLOYED
    return _IS_DUE if check.due else _IS_NOT_DUE


def show_plan(streams: Terminal, plan: "RotatePlan") -> None:
    """Print the steps of --dry-run."""
    if streams.output is not Format.TABLE:
        streams.document(plan.document())
    else:
        for step in plan.steps:
            streams.result(f"{_PHASES.get(step.name, ''):3} {step.detail}")
    if not plan.due:
        streams.info("Nothing to do: the certificate is not due.")
        streams.info(_ROTATE_NOW)


def show_report(streams: Terminal, report: "RotateReport") -> None:
    """Print the result of a rotation."""
    if streams.output is not Format.TABLE:
        streams.document(report.document())
    if not report.changed and not report.rotated:
        streams.info(f"Not due before {report.due_at:%Y-%m-%d}; nothing was changed.")
        streams.info(f"Signing key: {report.key}")
        streams.info(_ROTATE_NOW)
        return
    streams.info()
    streams.info(f"{'New signing key' if report.rotated else 'Signing key kept'}: {report.key}")
    streams.info(f"Started pods: {', '.join(report.started_pods) or 'none'}")
    for warning in report.warnings:
        streams.info(f"{streams.symbols.warning} {warning}", "yellow")
    streams.info("Next: regmirror verify")
