"""The results of deploy and diff as documents; their schemas: ``regmirror config schema --kind DeployReport``."""

from typing import Annotated, Any, Literal

from pydantic import Field

from regmirror.config.documents import DocumentPart
from regmirror.config.model import API_VERSION, Mirror


class StepReport(DocumentPart):
    """One step of a deployment."""

    name: Annotated[str, Field(description="Stable name; the name of the Helm release for a release.")]
    changed: Annotated[bool, Field(description="Whether the step changed something, or would change something.")]
    detail: Annotated[str, Field(description="What it did or would do, in a few words.")]


class UpstreamReport(DocumentPart):
    """One upstream and its public host."""

    name: Annotated[str, Field(description="Name of the upstream.")]
    url: Annotated[str, Field(description="URL of the registry that is mirrored.")]
    host: Annotated[str, Field(description="Public host of its mirror, with the port unless it is 443.")]


class _Report(DocumentPart):
    """What both documents have."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of the document format.")]
    kind: Annotated[str, Field(description="Kind of the document.")]
    host: Annotated[str, Field(description="Public host of the mirror, with the port unless it is 443.")]
    namespace: Annotated[str, Field(description="Namespace of the mirror.")]
    context: Annotated[str, Field(description="Kubeconfig context of the cluster.")]
    upstreams: Annotated[list[UpstreamReport], Field(description="The upstreams, in the order of the file.")]

    def document(self) -> dict[str, Any]:
        """The document as ``-o json`` writes it."""
        return self.model_dump(by_alias=True, mode="json")


class DeployReport(_Report):
    """The result of ``regmirror deploy``."""

    kind: Annotated[Literal["DeployReport"], Field(description="Kind of the document.")] = "DeployReport"
    changed: Annotated[bool, Field(description="Whether the deployment changed something.")]
    verified: Annotated[bool, Field(description="Whether every public host issued and accepted a token at the end.")]
    steps: Annotated[list[StepReport], Field(description="The steps, in their order.")]
    warnings: Annotated[list[str], Field(description="What needs attention, although the deployment succeeded.")]
    sign_in_url: Annotated[
        str | None,
        Field(description="URL of the page on which people sign in; null without."),
    ] = None


class FieldReport(DocumentPart):
    """One field that would change."""

    path: Annotated[str, Field(description="Path of the field, such as spec.template.spec.containers[auth].image.")]
    cause: Annotated[
        Literal["file", "drift", "secret"],
        Field(
            description="Why it differs: the file, or a secret that it refers to, changed; someone changed the cluster "
            "(drift); or a Secret changes and the pods that mount it are replaced."
        ),
    ]
    masked: Annotated[bool, Field(description="Whether the values are hidden, since they may be secret.")]
    from_: Annotated[Any, Field(alias="from", description="Value in the cluster; null if absent or masked.")]
    to: Annotated[Any, Field(description="Value after a deployment; null if absent or masked.")]


class ObjectReport(DocumentPart):
    """One object that would be created, changed or removed."""

    step: Annotated[str, Field(description="Name of the step that changes it; prune is done only with --prune.")]
    action: Annotated[Literal["create", "change", "remove"], Field(description="What would be done.")]
    kind: Annotated[str, Field(description="Kind of the object.")]
    name: Annotated[str, Field(description="Name of the object.")]
    cause: Annotated[Literal["file", "drift", "secret"], Field(description="Why; drift if any of its fields is drift.")]
    changed_by: Annotated[list[str], Field(description="The field managers that caused the drift.")]
    fields: Annotated[list[FieldReport], Field(description="The fields that would change; none for a new object.")]


class ForeignFieldReport(DocumentPart):
    """A field that another field manager added, and that deploy does not change."""

    kind: Annotated[str, Field(description="Kind of the object.")]
    name: Annotated[str, Field(description="Name of the object.")]
    path: Annotated[str, Field(description="Path of the field.")]
    manager: Annotated[str, Field(description="The field manager that added it.")]


class PrerequisiteReport(DocumentPart):
    """Something that deploy requires and that is missing or wrong."""

    name: Annotated[str, Field(description="Stable name of the preflight check of deploy.")]
    message: Annotated[str, Field(description="What is missing or wrong.")]
    hint: Annotated[str | None, Field(description="How to fix it.")]


class OverrideReport(DocumentPart):
    """A Helm value that the file overrides."""

    release: Annotated[str, Field(description="Name of the Helm release.")]
    path: Annotated[str, Field(description="Path of the value, such as resources.limits.memory.")]
    value: Annotated[Any, Field(description="Value from the file.")]
    instead_of: Annotated[Any, Field(description="Value of regmirror; null if it leaves this value to the chart.")]
    source: Annotated[str, Field(description="Key of the file that sets it, such as overrides.redis.")]


class DiffReport(_Report):
    """The result of ``regmirror diff`` and of ``regmirror deploy --dry-run``."""

    kind: Annotated[Literal["DiffReport"], Field(description="Kind of the document.")] = "DiffReport"
    differs: Annotated[bool, Field(description="Whether something would change; if so, the exit code is 1.")]
    steps: Annotated[list[StepReport], Field(description="The steps of a deployment, in their order.")]
    objects: Annotated[list[ObjectReport], Field(description="The objects that would change.")]
    foreign_fields: Annotated[list[ForeignFieldReport], Field(description="Fields of others, which stay as they are.")]
    orphans: Annotated[
        list[str], Field(description="Releases and Secrets of removed upstreams; only deploy --prune removes them.")
    ]
    overrides: Annotated[
        list[OverrideReport], Field(description="The Helm values that overrides of the file set, changed or not.")
    ]
    prerequisites: Annotated[
        list[PrerequisiteReport], Field(description="What deploy requires and is missing or wrong.")
    ]
    warnings: Annotated[
        list[str],
        Field(description="Changes that interrupt pulls, and what needs attention and deploy does not change."),
    ]


def heading(mirror: Mirror, context: str) -> dict[str, Any]:
    """The fields that every report begins with."""
    return {
        "api_version": API_VERSION,
        "host": mirror.endpoint,
        "namespace": mirror.namespace,
        "context": context,
        "upstreams": [
            UpstreamReport(name=upstream.name, url=upstream.url, host=mirror.endpoint_of(upstream))
            for upstream in mirror.upstreams
        ],
    }


def deploy_report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a DeployReport."""
    return _schema(DeployReport, "deploy-report")


def diff_report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a DiffReport."""
    return _schema(DiffReport, "diff-report")


def _schema(report: type[_Report], name: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://{API_VERSION}/{name}.schema.json",
        **report.model_json_schema(by_alias=True),
    }
