"""``regmirror monitoring`` prints what Prometheus and Grafana read, from the configuration file alone."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.config.monitoring import ALERTS
from regmirror.desired.monitoring import dashboard
from tests import samples

PANELS: list[dict[str, Any]] = json.loads(dashboard())["panels"]


@pytest.fixture(autouse=True)
def _configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = samples.document(namespace="mirrors", monitoring={"disabledAlerts": ["RegmirrorNoTraffic"]})
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(document))


def output(*words: str) -> str:
    result = CliRunner().invoke(app, ["monitoring", *words])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_the_rules_are_about_the_mirror_of_the_file() -> None:
    groups = yaml.safe_load(output("rules"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert [rule["alert"] for rule in rules] == [alert for alert in ALERTS if alert != "RegmirrorNoTraffic"]
    assert all('namespace="mirrors"' in rule["expr"] for rule in rules)
    assert "NAMESPACE" not in json.dumps(groups)


def test_another_namespace_is_another_mirror() -> None:
    assert 'namespace="other"' in output("rules", "--namespace", "other")
    assert json.loads(output("rules", "-o", "json")) == yaml.safe_load(output("rules"))


def test_the_scrape_configuration_finds_pods_of_the_namespace_and_sets_the_labels_of_the_rules() -> None:
    (job,) = yaml.safe_load(output("scrape-config"))["scrape_configs"]
    assert job["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"names": ["mirrors"]}}]
    assert {rule["target_label"] for rule in job["relabel_configs"] if "target_label" in rule} == {
        "namespace",
        "pod",
        "container",
    }


def test_the_dashboard_is_that_of_the_chart() -> None:
    assert json.loads(output("dashboard")) == json.loads(dashboard())


def test_panels_do_not_overlap() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in combinations([panel["gridPos"] for panel in PANELS], 2):
        assert any(
            one[axis] + one[size] <= other[axis] or other[axis] + other[size] <= one[axis]
            for axis, size in ("xw", "yh")
        )


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_of_the_chosen_mirror(panel: dict[str, Any]) -> None:
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    for target in panel["targets"]:
        assert 'namespace="$namespace"' in target["expr"]
        assert target["datasource"]["uid"] == "${datasource}"
