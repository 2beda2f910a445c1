"""``regmirror verify --nodes``: probes the nodes, and shows which of them bypass the mirror."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from regmirror.cli.client_files import parse_registries
from regmirror.cli.connections import run_until_done
from regmirror.cli.options import ReportFormat
from regmirror.cli.terminal import Symbols, Terminal
from regmirror.distribution.reference import ImageReference
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import missing_rights
from regmirror.ports.connections import Connections
from regmirror.steps.clock import Clock
from regmirror.verify.nodes.mirror_log import MirrorLog, check_log
from regmirror.verify.nodes.probe import Target
from regmirror.verify.nodes.report import NodeRegistryReport, NodeReport, is_healthy, node_report, nodes_report
from regmirror.verify.nodes.rights import node_rights
from regmirror.verify.nodes.run import NodeProbing
from regmirror.verify.nodes.targets import find_nodes, find_targets

_INDENT = " " * 6
_WIDTH = 80


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """The options of the command that are about nodes."""

    names: Sequence[str]
    """The nodes to probe; all if there is none."""
    registries: Sequence[str]
    image: ImageReference | None
    timeout: timedelta


def verify_nodes(streams: Terminal, output: ReportFormat, connections: Connections, options: NodeOptions) -> bool:
    """Print which nodes use the mirror; returns whether one does and none bypasses it.

    Raises ConfigurationError, ClusterError, NotDeployedError, or RegistryError if the mirror itself does not work.
    """
    targets = find_targets(connections.mirror, parse_registries(list(options.registries)), options.image)
    table = _Table(streams, targets, is_short=output is ReportFormat.SHORT)
    is_table = output in {ReportFormat.TABLE, ReportFormat.SHORT}
    nodes = run_until_done(_probe(streams, connections, targets, options, table if is_table else None))
    if is_table:
        table.print_summary(nodes)
    else:
        streams.document(nodes_report(connections.mirror, connections.cluster.context, nodes).document())
    return is_healthy(nodes)


async def _probe(
    streams: Terminal,
    connections: Connections,
    targets: Sequence[Target],
    options: NodeOptions,
    table: "_Table | None",
) -> list[NodeReport]:
    cluster, clock = connections.cluster, Clock()
    if missing := await cluster.run(missing_rights, node_rights(connections.mirror)):
        hint = "use another --context, or ask an administrator to grant them: regmirror rbac verify-nodes"
        raise PermissionDeniedError(missing, hint=hint)
    nodes = await cluster.run(find_nodes, options.names)
    log = MirrorLog(cluster, [target.upstream for target in targets])
    await check_log(connections, log, targets, clock)
    streams.info(f"probing {len(nodes)} node{'s' * (len(nodes) != 1)}")
    reports = []
    async for result in NodeProbing(cluster, log, targets, options.timeout, clock).probe(nodes):
        reports.append(node_report(result, streams.hint))
        if table:
            table.print_node(reports[-1])
    return reports


class _Table:
    """The results for people: a line for each node as soon as it is known, and below a fault its fix."""

    def __init__(self, streams: Terminal, targets: Sequence[Target], *, is_short: bool) -> None:
        self._streams, self._is_short = streams, is_short
        self._several = len(targets) > 1

    def print_node(self, node: NodeReport) -> None:
        for registry in node.registries:
            if not (self._is_short and registry.result == "success"):
                self._print(node.name, registry)

    def _print(self, node: str, report: NodeRegistryReport) -> None:
        symbol, style = _mark(report, self._streams.symbols)
        name = f"{node} ({report.registry})" if self._several else node
        if report.result == "success":
            self._streams.result(f"{symbol} {name}: {report.message}", style)
            return
        found = f"bypasses the mirror ({report.reason})" if report.result == "error" else "not probed"
        self._streams.result(f"{symbol} {name}: {found}", style)
        message = "".join(filter(str.isprintable, report.message))
        for line in textwrap.wrap(message, _WIDTH - len(_INDENT), break_long_words=False, break_on_hyphens=False):
            self._streams.result(_INDENT + line)
        self._streams.result(f"{_INDENT}Try: {report.hint}")
        self._streams.result(f"{_INDENT}See: {report.documentation}")

    def print_summary(self, nodes: Sequence[NodeReport]) -> None:
        counts = {result: sum(node.result == result for node in nodes) for result in ("success", "error", "warning")}
        text = f"{counts['success']} of {len(nodes)} nodes use the mirror, {counts['error']} bypass it"
        text += f", {counts['warning']} not probed" if counts["warning"] else ""
        symbols = self._streams.symbols
        symbol, style = (symbols.ok, "bold green") if is_healthy(nodes) else (symbols.error, "bold red")
        self._streams.result(f"{symbol} {text}", style)


def _mark(report: NodeRegistryReport, symbols: Symbols) -> tuple[str, str]:
    return {
        "success": (symbols.ok, "green"),
        "warning": (symbols.warning, "yellow"),
        "error": (symbols.error, "bold red"),
    }[report.result]
