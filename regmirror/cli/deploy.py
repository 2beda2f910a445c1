"""``regmirror deploy``: brings the cluster to what the configuration says, and proves that it serves."""

from typing import Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal


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
    skip_proof: Annotated[
        bool, typer.Option("--skip-proof", help="Do not ask the public host for a token at the end.")
    ] = False,
    unlock: Annotated[
        bool,
        typer.Option("--unlock", help="Go on where an earlier deployment was killed in the middle of Helm's work."),
    ] = False,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Deploy the mirror, or bring it up to date.

    Running it again is always safe: what is as it should be stays untouched, and no pod restarts without a reason.

        regmirror deploy
        regmirror deploy --resolve mirror.example.com:443:192.0.2.7 --ca-file ca.crt    # before DNS and public TLS
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.progress import StepProgress
        from regmirror.cli.world import open_resolver, read_mirror, read_timeout, run_until_done
        from regmirror.clients.cluster import KubernetesCluster
        from regmirror.clients.helm import Pyhelm3Helm
        from regmirror.clients.http import Urllib3Http, parse_resolve
        from regmirror.clients.object_store import S3ObjectStore
        from regmirror.deploy.run import Edges, deploy_mirror

        mirror = read_mirror(file, namespace)
        limit = read_timeout(timeout)
        http = Urllib3Http(parse_resolve(resolve), ca_file)
        cluster = KubernetesCluster(kubeconfig, context, mirror.namespace)
        edges = Edges(
            cluster,
            Pyhelm3Helm(helm, kubeconfig, cluster.context, mirror.namespace),
            open_resolver(file, cluster),
            None if skip_bucket else lambda account: S3ObjectStore(mirror.storage, account),
            None if skip_proof else http,
        )
        with StepProgress(streams) as progress:
            report = run_until_done(deploy_mirror(mirror, edges, progress, limit, unlock=unlock))
        _show(streams, report, mirror.host)


def _show(streams: Terminal, report: dict[str, Any], host: str) -> None:
    if streams.output is not Format.TABLE:
        streams.print_document(report)
    streams.say()
    streams.say(f"https://{host} serves." if report["changed"] else f"No change: https://{host} is as it should be.")
    for warning in report["warnings"]:
        streams.say(f"Warning: {warning}", "yellow")
    streams.say("Next: regmirror verify")
