"""The text format of Prometheus, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SAMPLE = re.compile(r"([A-Za-z_:][\w:]{0,199})(?:\{(.{0,2000})\})?[ \t]+(\S{1,40})(?:[ \t]+-?\d{1,20})?", re.ASCII)
_LABEL = re.compile(r'\s*([A-Za-z_]\w{0,99})\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)', re.ASCII)
_UNESCAPED = {"n": "\n"}
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One value."""

    name: str
    labels: Mapping[str, str]
    value: float

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What no two samples have in common."""
        return self.name, tuple(sorted(self.labels.items()))

    def __str__(self) -> str:
        pairs = ",".join(f'{name}="{value.translate(_ESCAPED)}"' for name, value in self.labels.items())
        number = str(int(self.value)) if self.value == int(self.value) else repr(self.value)
        return f"{self.name}{{{pairs}}} {number}" if pairs else f"{self.name} {number}"


@dataclass(frozen=True, slots=True)
class Family:
    """The samples of one metric, with its type and meaning."""

    name: str
    kind: str
    meaning: str
    samples: tuple[Sample, ...]

    def lines(self) -> Iterator[str]:
        """The lines of the text format."""
        meaning = self.meaning.replace("\\", r"\\").replace("\n", r"\n")
        yield f"# HELP {self.name} {meaning}"
        yield f"# TYPE {self.name} {self.kind}"
        yield from map(str, self.samples)


def text_of(families: Iterable[Family]) -> str:
    """All lines; metrics without a sample are left out."""
    return "".join(f"{line}\n" for family in families if family.samples for line in family.lines())


def parse(line: str) -> Sample | None:
    """The sample of a line; None if it has none that is finite."""
    match = _SAMPLE.fullmatch(line.strip())
    if match is None:
        return None
    name, pairs, number = match.groups()
    try:
        value, labels = float(number), _labels(pairs or "")
    except ValueError:
        return None
    return Sample(name, labels, value) if abs(value) < float("inf") else None


def _labels(text: str) -> dict[str, str]:
    labels, position = {}, 0
    while position < len(text):
        match = _LABEL.match(text, position)
        if match is None or match[1] in labels:
            raise ValueError(text)
        labels[match[1]] = re.sub(r"\\(.)", lambda found: _UNESCAPED.get(found[1], found[1]), match[2])
        position = match.end()
    return labels
