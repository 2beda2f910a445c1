"""The parts of the metrics that other programs of the pod have; only what is listed here is passed on."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path

from metrics.samples import Family, Sample, parse
from metrics.table import METRICS, Kind, Pod

_TIME = 3.0
"""Seconds for the answer of a program."""
_MOST_READ = 2 << 20
"""Bytes of an answer."""
_RENAMED = {
    "registry_proxy_hits_total": "regmirror_store_hits_total",
    "registry_proxy_misses_total": "regmirror_upstream_fetches_total",
    "registry_proxy_pulled_bytes_total": "regmirror_upstream_bytes_total",
    "registry_storage_cache_requests_total": "regmirror_redis_lookups_total",
    "registry_storage_cache_errors_total": "regmirror_redis_errors_total",
}
"""What the registry counts (distribution v3.1.2, ``registry/proxy/proxymetrics.go`` and ``registry/storage/cache``)."""
_CONTENT = {"blob": "layer", "manifest": "manifest"}
_OF_REGISTRY = {name for metric in METRICS if Pod.REGISTRY in metric.pods for name in metric.sample_names}
_OWN = {name for metric in METRICS for name in metric.sample_names} | {metric.name for metric in METRICS}
_SHARED = "regmirror_certificate_not_after_timestamp_seconds"
"""The verification adds certificates that this pod does not have."""
_NAME = re.compile(r"regmirror_[a-z0-9_]{1,100}")
_FILE_SIZE = 256 << 10

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class SourceError(Exception):
    """A source does not answer, or not with metrics."""


async def registry(port: int) -> list[Sample]:
    """What the registry counts itself, from its debug port, which shows secrets on other pages; raises SourceError."""
    text = await _get(lambda: asyncio.open_connection("127.0.0.1", port), "/metrics")
    return list(_renamed(text.splitlines()))


def _renamed(lines: Iterable[str]) -> Iterator[Sample]:
    for line in lines:
        name = _RENAMED.get(re.split(r"[{ ]", line, maxsplit=1)[0])
        sample = parse(line) if name else None
        if name and sample:
            kind = _CONTENT.get(sample.labels.get("type", ""))
            yield Sample(name, {"kind": kind} if kind else {}, sample.value)


async def fetcher(socket: Path) -> list[Sample]:
    """What the fetcher counts; raises SourceError."""
    text = await _get(lambda: asyncio.open_unix_connection(str(socket)), "/figures")
    return [sample for line in text.splitlines() if (sample := parse(line)) and sample.name in _OF_REGISTRY]


async def _get(connect: Connect, path: str) -> str:
    try:
        async with asyncio.timeout(_TIME):
            reader, writer = await connect()
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                answer = await _all_of(reader)
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        raise SourceError(f"no answer for {path}: {error!r}") from error
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise SourceError(f"no metrics at {path}")
    return body.decode("utf-8", "replace")


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while piece := await reader.read(1 << 16):
        answer += piece
        if len(answer) > _MOST_READ:
            raise SourceError("the answer is too long")
    return answer


def verification(directory: Path) -> list[Family]:
    """The metrics in the files ``*.prom`` of a directory, without those of this program; raises SourceError."""
    try:
        texts = [_file(path) for path in sorted(directory.glob("*.prom"))]
    except OSError as error:
        raise SourceError(f"cannot read {directory}: {error}") from error
    return list(_families([line for text in texts for line in text.splitlines()]))


def _file(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(_FILE_SIZE + 1)
    if len(content) > _FILE_SIZE:
        raise SourceError(f"{path} is too long")
    return content.decode("utf-8", "replace")


def _families(lines: list[str]) -> Iterator[Family]:
    samples: dict[str, dict[object, Sample]] = {}
    for line in lines:
        sample = parse(line)
        if sample and _NAME.fullmatch(sample.name) and (sample.name not in _OWN or sample.name == _SHARED):
            samples.setdefault(sample.name, {}).setdefault(sample.key, sample)
    comments = [line.split(" ", 3) for line in lines if line.startswith(("# HELP ", "# TYPE "))]
    meanings = {words[2]: words[3] for words in comments if words[1] == "HELP" and len(words) == 4}
    kinds = {words[2]: words[3] for words in comments if words[1] == "TYPE" and len(words) == 4}
    for name, found in samples.items():
        # Without its buckets together, a histogram would be refused as a whole.
        kind = kinds.get(name) if kinds.get(name) in {Kind.COUNTER, Kind.GAUGE} else "untyped"
        yield Family(name, str(kind), meanings.get(name, "From the last verification."), tuple(found.values()))
