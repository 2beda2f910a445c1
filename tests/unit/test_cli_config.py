"""``regmirror config``: what takes effect and why, whether the file is right, and its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.config.effective_config import effective, yaml_lines
from regmirror.config.load import parse_mirror
from tests import samples
from tests.unit.free_text import TEXTS

FILE = """\
apiVersion: regmirror.dev/v1alpha1
kind: Mirror
host: mirror.example.com
storage:
  bucket: layers
  region: eu-central-1
  accessKey: {id: {env: S3_ID}, secret: {file: s3.txt}}
upstreams:
  - name: docker-hub
    anonymousPull: ["library/*"]
redis:
  password: {secret: {name: cache, key: password}}
"""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("S3_ID", raising=False)
    (tmp_path / "regmirror.yaml").write_text(FILE)


def run(*words: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["config", *words], input=stdin)


def shown(*words: str) -> dict[str, Any]:
    result = run("show", "-o", "json", *words)
    assert result.exit_code == 0
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_every_value_says_where_it_comes_from() -> None:
    sources = shown()["origins"]
    assert sources["host"] == "line 3"
    assert sources["storage.accessKey.id.env"] == "line 7"
    assert sources["upstreams[0].anonymousPull[0]"] == "line 10"
    assert sources["upstreams[0].url"] == sources["registry.ttl"] == "default"


def test_a_namespace_of_the_command_line_says_so() -> None:
    document = shown("--namespace", "other")
    assert document["configuration"]["namespace"] == "other"
    assert document["origins"]["namespace"] == "--namespace or REGMIRROR_NAMESPACE"


def test_what_is_shown_is_the_same_configuration() -> None:
    result = run("show")
    assert parse_mirror(result.stdout, "shown") == parse_mirror(FILE, "file")
    assert "  bucket: layers" in result.stdout
    assert "# line 5" in result.stdout


def test_a_secret_is_shown_by_reference_and_whether_it_is_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ID", "canary-s3-id")
    result = run("show")
    assert "Not at hand here: file s3.txt, for storage.accessKey.secret" in result.stderr
    assert "S3_ID" not in result.stderr
    assert "canary" not in result.output
    found = {one["key"]: one["found"] for one in shown()["secrets"]}
    assert found == {"storage.accessKey.id": True, "storage.accessKey.secret": False, "redis.password": None}


@given(TEXTS)
@example("\U0001f600")
@settings(max_examples=30, deadline=None)
def test_any_text_can_be_read_back(text: str) -> None:
    mirror = samples.mirror(auth={"issuer": text}, ingress={"annotations": {"example.com/note": text}})
    lines = "\n".join(line for line, _ in yaml_lines(effective(mirror)))
    assert parse_mirror(lines, "shown") == mirror


def test_a_file_that_is_right_is_told_so() -> None:
    result = run("validate")
    assert (result.exit_code, result.stdout) == (0, "√ regmirror.yaml is right: https://mirror.example.com\n")
    document = json.loads(run("validate", "-o", "json").stdout)
    assert document["valid"] is True
    assert document["problems"] == []


def test_standard_input_is_read() -> None:
    assert run("validate", "-f", "-", stdin=FILE).exit_code == 0
    broken = run("validate", "-f", "-", "-o", "yaml", stdin=FILE.replace("bucket", "buckte"))
    assert broken.exit_code == 2
    assert yaml.safe_load(broken.stdout)["problems"][-1] == {
        "line": 5,
        "key": "storage.buckte",
        "message": 'unknown key; did you mean "bucket"?',
    }
    assert run("show", "-f", "-", stdin=FILE).stdout.startswith("apiVersion: regmirror.dev/v1alpha1")


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a: [1\n", 2, "not valid YAML: line 2, column 1: expected ',' or ']', but got '<stream end>'"),
        ("- a\n", 1, "it holds no mapping of keys to values"),
        ("[" * 5000, 1, "not valid YAML: it is nested too deeply"),
    ],
)
def test_what_is_no_yaml_is_a_problem_with_a_line(content: str, line: int, message: str) -> None:
    result = run("validate", "-f", "-", "-o", "json", stdin=content)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["problems"] == [{"line": line, "key": "", "message": message}]


def test_a_problem_is_told_to_people_with_its_line() -> None:
    Path("regmirror.yaml").write_text(FILE.replace("mirror.example.com", "https://mirror.example.com"))
    result = run("validate")
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'line 3: host: write the bare host name, without a scheme: "mirror.example.com"' in result.stderr
    assert "regmirror config schema" in result.stderr


def test_input_that_is_no_text_is_refused() -> None:
    result = run("validate", "-f", "-", stdin=b"\xff\xfe")
    assert result.exit_code == 2
    assert "Error RM100: standard input cannot be read: it is not UTF-8 text" in result.stderr


def test_a_file_that_is_missing_is_an_error() -> None:
    result = run("validate", "-f", "absent.yaml", "-o", "json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["message"] == "there is no file absent.yaml"
