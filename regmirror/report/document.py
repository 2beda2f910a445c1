"""The document of ``regmirror report``: everything that is on the page."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import DocumentPart, MirrorDocument, Timestamp, Unknown
from regmirror.status.findings import State
from regmirror.status.report import StatusReport
from regmirror.verify.report import CheckReport


class Health(StrEnum):
    """Status and checks in one word. The values appear in documents."""

    HEALTHY = "healthy"
    ATTENTION = "attention"
    """Clients are served, but something needs attention or could not be determined."""
    FAILING = "failing"
    """The mirror does not serve, or a check fails."""
    UNKNOWN = "unknown"
    """The cluster could not be read."""
    NOT_DEPLOYED = "not-deployed"


class RepositoryReport(DocumentPart):
    """One repository in the cache."""

    name: Annotated[str, Field(description="Name of the repository.")]
    tags: Annotated[int, Field(ge=0, description="Number of cached tags.")]
    manifests: Annotated[int, Field(ge=0, description="Number of cached manifests.")]
    bytes: Annotated[int, Field(ge=0, description="Size of everything that its images need.")]
    share: Annotated[
        int, Field(ge=0, description="The same; a layer that several repositories have is divided among them.")
    ]
    updated: Annotated[Timestamp, Field(description="When content was added last.")]


class ContentsReport(DocumentPart):
    """What the bucket holds for one upstream."""

    bytes: Annotated[int, Field(ge=0, description="Size of all layers and manifests.")]
    unused: Annotated[int, Field(ge=0, description="Bytes that no repository refers to.")]
    complete: Annotated[bool, Field(description="Whether everything was listed; if not, there is more.")]
    repositories: Annotated[list[RepositoryReport], Field(description="The largest repositories, the largest first.")]
    other_repositories: Annotated[int, Field(ge=0, description="Number of repositories that are not in the list.")]
    other_bytes: Annotated[int, Field(ge=0, description="Their shares together.")]


class RankedRepository(DocumentPart):
    """How often a repository was requested."""

    name: Annotated[str, Field(description="Name of the repository.")]
    count: Annotated[int, Field(ge=0, description="Number of requests, at most this many.")]
    uncertain: Annotated[int, Field(ge=0, description="How many of them may be those of other repositories.")]


class RankingReport(DocumentPart):
    """The repositories that clients requested most, as the pods of one upstream counted them."""

    since: Annotated[Timestamp | None, Field(description="Start of the oldest pod that responds.")]
    pulled: Annotated[list[RankedRepository], Field(description="Requests for manifests that were served.")]
    refused: Annotated[list[RankedRepository], Field(description="Requests that were refused.")]


class UpstreamUse(DocumentPart):
    """Contents and use of the mirror of one upstream."""

    name: Annotated[str, Field(description="Name of the upstream.")]
    contents: Annotated[ContentsReport | Unknown, Field(description="What is cached.")]
    ranking: Annotated[RankingReport | Unknown, Field(description="What is requested most.")]


class PointReport(DocumentPart):
    """One value of a series."""

    time: Annotated[Timestamp, Field(description="End of the interval.")]
    value: Annotated[float | None, Field(description="The value; null if there is none.")]


class SeriesReport(DocumentPart):
    """The course of one figure."""

    name: Annotated[str, Field(description="What is shown.")]
    points: Annotated[list[PointReport], Field(description="The values, the oldest first.")]


class ChartReport(DocumentPart):
    """Figures that are shown together."""

    title: Annotated[str, Field(description="What the figures are about.")]
    unit: Annotated[Literal["ratio", "bytes", "requests"], Field(description="ratio is 0 to 1; others are per second.")]
    series: Annotated[list[SeriesReport], Field(description="One or more figures.")]


class HistoryReport(DocumentPart):
    """Figures over time, from Prometheus."""

    since: Annotated[Timestamp, Field(description="Start of the history.")]
    step_seconds: Annotated[int, Field(ge=1, description="Time between two values.")]
    charts: Annotated[list[ChartReport], Field(description="The charts of the page.")]


class MirrorReport(MirrorDocument):
    """The result of ``regmirror report -o json``."""

    kind: Annotated[Literal["MirrorReport"], Field(description="Kind of the document.")] = "MirrorReport"
    time: Annotated[Timestamp, Field(description="When the report was made.")]
    version: Annotated[str, Field(description="Version of regmirror.")]
    health: Annotated[
        Health,
        Field(
            description="healthy; attention: a warning, or a value that is not known; failing: a check fails, or the "
            "mirror does not serve; unknown: the cluster could not be read; not-deployed."
        ),
    ]
    status: Annotated[StatusReport, Field(description="The document of regmirror status.")]
    checks: Annotated[
        list[CheckReport] | Unknown | None, Field(description="The checks of regmirror verify; null with --no-verify.")
    ]
    signing_key_issued: Annotated[
        Timestamp | Unknown, Field(description="When the signing key was issued: at the last rotation.")
    ]
    upstreams: Annotated[list[UpstreamUse], Field(description="Every upstream.")]
    history: Annotated[
        HistoryReport | Unknown | None, Field(description="Figures over time; null without --prometheus.")
    ]


def health_of(status: StatusReport, checks: list[CheckReport] | Unknown | None) -> Health:
    """The health of a mirror, from its state and the results of its checks."""
    results = {check.result for check in checks} if isinstance(checks, list) else set()
    if status.state is State.NOT_DEPLOYED:
        return Health.NOT_DEPLOYED
    if status.state is State.FAILING or "error" in results:
        return Health.FAILING
    if status.state is State.UNKNOWN:
        return Health.UNKNOWN
    if status.state is State.RUNNING or status.warnings or "warning" in results or isinstance(checks, Unknown):
        return Health.ATTENTION
    return Health.HEALTHY


def covers(history: HistoryReport) -> tuple[datetime, datetime]:
    """The first and the last moment of a history."""
    times = [point.time for chart in history.charts for series in chart.series for point in series.points]
    return history.since, max(times, default=history.since)
