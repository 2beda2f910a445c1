"""``regmirror deploy``: brings the cluster to what the configuration says, and proves that it serves."""

from functools import partial
from typing import Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.diff import exit_code_of_diff, tell
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError, RegmirrorError


def deploy(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    helm: options.Helm = "helm",
    timeout: options.Timeout = "5m",
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    skip_bucket: Annotated[bool, typer.Option("--skip-bucket", help="Do not look at the S3 bucket.")] = False,
    skip_verify: Annotated[
        bool, typer.Option("--skip-verify", help="Skip the final check of the public host.")
    ] = False,
    unlock: Annotated[
        bool,
        typer.Option("--unlock", help="Take a Helm that left its mark for killed, without watching it for 30 s."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what would change; leaves with 0 if nothing, 1 if something."),
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what an upstream left that is no longer in the file.")
    ] = False,
    rollback_on_failure: Annotated[
        bool,
        typer.Option("--rollback-on-failure", help="Put back what served before, if this deployment fails."),
    ] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Deploy the mirror, or bring it up to date.

    Running it again is always safe: what is as it should be stays untouched,
    and no pod restarts without a reason.

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

        if prune and rollback_on_failure:
            raise ConfigurationError(
                "--prune and --rollback-on-failure exclude each other: what is removed cannot be put back",
                hint="first regmirror deploy --rollback-on-failure, then regmirror deploy --prune",
            )
        connections = CommandConnections(
            file, namespace, kubeconfig=kubeconfig, context=context, helm=helm, resolve=resolve, ca_file=ca_file
        )
        limit = read_timeout(timeout)
        chosen = DeployOptions(
            unlock=unlock,
            prune=prune,
            rollback=rollback_on_failure,
            skip_bucket=skip_bucket,
            skip_verify=skip_verify,
        )
        with StepProgress(streams) as progress:
            if dry_run:
                planned = run_until_done(plan_deployment(connections, progress, chosen))
            else:
                report = run_until_done(deploy_mirror(connections, progress, limit, chosen))
        if dry_run:
            tell(streams, planned)
        else:
            _show(streams, report, connections.mirror.host)


def _code(error: RegmirrorError, *, dry_run: bool) -> int:
    return exit_code_of_diff(error) if dry_run else error.exit_code


def _show(streams: Terminal, report: dict[str, Any], host: str) -> None:
    if streams.output is not Format.TABLE:
        streams.document(report)
    streams.info()
    streams.info(f"https://{host} serves." if report["changed"] else f"No change: https://{host} is as it should be.")
    for warning in report["warnings"]:
        streams.info(f"Warning: {warning}", "yellow")
    streams.info("Next: regmirror verify")
