"""The page of the metrics lists what the program has, and the program shows what the page lists."""

from __future__ import annotations

import re
from pathlib import Path

from metrics.table import KINDS, METRICS, RESULTS, Pod

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/metrics.md").read_text()


def test_every_metric_has_a_section() -> None:
    assert re.findall(r"^## (regmirror_\w+)$", PAGE, re.MULTILINE) == [metric.name for metric in METRICS]


def test_every_value_of_a_label_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert {kind for kinds in KINDS.values() for kind in kinds} | RESULTS.keys() <= explained


def test_every_metric_in_a_guide_exists() -> None:
    text = PAGE + (ROOT / "docs/guides/monitor.md").read_text()
    names = {name for metric in METRICS for name in (metric.name, *metric.sample_names)}
    mentioned = set(re.findall(r"\bregmirror_[a-z_]*[a-z]\b", text))
    assert {name for name in mentioned if not name.startswith("regmirror_check")} - names == set()


def test_names_follow_the_conventions_of_prometheus() -> None:
    """https://prometheus.io/docs/practices/naming/"""
    for metric in METRICS:
        assert re.fullmatch(r"regmirror(_[a-z]+)+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.meaning.endswith(".")
        assert set(metric.pods) <= set(Pod)
        unit = {"bytes", "seconds", "total", "info", "requests", "flight", "layers", "up"}
        assert metric.name.rpartition("_")[2] in unit
