"""``regmirror verify``: proves that the mirror does what it must, and refuses what it must."""

from typing import Annotated

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import terminal
from regmirror.errors import ExitCode


def verify(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    image: Annotated[
        str | None, typer.Option("--image", metavar="NAME", help="Pull this image, such as library/alpine:3.")
    ] = None,
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Prove the mirror: what must be allowed is, and what must be denied is.

    Leaves with 0 where every check passed or only warned, with 1 where one failed.

        regmirror verify --image library/alpine:3
        regmirror verify -o json
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from datetime import UTC, datetime

        from regmirror.cli.verify_table import print_results
        from regmirror.cli.world import read_mirror
        from regmirror.clients.cluster import KubernetesCluster
        from regmirror.clients.http import Urllib3Http, parse_resolve
        from regmirror.clients.object_store import S3ObjectStore
        from regmirror.registry.reference import parse_image
        from regmirror.verify.checks import CHECKS
        from regmirror.verify.report import verify_report
        from regmirror.verify.run import is_healthy, run_checks
        from regmirror.verify.subject import Subject

        mirror = read_mirror(file, namespace)
        subject = Subject(
            mirror,
            KubernetesCluster(kubeconfig, context, mirror.namespace),
            Urllib3Http(parse_resolve(resolve), ca_file),
            lambda account: S3ObjectStore(mirror.storage, account),
            lambda: datetime.now(UTC),
            parse_image(image) if image else None,
        )
        stream = run_checks(CHECKS, subject)
        if streams.output is Format.TABLE:
            results = print_results(streams, stream, several=len(mirror.upstreams) > 1)
        else:
            results = list(stream)
            streams.print_document(verify_report(mirror, results))
        if not is_healthy(results):
            raise typer.Exit(ExitCode.FAILED)
