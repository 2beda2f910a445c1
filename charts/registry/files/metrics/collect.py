"""Brings all metrics of a pod together."""

import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from metrics import certificate, sources
from metrics.request_counts import RequestCounts
from metrics.request_log import RequestLog
from metrics.samples import Family, Sample, text_of
from metrics.sources import SourceError
from metrics.table import METRICS, Pod

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the parts of the metrics are; None and empty for those that a pod does not have."""

    pod: Pod
    version_file: Path
    upstream: str
    request_log: Path
    registry_port: int | None = None
    fetcher_socket: Path | None = None
    certificate: Path | None = None
    verification: Path | None = None


@dataclass(slots=True)
class Collector:
    """The metrics of one pod."""

    settings: Settings
    counts: RequestCounts = field(init=False)
    _log_file: RequestLog = field(init=False)
    _began: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.counts = RequestCounts(self.settings.pod)
        self._log_file = RequestLog(self.settings.request_log)

    def count_requests(self) -> None:
        """Read what the front has written since the last time."""
        for lines in self._log_file.batches():
            self.counts.count(lines)

    async def text(self) -> str:
        """All metrics in the text format."""
        self.count_requests()
        samples = [*self._own(), *self.counts.samples(), *[sample async for sample in self._of_other_programs()]]
        added = self._verified(samples)
        upstream = {"upstream": self.settings.upstream} if self.settings.upstream else {}
        return text_of([*_families(samples, upstream), *added])

    def top_text(self) -> str:
        """The repositories that clients request most, as samples; no metrics, because their number is unlimited."""
        self.count_requests()
        samples = [Sample("regmirror_start_time_seconds", {}, self._began)]
        for result, top in self.counts.top.items():
            for entry in top.entries():
                labels = {"result": result, "repository": entry.name}
                samples.append(Sample("regmirror_repository_requests", labels, entry.count))
                samples.append(Sample("regmirror_repository_requests_uncertain", labels, entry.uncertain))
        return "".join(f"{sample}\n" for sample in samples)

    def _own(self) -> Iterator[Sample]:
        settings = self.settings
        # The file changes in a running pod: a new version by itself restarts none.
        version = settings.version_file.read_text().strip()
        yield Sample("regmirror_build_info", {"version": version, "component": settings.pod.value}, 1)
        yield Sample("regmirror_start_time_seconds", {}, self._began)
        if settings.certificate:
            try:
                ends = certificate.not_after(settings.certificate.read_text())
            except (OSError, ValueError) as error:
                _log.warning("cannot read %s: %s", settings.certificate, error)
            else:
                yield Sample("regmirror_certificate_not_after_timestamp_seconds", {"certificate": "signing"}, ends)

    async def _of_other_programs(self) -> AsyncIterator[Sample]:
        port, socket = self.settings.registry_port, self.settings.fetcher_socket
        asked: dict[str, Callable[[], Awaitable[list[Sample]]]] = {}
        if port is not None:
            asked["registry"] = lambda: sources.registry(port)
        if socket is not None:
            asked["fetcher"] = lambda: sources.fetcher(socket)
        for source, ask in asked.items():
            try:
                found = await ask()
            except SourceError as error:
                _log.warning("%s: %s", source, error)
                found = []
            for sample in found:
                yield sample
            yield Sample("regmirror_source_up", {"source": source}, bool(found))

    def _verified(self, samples: list[Sample]) -> list[Family]:
        """The families of the verification; samples of our own families are added to ``samples``."""
        directory = self.settings.verification
        if directory is None or not directory.is_dir():
            return []
        try:
            families = sources.verification(directory)
        except SourceError as error:
            _log.warning("%s", error)
            families = []
        known, names = {sample.key for sample in samples}, {metric.name for metric in METRICS}
        for family in families:
            if family.name in names:
                samples.extend(sample for sample in family.samples if sample.key not in known)
        if any(directory.iterdir()):
            samples.append(Sample("regmirror_source_up", {"source": "verification"}, bool(families)))
        return [family for family in families if family.name not in names]


def _families(samples: list[Sample], labels: dict[str, str]) -> Iterator[Family]:
    """The metrics in the order of the table; ``labels`` are those of every sample."""
    by_name: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_name[sample.name].append(Sample(sample.name, {**labels, **sample.labels}, sample.value))
    for metric in METRICS:
        found = [sample for name in metric.sample_names for sample in by_name[name]]
        yield Family(metric.name, metric.kind.value, metric.meaning.replace("`", ""), tuple(found))
