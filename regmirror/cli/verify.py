"""``regmirror verify``: checks that the mirror serves what it must, and refuses what it must."""

from typing import Annotated

import typer

from regmirror.cli import completion, options
from regmirror.cli.options import DEFAULT_FILE, ReportFormat
from regmirror.cli.terminal import terminal
from regmirror.errors import ExitCode

_TIMEOUT = 5.0
"""Seconds without data after which a request fails: less than the time limit of any check."""

_NODE_TIMEOUT = "2m"

Output = Annotated[
    ReportFormat,
    typer.Option(
        "-o",
        "--output",
        envvar="REGMIRROR_OUTPUT",
        help="Output format; short shows only failures and warnings, metrics is the text format of Prometheus.",
    ),
]
Categories = Annotated[
    list[str],
    typer.Option(
        "--category",
        metavar="NAME",
        autocompletion=completion.categories,
        help="Run only the checks of this category; repeatable.",
    ),
]
Ids = Annotated[
    list[str],
    typer.Option(
        "--check",
        metavar="ID",
        autocompletion=completion.check_ids,
        help="Run only this check and those it needs; repeatable.",
    ),
]
Nodes = Annotated[bool, typer.Option("--nodes", help="Check that each node pulls through the mirror, instead.")]
NodeNames = Annotated[
    list[str],
    typer.Option("--node", metavar="NAME", help="Check this node only; repeatable. Implies --nodes."),
]
Registries = Annotated[
    list[str],
    typer.Option(
        "--registry",
        metavar="UPSTREAM=NAME",
        autocompletion=completion.registries,
        help="With --nodes: registry name that nodes use for an upstream, e.g. docker.io if the upstream is a proxy of "
        "it; repeatable.",
    ),
]


def verify(
    file: options.File = DEFAULT_FILE,
    kubeconfig: options.Kubeconfig = None,
    context: options.Context = None,
    namespace: options.Namespace = None,
    image_registry: options.ImageRegistry = "",
    resolve: options.Resolve = [],  # noqa: B006 - typer copies it
    ca_file: options.CaFile = None,
    image: Annotated[
        str | None,
        typer.Option("--image", metavar="NAME", help="Pull this image, e.g. library/alpine:3. Default: probeImage."),
    ] = None,
    pre: Annotated[bool, typer.Option("--pre", help="Run only the pre-install checks.")] = False,
    category: Categories = [],  # noqa: B006 - typer copies it
    check: Ids = [],  # noqa: B006 - typer copies it
    wait: Annotated[
        str | None,
        typer.Option("--wait", metavar="DURATION", help="Retry until no check fails, for at most this long (e.g. 5m)."),
    ] = None,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Also publish the results in the cluster, as metrics. Requires verification."),
    ] = False,
    nodes: Nodes = False,
    node: NodeNames = [],  # noqa: B006 - typer copies it
    registry: Registries = [],  # noqa: B006 - typer copies it
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="DURATION", help="With --nodes: maximum time for each node.")
    ] = _NODE_TIMEOUT,
    output: Output = ReportFormat.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Check that the mirror works: allowed images can be pulled, and everything else is denied.

    Changes nothing, except with --publish and --nodes. Exits with 0 if no check fails (warnings are allowed),
    with 1 if a check fails, with 2 if an option or the file is invalid.

    With --nodes, a pod on each node, which is deleted at the end, has the node's own runtime pull
    an image that does not exist, and the mirror's log shows whether the mirror
    was asked for it. Nodes that bypass the mirror are listed with the reason.
    Exits with 0 if a node uses the mirror and none bypasses it.

        regmirror verify --image library/alpine:3
        regmirror verify --pre
        regmirror verify --category token --wait 1m -o json
        regmirror verify --nodes
        regmirror verify --node worker-1 --node worker-2
    """
    with terminal(output.of_errors, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.connections import CommandConnections, read_duration, read_timeout
        from regmirror.cli.verify_checks import CheckOptions, verify_checks
        from regmirror.cli.verify_options import (
            read_selection,
            refuse_options_for_checks,
            refuse_options_for_nodes,
        )
        from regmirror.verify.live_mirror import KubectlOptions
        from regmirror.verify.sample_pull import parse_image

        of_nodes = nodes or bool(node)
        checks = read_selection(check, category, pre_install=pre, publish=publish, nodes=of_nodes)
        wait_timeout = read_duration(wait, "--wait") if wait else None
        connections = CommandConnections(
            file,
            namespace,
            image_registry=image_registry,
            kubeconfig=kubeconfig,
            context=context,
            resolve=resolve,
            ca_file=ca_file,
            timeout=_TIMEOUT,
        )
        chosen_image = parse_image(image) if image else None
        if of_nodes:
            from regmirror.cli.verify_nodes import NodeOptions, verify_nodes

            refuse_options_for_checks(output, pre=pre, category=category, check=check, wait=wait)
            node_options = NodeOptions(node, registry, chosen_image, read_timeout(timeout))
            is_healthy = verify_nodes(streams, output, connections, node_options)
        else:
            refuse_options_for_nodes(registry=registry, timeout=timeout != _NODE_TIMEOUT)
            for_kubectl = KubectlOptions(context or "", str(kubeconfig or ""))
            check_options = CheckOptions(checks, chosen_image, for_kubectl, wait_timeout, publish)
            is_healthy = verify_checks(streams, output, connections, check_options)
        if not is_healthy:
            raise typer.Exit(ExitCode.FAILED)
