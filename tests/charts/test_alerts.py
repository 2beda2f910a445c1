"""Every alert fires for its fault and resolves after it, as promtool evaluates the rules; none fires without one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from regmirror.config.monitoring import ALERTS
from regmirror.desired.monitoring import alert_rules
from tests import samples
from tests.docs.markdown import anchors

from .alert_cases import CASES, HEALTHY
from .promtool import evaluate, firing, promtool, scenario

PAGE = Path(__file__).parents[2] / "docs/reference/alerts.md"


@pytest.fixture(scope="module")
def rules() -> dict[str, Any]:
    """The rules of a mirror in the namespace of the cases."""
    return alert_rules(samples.mirror(namespace="mirrors"))


def test_every_alert_has_a_case() -> None:
    assert tuple(CASES) == ALERTS


def test_every_alert_fires_and_resolves(rules: dict[str, Any], tmp_path: Path) -> None:
    evaluate(rules, [scenario(alert, case) for alert, case in CASES.items()], tmp_path)


def test_no_alert_fires_on_a_healthy_mirror(rules: dict[str, Any], tmp_path: Path) -> None:
    series = [{"series": name, "values": values} for name, values in HEALTHY.items()]
    times = [firing(minute, 0) for minute in (15, 120, 1600, 1995)]
    evaluate(rules, [{"interval": "5m", "input_series": series, "promql_expr_test": times}], tmp_path)


def test_no_alert_is_about_another_mirror(rules: dict[str, Any], tmp_path: Path) -> None:
    """Each mirror brings its own rules to the same Prometheus."""
    others = {alert: case for alert, case in CASES.items() if alert != "RegmirrorMetricsMissing"}
    tests = [scenario(alert, case) for alert, case in others.items()]
    for test, (alert, case) in zip(tests, others.items(), strict=True):
        for series in test["input_series"]:
            series["series"] = series["series"].replace('"mirrors"', '"others"')
        test["promql_expr_test"] = [firing(case.firing, 0, f'alertname="{alert}", ')]
    evaluate(rules, tests, tmp_path)


def test_promtool_accepts_the_rules(rules: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(rules))
    assert f"SUCCESS: {len(ALERTS)} rules found" in promtool("check", "rules", str(path))


def test_an_alert_says_what_to_do_and_links_to_its_section(rules: dict[str, Any]) -> None:
    found = [rule for group in rules["groups"] for rule in group["rules"]]
    for rule in found:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["summary"].endswith(".")
    linked = [rule["annotations"]["runbook_url"].partition("#")[2] for rule in found]
    assert set(linked) <= anchors(PAGE)
