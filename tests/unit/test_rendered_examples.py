"""The manifests of every example, as ``regmirror render`` prints them, are golden files that the API server accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from lab import cert_manager, gateway, prometheus_operator
from lab.instance import Instance
from regmirror.cli.app import app
from tests.charts.helm import find_helm
from tests.golden import DIRECTORY, check_golden
from tests.unit.api_schemas import custom_faults, custom_schemas, kubernetes_faults, kubernetes_model

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.helm
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_manifests_of_an_example_are_the_golden_file(example: Path) -> None:
    helm = find_helm(4) or find_helm(3)
    if helm is None:
        pytest.skip("no Helm here: put it on PATH")
    rendered = CliRunner().invoke(app, ["render", "-f", str(example), "--helm", helm.program])
    assert rendered.exit_code == 0, rendered.stderr
    check_golden(f"rendered/{example.stem}.yaml", without_programs(rendered.stdout))


def without_programs(manifests: str) -> str:
    """The source of the fetcher and of the metrics is in the charts; a change of it is reviewed there."""
    without_hash = re.sub(r"(name: PROGRAM\n *value: ).*", r"\1...", manifests)
    return re.sub(r"^(  \"?[\w-]+\.py\"?: )\|-?\n(?:    .*\n|\n)*", r"\1...\n", without_hash, flags=re.MULTILINE)


def rendered(example: Path) -> list[dict[str, Any]]:
    """The objects of an example, from its golden file."""
    return list(yaml.safe_load_all((DIRECTORY / "rendered" / f"{example.stem}.yaml").read_text()))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_objects_have_the_schemas_of_kubernetes(example: Path) -> None:
    objects = [manifest for manifest in rendered(example) if kubernetes_model(manifest)]
    assert objects
    faults = {manifest["metadata"]["name"]: kubernetes_faults(manifest) for manifest in objects}
    assert {name: found for name, found in faults.items() if found} == {}


def test_other_objects_have_the_schemas_of_their_real_definitions() -> None:
    cache = Instance.from_environment().cache
    definitions = [part for lab in (gateway, cert_manager, prometheus_operator) for part in lab.definitions(cache)]
    if not definitions:
        pytest.skip("no custom resource definitions here: the lab downloads them, with python -m lab build")
    schemas = custom_schemas(definitions)
    objects = [one for example in EXAMPLES for one in rendered(example) if not kubernetes_model(one)]
    assert {one["kind"] for one in objects} == {"Certificate", "HTTPRoute", "PodMonitor", "PrometheusRule"}
    for manifest in objects:
        schema = schemas[manifest["apiVersion"], manifest["kind"]]
        assert list(custom_faults(manifest, schema)) == []


def test_a_wrong_field_is_found() -> None:
    rule = {"properties": {"kind": {"type": "string", "enum": ["A"]}}, "required": ["name"], "type": "object"}
    schema = {"type": "object", "properties": {"rules": {"type": "array", "items": rule}}}
    wrong = {"rules": [{"kind": "B", "other": 1}], "spec": {}}
    assert list(custom_faults(wrong, schema)) == [
        ".rules[0].name is missing",
        ".rules[0].kind is 'B'",
        ".rules[0].other is unknown",
        ".spec is unknown",
    ]
    service = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": "443"}], "typ": "NodePort"}}
    assert kubernetes_faults(service) == [
        "spec.ports.0.port: Input should be a valid integer",
        "spec.typ: Extra inputs are not permitted",
    ]
