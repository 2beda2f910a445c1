"""The charts are alike: what they share is the same text, and their documentation is complete."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from .cases import CHARTS, WORKLOADS
from .front import FRONTS
from .helm import DIRECTORY


def metadata(chart: str) -> dict[str, Any]:
    return dict(yaml.safe_load((DIRECTORY / chart / "Chart.yaml").read_text()))


def values(chart: str) -> dict[str, Any]:
    return dict(yaml.safe_load((DIRECTORY / chart / "values.yaml").read_text()))


def leaves(tree: dict[str, Any]) -> set[str]:
    """The last key of every path to a value."""
    return {
        leaf for key, value in tree.items() for leaf in (leaves(value) if isinstance(value, dict) and value else {key})
    }


@pytest.mark.parametrize(
    ("file", "charts"),
    [
        ("templates/_helpers.tpl", CHARTS),
        ("templates/_workload.tpl", (*WORKLOADS, "endpoint")),
        ("templates/serviceaccount.yaml", (*WORKLOADS, "endpoint")),
        ("templates/_http.tpl", FRONTS),
        ("templates/_front.tpl", FRONTS),
        ("templates/_metrics.tpl", FRONTS),
        ("templates/networkpolicy.yaml", FRONTS),
        ("templates/poddisruptionbudget.yaml", FRONTS),
    ],
)
def test_shared_templates_are_the_same_text_and_say_so(file: str, charts: tuple[str, ...]) -> None:
    (text,) = {(DIRECTORY / chart / file).read_text() for chart in charts}
    where = "every chart" if charts == CHARTS else ", ".join(sorted(charts))
    notice = f"/* Same text in {where}; tests/charts/test_alike.py compares them. */"
    assert notice in text.splitlines()[0]


def test_the_pods_run_the_same_program_for_metrics() -> None:
    directories = [DIRECTORY / chart / "files/metrics" for chart in FRONTS]
    programs = [{file.name: file.read_text() for file in directory.glob("*.py")} for directory in directories]
    assert programs[0]
    assert all(program == programs[0] for program in programs)
    histogram = (DIRECTORY / "registry/files/fetcher/histogram.py").read_text()
    assert programs[0]["histogram.py"] == histogram


@pytest.mark.parametrize("file", ["sockets.sh", "run-front.sh"])
def test_the_fronts_run_the_same_script(file: str) -> None:
    assert len({(DIRECTORY / chart / "files" / file).read_text() for chart in FRONTS}) == 1


def test_shared_values_have_the_same_schema() -> None:
    schemas = [json.loads((DIRECTORY / chart / "values.schema.json").read_text()) for chart in WORKLOADS]
    definitions = set.intersection(*(set(schema["definitions"]) for schema in schemas))
    for name in definitions:
        assert all(schema["definitions"][name] == schemas[0]["definitions"][name] for schema in schemas), name
    shared = set.intersection(*(set(schema["properties"]) for schema in schemas)) - {"extraEnv", "networkPolicy"}
    assert {"image", "config", "secretVersions", "resources", "podLabels", "podSecurity", "serviceAccount"} <= shared
    for name in shared:
        assert all(schema["properties"][name] == schemas[0]["properties"][name] for schema in schemas), name


@pytest.mark.parametrize("chart", CHARTS)
def test_chart_metadata(chart: str) -> None:
    described = metadata(chart)
    assert (described["apiVersion"], described["name"]) == ("v2", chart)
    assert (described["version"], described["kubeVersion"]) == (metadata("redis")["version"], ">=1.30.0-0")
    assert described["annotations"]["artifacthub.io/license"] == "Apache-2.0"
    assert "dependencies" not in described


@pytest.mark.parametrize("chart", WORKLOADS)
def test_the_default_image_is_the_named_version(chart: str) -> None:
    tag = str(values(chart)["image"]["tag"])
    assert tag.partition("-")[0] == metadata(chart)["appVersion"]


@pytest.mark.parametrize("chart", CHARTS)
def test_every_value_is_in_the_readme(chart: str) -> None:
    words = (DIRECTORY / "README.md").read_text()
    assert [leaf for leaf in sorted(leaves(values(chart)) - {"requests", "cpu", "memory"}) if leaf not in words] == []
