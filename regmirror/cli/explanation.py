"""The documents of ``regmirror explain``."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from regmirror.cli.reference_pages import Topic
from regmirror.config.model import API_VERSION

_Version = Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of this document's format.")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)

    def document(self) -> dict[str, Any]:
        """The report as it is printed."""
        return self.model_dump(mode="json", by_alias=True)


class Explanation(_Part):
    """The result of ``regmirror explain TOPIC -o json``."""

    api_version: _Version
    kind: Annotated[Literal["Explanation"], Field(description="Kind of the document.")]
    topic: Annotated[str, Field(description="Error code, id of a check, or path of a configuration key.")]
    title: Annotated[str, Field(description="The topic in one sentence.")]
    url: Annotated[str, Field(description="Address of the same section in the published documentation.")]
    markdown: Annotated[str, Field(description="The section, as Markdown.")]


class TopicReport(_Part):
    """A topic that can be explained."""

    topic: Annotated[str, Field(description="Error code, id of a check, or path of a configuration key.")]
    type: Annotated[Literal["error", "check", "key"], Field(description="What the topic is.")]
    url: Annotated[str, Field(description="Address of its section in the published documentation.")]


class TopicList(_Part):
    """The result of ``regmirror explain -o json``."""

    api_version: _Version
    kind: Annotated[Literal["TopicList"], Field(description="Kind of the document.")]
    topics: Annotated[list[TopicReport], Field(description="Every topic: errors, then checks, then keys.")]


def explanation(topic: Topic) -> Explanation:
    """The document of one topic."""
    return Explanation.model_validate(
        {
            "api_version": API_VERSION,
            "kind": "Explanation",
            "topic": topic.name,
            "title": topic.title,
            "url": topic.url,
            "markdown": topic.markdown,
        }
    )


def topic_list(topics: list[Topic]) -> TopicList:
    """The document of all topics."""
    reports = [{"topic": one.name, "type": one.kind, "url": one.url} for one in topics]
    return TopicList.model_validate({"api_version": API_VERSION, "kind": "TopicList", "topics": reports})
