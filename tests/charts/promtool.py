"""Runs promtool, which checks alert rules and evaluates them over series that a test makes up."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml


@dataclass(frozen=True)
class Case:
    """The series of one alert, and the minutes at which it is silent, firing, and over again."""

    series: dict[str, str]
    """By name with labels: the values, in promtool's notation."""
    silent: int
    firing: int
    resolved: int
    interval: int = 1
    """Minutes between two samples, and between two evaluations."""


def promtool(*words: str) -> str:
    """The output of promtool; the test fails if it does, and is skipped without it."""
    program = os.environ.get("LAB_PROMTOOL") or shutil.which("promtool")
    if program is None:
        pytest.skip("promtool not found: set LAB_PROMTOOL to its path, or add it to PATH")
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def evaluate(rules: dict[str, Any], tests: list[dict[str, Any]], directory: Path) -> None:
    """Run tests of promtool's format on the rules. Source: Prometheus, Unit Testing for Rules."""
    (directory / "rules.yaml").write_text(yaml.safe_dump(rules))
    for interval in sorted({test["interval"] for test in tests}):
        chosen = [test for test in tests if test["interval"] == interval]
        content = {"rule_files": ["rules.yaml"], "evaluation_interval": interval, "tests": chosen}
        path = directory / f"every-{interval}.yaml"
        path.write_text(yaml.safe_dump(content))
        promtool("test", "rules", str(path))


def scenario(alert: str, case: Case) -> dict[str, Any]:
    """The test of one alert: how many of it fire at each of the times."""
    expected = {case.silent: 0, case.firing: 1, case.resolved: 0}
    return {
        "name": alert,
        "interval": f"{case.interval}m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [firing(minute, number, f'alertname="{alert}", ') for minute, number in expected.items()],
    }


def firing(minute: int, number: int, matcher: str = "") -> dict[str, Any]:
    """How many alerts fire at a minute."""
    return {
        "expr": f'count(ALERTS{{{matcher}alertstate="firing"}}) or vector(0)',
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": "{}", "value": number}],
    }
