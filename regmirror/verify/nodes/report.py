"""The document of ``regmirror verify --nodes -o json``."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import DocumentPart, MirrorDocument
from regmirror.config.model import Mirror
from regmirror.errors.documentation import node_reason_url
from regmirror.verify.nodes.run import Finding, NodeResult
from regmirror.verify.nodes.verdict import Reason

Result = Literal["success", "warning", "error"]


class NodeRegistryReport(DocumentPart):
    """Whether a node pulls the images of one registry through the mirror."""

    registry: Annotated[str, Field(description="The registry in image names, such as docker.io.")]
    mirror: Annotated[str, Field(description="Host of its mirror, with the port unless it is 443.")]
    upstream: Annotated[str, Field(description="Name of the upstream.")]
    result: Annotated[
        Result,
        Field(description="success: through the mirror; error: without the mirror; warning: not found out."),
    ]
    reason: Annotated[Reason, Field(description="Stable id of the reason.")]
    message: Annotated[str, Field(description="What was seen.")]
    hint: Annotated[str | None, Field(description="How to fix it; null if the node uses the mirror.")]
    documentation: Annotated[str, Field(description="URL of the reason's documentation.")]


class NodeReport(DocumentPart):
    """One node."""

    name: Annotated[str, Field(description="Name of the node.")]
    runtime: Annotated[
        str, Field(description="The runtime with its version, as the node reports it; empty if it is not known.")
    ]
    result: Annotated[Result, Field(description="The worst result of any registry.")]
    registries: Annotated[list[NodeRegistryReport], Field(description="One for each registry that is mirrored.")]


class NodesReport(MirrorDocument):
    """The result of ``regmirror verify --nodes -o json``."""

    kind: Annotated[Literal["NodesReport"], Field(description="Kind of the document.")] = "NodesReport"
    healthy: Annotated[
        bool, Field(description="Whether at least one node uses the mirror and none bypasses it: the exit code is 0.")
    ]
    nodes: Annotated[list[NodeReport], Field(description="Every node that was to be probed, by name.")]


def node_report(result: NodeResult, complete: Callable[[str], str] = str) -> NodeReport:
    """What all output formats say about a node; ``complete`` adds to a hint what only the command knows."""
    registries = [_registry_report(finding, complete) for finding in result.findings]
    worst = worst_result([registry.result for registry in registries])
    return NodeReport(name=result.node.name, runtime=result.node.version, result=worst, registries=registries)


def worst_result(results: Sequence[Result]) -> Result:
    """An error if there is one, else a warning if there is one."""
    found: Sequence[Result] = ("error", "warning", "success")
    return next(one for one in found if one in results or one == "success")


def is_healthy(nodes: Sequence[NodeReport]) -> bool:
    """Whether a node uses the mirror, and none bypasses it; a node that could not be probed does not count."""
    results = {node.result for node in nodes}
    return "success" in results and "error" not in results


def nodes_report(mirror: Mirror, context: str, nodes: Sequence[NodeReport]) -> NodesReport:
    """The document of all nodes."""
    ordered = sorted(nodes, key=lambda node: node.name)
    return NodesReport(
        host=mirror.endpoint,
        namespace=mirror.namespace,
        context=context,
        healthy=is_healthy(ordered),
        nodes=ordered,
    )


def _registry_report(finding: Finding, complete: Callable[[str], str]) -> NodeRegistryReport:
    target, verdict = finding.target, finding.verdict
    unknown = verdict.reason is Reason.NOT_PROBED
    return NodeRegistryReport(
        registry=target.registry,
        mirror=target.mirror,
        upstream=target.upstream,
        result="warning" if unknown else "error" if verdict.bypasses else "success",
        reason=verdict.reason,
        message=verdict.message,
        hint=complete(finding.fix) if finding.fix else None,
        documentation=node_reason_url(verdict.reason),
    )
