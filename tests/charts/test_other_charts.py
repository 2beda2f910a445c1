"""A chart of others in a directory: rendered by both Helms with the values of its flavor, and refused if unsuitable."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from tests import samples

from .helm import Helm

# As much of the chart valkey as the mirror relies on, and a hook, which Helm does not list among a release's objects.
TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Values.fullnameOverride }}}
spec:
  selector: {matchLabels: {app: redis}}
  template:
    metadata:
      labels: {app: redis}
      annotations: {{ toJson .Values.podAnnotations }}
    spec:
      containers: [{name: valkey, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}]
      volumes:
        {{- range .Values.extraValkeySecrets }}
        - {name: settings, secret: {secretName: {{ .name }}}}
        {{- end }}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Values.fullnameOverride }}}
spec: {selector: {app: redis}, ports: [{port: 6379}]}
---
apiVersion: v1
kind: Pod
metadata: {name: test, annotations: {helm.sh/hook: test}}
spec: {containers: [{name: test, image: test}]}
"""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    templates = tmp_path / "charts" / "valkey" / "templates"
    templates.mkdir(parents=True)
    (templates / "all.yaml").write_text(TEMPLATE)
    (templates.parent / "Chart.yaml").write_text("{apiVersion: v2, name: valkey, version: 0.11.0}")
    redis = {"chart": {"flavor": "valkey", "path": "charts/valkey"}}
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document(redis=redis)))
    # Paths are relative to the file, not to the current directory.
    monkeypatch.chdir(templates)


def render(helm: Helm, tmp_path: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["render", "-f", str(tmp_path / "regmirror.yaml"), "--helm", helm.program, *options])


def test_it_is_rendered_with_the_names_and_secrets_of_the_mirror(helm: Helm, tmp_path: Path) -> None:
    result = render(helm, tmp_path)
    assert result.exit_code == 0, result.stderr
    objects: list[dict[str, Any]] = [found for found in yaml.safe_load_all(result.stdout) if found]
    found = {(target["kind"], target["metadata"]["name"]): target for target in objects}
    pod = found["Deployment", "regmirror-redis"]["spec"]["template"]
    assert pod["spec"]["volumes"] == [{"name": "settings", "secret": {"secretName": "regmirror-redis-config"}}]
    assert list(pod["metadata"]["annotations"]) == ["regmirror.dev/secret-versions"]
    assert ("Service", "regmirror-redis") in found
    assert ("Pod", "test") not in found
    assert "container valkey: runAsNonRoot is not true" in result.stderr


def test_flux_gets_a_copy_of_it(helm: Helm, tmp_path: Path) -> None:
    result = render(helm, tmp_path, "--format", "flux", "--output-dir", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stderr
    copied = tmp_path / "out" / "charts" / "redis"
    assert (copied / "templates" / "all.yaml").read_text() == TEMPLATE
    (release,) = yaml.safe_load_all((tmp_path / "out" / "regmirror-redis.yaml").read_text())
    assert release["spec"]["values"]["fullnameOverride"] == "regmirror-redis"


def test_a_chart_that_ignores_the_values_is_refused(helm: Helm, tmp_path: Path) -> None:
    template = tmp_path / "charts" / "valkey" / "templates" / "all.yaml"
    template.write_text(TEMPLATE.replace(".Values.extraValkeySecrets", ".Values.unknown"))
    result = render(helm, tmp_path)
    assert result.exit_code == 2
    assert "Error RM117" in result.stderr
    assert "do not mount the Secret regmirror-redis-config" in " ".join(result.stderr.split())


def test_a_chart_that_is_missing_names_the_key(helm: Helm, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "charts")
    result = render(helm, tmp_path)
    assert result.exit_code == 1
    assert "redis.chart" in result.stderr
