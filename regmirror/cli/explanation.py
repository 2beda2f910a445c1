"""The documents of ``regmirror explain``."""

from typing import Annotated, Literal

from pydantic import Field

from regmirror.cli.reference_pages import Topic
from regmirror.config.documents import Document, DocumentPart

_Name = Annotated[str, Field(description="Error code, id of a check or finding, or path of a configuration key.")]
_Url = Annotated[str, Field(description="Address of the section in the published documentation.")]


class Explanation(Document):
    """The result of ``regmirror explain TOPIC -o json``."""

    kind: Annotated[Literal["Explanation"], Field(description="Kind of the document.")] = "Explanation"
    topic: _Name
    title: Annotated[str, Field(description="The topic in one sentence.")]
    url: _Url
    markdown: Annotated[str, Field(description="The section, as Markdown.")]


class TopicReport(DocumentPart):
    """A topic that can be explained."""

    topic: _Name
    type: Annotated[Literal["error", "check", "finding", "reason", "key"], Field(description="What the topic is.")]
    url: _Url


class TopicList(Document):
    """The result of ``regmirror explain -o json``."""

    kind: Annotated[Literal["TopicList"], Field(description="Kind of the document.")] = "TopicList"
    topics: Annotated[list[TopicReport], Field(description="Every topic: errors, checks, findings, reasons and keys.")]


def explanation(topic: Topic) -> Explanation:
    """The document of one topic."""
    return Explanation(topic=topic.name, title=topic.title, url=topic.url, markdown=topic.markdown)


def topic_list(topics: list[Topic]) -> TopicList:
    """The document of all topics."""
    reports = [TopicReport.model_validate({"topic": one.name, "type": one.kind, "url": one.url}) for one in topics]
    return TopicList(topics=reports)
