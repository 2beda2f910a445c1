"""The text format of Prometheus, read and written."""

from __future__ import annotations

import pytest
from metrics.samples import Family, Sample, parse, text_of

from regmirror.distribution.metrics import parse_metrics


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        ("up 1", Sample("up", {}, 1)),
        ("up 1 1700000000000", Sample("up", {}, 1)),
        ("up{} 1.5e3", Sample("up", {}, 1500)),
        ('a:b{x="1", y="2",} 3', Sample("a:b", {"x": "1", "y": "2"}, 3)),
        (r'path{dir="C:\\new",say="\"}\" and\nmore"} 1', Sample("path", {"dir": "C:\\new", "say": '"}" and\nmore'}, 1)),
    ],
)
def test_a_line_is_read_and_written_again(line: str, sample: Sample) -> None:
    assert parse(line) == sample
    assert parse(str(sample)) == sample


@pytest.mark.parametrize(
    "line",
    [
        *(
            "",
            "# HELP up x",
            "<html>",
            "up",
            "up one",
            "up{x=1} 1",
            'up{x="1} 1',
            "up NaN",
            "up +Inf",
            'a{x="1",x="2"} 1',
        ),
        *(f"{'x' * 300} 1", f'up{{x="{"y" * 3000}"}} 1'),
    ],
)
def test_a_line_that_has_no_finite_sample_is_left_out(line: str) -> None:
    assert parse(line) is None


def test_what_is_written_is_what_the_command_line_reads() -> None:
    samples = (Sample("a_total", {"x": 'quote " slash \\ line\n'}, 3), Sample("a_total", {}, 0.25))
    text = text_of([Family("a_total", "counter", "Two\nlines", samples), Family("b", "gauge", "Nothing.", ())])
    assert text.splitlines()[:2] == ["# HELP a_total Two\\nlines", "# TYPE a_total counter"]
    assert "b" not in text.replace("\\", "").split()
    assert [(one.name, one.labels, one.value) for one in parse_metrics(text)] == [
        (one.name, one.labels, one.value) for one in samples
    ]
