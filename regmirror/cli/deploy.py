"""``regmirror deploy``: applies the configuration to the cluster and checks the public host."""

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import options
from regmirror.cli.diff import exit_code_of_diff, show_diff_and_exit
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError, HostChangeError, RegmirrorError

if TYPE_CHECKING:
    from regmirror.deploy.report import DeployReport


def deploy(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    image_registry: options.ImageRegistry = "",
    helm: options.Helm = "helm",
    timeout: options.Timeout = "5m",
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    skip_bucket: Annotated[bool, typer.Option("--skip-bucket", help="Skip the check of the S3 bucket.")] = False,
    skip_admission: Annotated[
        bool,
        typer.Option("--skip-admission", help="Skip the checks of quotas, limits and policies that refuse pods."),
    ] = False,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over",
            help="Claim data in the bucket that belongs to another mirror, which must no longer use it.",
        ),
    ] = False,
    change_host: Annotated[
        bool,
        typer.Option(
            "--change-host",
            help="Replace the public host that the namespace serves. Without it, deploy asks on a terminal and "
            "refuses elsewhere.",
        ),
    ] = False,
    skip_verify: Annotated[
        bool, typer.Option("--skip-verify", help="Skip the final check of the public host.")
    ] = False,
    unlock: Annotated[
        bool,
        typer.Option("--unlock", help="Clear a stale Helm lock immediately instead of waiting 30 s."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show what would change. Exits with 0 if nothing would, 1 if something would, 2 for wrong usage, "
            "3 for other errors.",
        ),
    ] = False,
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove releases and Secrets of upstreams that are no longer in the file."),
    ] = False,
    rollback_on_failure: Annotated[
        bool,
        typer.Option("--rollback-on-failure", help="Restore the previous deployment if this one fails."),
    ] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Deploy the mirror, or apply changes of the configuration file.

    Safe to run again: it changes only what differs from the file, and restarts
    only the pods that need it. At the end, it checks that the public host
    issues and accepts tokens.

        regmirror deploy
        regmirror deploy --dry-run
        regmirror deploy --resolve mirror.example.com:443:192.0.2.7
    """
    code = partial(_code, dry_run=dry_run)
    with terminal(output, debug=debug, no_color=no_color, resumes=not dry_run, exit_code=code) as streams:
        from regmirror.cli.connections import CommandConnections, read_timeout, run_until_done
        from regmirror.cli.progress import StepProgress
        from regmirror.deploy.diff import plan_deployment
        from regmirror.deploy.run import deploy_mirror
        from regmirror.deploy.steps import DeployOptions

        if take_over and skip_bucket:
            raise ConfigurationError("--take-over cannot be combined with --skip-bucket, which does not use the bucket")
        if prune and rollback_on_failure:
            raise ConfigurationError(
                "--prune cannot be combined with --rollback-on-failure: what is removed cannot be restored",
                hint="regmirror deploy --rollback-on-failure, then regmirror deploy --prune",
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
        )
        limit = read_timeout(timeout)
        chosen = DeployOptions(
            unlock=unlock,
            prune=prune,
            rollback=rollback_on_failure,
            skip_bucket=skip_bucket,
            skip_admission=skip_admission,
            take_over=take_over,
            change_host=change_host,
            skip_verify=skip_verify,
        )
        if dry_run:
            with StepProgress(streams) as progress:
                planned = run_until_done(plan_deployment(connections, progress, chosen))
            flags = {"--prune": prune, "--take-over": take_over, "--change-host": change_host}
            apply = " ".join(["regmirror deploy", *(flag for flag, given in flags.items() if given)])
            show_diff_and_exit(streams, planned, apply)
            return

        def run(options: DeployOptions) -> None:
            with StepProgress(streams) as progress:
                report = run_until_done(deploy_mirror(connections, progress, limit, options))
            _show(streams, report, connections.mirror.sign_in_registration, shown=progress.warnings)

        try:
            run(chosen)
        except HostChangeError as error:
            _confirm_host(streams, error)
            run(replace(chosen, change_host=True))


def _confirm_host(streams: Terminal, error: HostChangeError) -> None:
    """Ask whether to change the host; raises the error without a terminal, with other errors, or if not confirmed."""
    if error.causes or not sys.stdin.isatty():
        raise error
    from regmirror.cli.prompts import Prompts

    streams.info(f"{streams.symbols.warning} {error.message}", "yellow")
    if not Prompts(streams).confirm("Change the host?"):
        raise error


def _code(error: RegmirrorError, *, dry_run: bool) -> int:
    return exit_code_of_diff(error) if dry_run else error.exit_code


def _show(streams: Terminal, report: "DeployReport", registration: str | None, shown: list[str]) -> None:
    if streams.output is not Format.TABLE:
        streams.document(report.document())
    streams.info()
    streams.info(_outcome(report))
    for warning in (warning for warning in report.warnings if warning not in shown):
        streams.info(f"{streams.symbols.warning} {warning}", "yellow")
    if report.sign_in_url:
        streams.info(f"People sign in at {report.sign_in_url}. To register at the provider: {registration}")
    streams.info("Next: regmirror verify")


def _outcome(report: "DeployReport") -> str:
    """Only what was checked is said to serve."""
    done = "Deployed." if report.changed else "No change."
    if not report.verified:
        hosts = "host was" if len(report.upstreams) == 1 else "hosts were"
        return f"{done} The public {hosts} not checked."
    urls = [f"https://{upstream.host}" for upstream in report.upstreams]
    return f"{done} {', '.join(urls)} {'serves' if len(urls) == 1 else 'serve'}."
