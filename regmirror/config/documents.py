"""What the JSON and YAML documents of commands are made of; ``regmirror config schema --kind KIND`` prints a schema."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

Timestamp = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.strftime(_TIME_FORMAT), return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment in UTC, written as RFC 3339 without fractions of seconds."""


class DocumentPart(BaseModel):
    """A part of a document; its keys are written in camelCase."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)

    def document(self) -> dict[str, Any]:
        """The part, or the whole document, as commands print it."""
        return self.model_dump(mode="json", by_alias=True)


class Unknown(DocumentPart):
    """Replaces a value that could not be determined."""

    unknown: Annotated[str, Field(description="Why the value is not known.")]


class StepReport(DocumentPart):
    """One step of a command."""

    name: Annotated[str, Field(description="Stable name of the step.")]
    changed: Annotated[bool, Field(description="Whether the step changes something.")]
    detail: Annotated[str, Field(description="What the step did, or will do, in a few words.")]


class Document(DocumentPart):
    """A whole document. Each kind overrides ``kind`` by a literal."""

    api_version: Annotated[
        Literal["regmirror.dev/v1alpha1"], Field(description="Version of this document's format.")
    ] = "regmirror.dev/v1alpha1"
    kind: str


class MirrorDocument(Document):
    """A document about one mirror."""

    host: Annotated[str, Field(description="Public host of the mirror.")]
    namespace: Annotated[str, Field(description="Namespace of the mirror.")]
    context: Annotated[str, Field(description="Kubeconfig context of the cluster.")]
