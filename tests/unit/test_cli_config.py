"""``regmirror config``: the effective configuration, the problems of the file, and the published schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.cli.config import KINDS, schema_of
from regmirror.config.effective_config import effective, yaml_lines
from regmirror.config.load import parse_mirror
from regmirror.errors.documentation import key_url
from tests import samples
from tests.golden import check_golden
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
BROKEN = FILE.replace("mirror.example.com", "https://mirror.example.com").replace("bucket", "buckte")


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


def test_every_value_has_a_source() -> None:
    sources = shown()["sources"]
    assert sources["host"] == "line 3"
    assert sources["storage.accessKey.id.env"] == "line 7"
    assert sources["upstreams[0].anonymousPull[0]"] == "line 10"
    assert sources["upstreams[0].url"] == sources["registry.ttl"] == "default"


def test_a_namespace_from_the_command_line_is_a_source() -> None:
    document = shown("--namespace", "other")
    assert document["configuration"]["namespace"] == "other"
    assert document["sources"]["namespace"] == "--namespace or REGMIRROR_NAMESPACE"


def test_the_output_is_the_same_configuration() -> None:
    result = run("show")
    assert parse_mirror(result.stdout, "shown") == parse_mirror(FILE, "file")
    assert "  bucket: layers" in result.stdout
    assert "# line 5" in result.stdout


def test_a_secret_is_shown_as_a_reference_and_whether_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_ID", "canary-s3-id")
    result = run("show")
    assert "‼ storage.accessKey.secret: not found: file s3.txt" in result.stderr
    assert "S3_ID" not in result.stderr
    assert "canary" not in result.output
    found = {secret["key"]: secret["found"] for secret in shown()["secrets"]}
    assert found == {"storage.accessKey.id": True, "storage.accessKey.secret": False, "redis.password": None}


def test_a_missing_ca_bundle_is_reported_as_a_missing_secret_is() -> None:
    bundles = "  caBundle: {file: absent.pem}\nupstreams:\n  - caBundle: {configMap: {name: company}}\n    name:"
    text = FILE.replace("upstreams:\n  - name:", bundles)
    assert text != FILE
    result = run("show", "-f", "-", stdin=text)
    assert "‼ storage.caBundle: not found: file absent.pem" in result.stderr
    assert "configMap" in result.stdout
    assert parse_mirror(result.stdout, "shown") == parse_mirror(text, "file")


@given(TEXTS)
@example("\U0001f600")
@settings(max_examples=30, deadline=None)
def test_any_text_can_be_read_back(text: str) -> None:
    mirror = samples.mirror(auth={"issuer": text}, ingress={"annotations": {"example.com/note": text}})
    lines = "\n".join(line for line, _ in yaml_lines(effective(mirror)))
    assert parse_mirror(lines, "shown") == mirror


def test_a_valid_file_is_reported_as_valid() -> None:
    result = run("validate")
    assert (result.exit_code, result.stdout) == (0, "√ regmirror.yaml is valid (https://mirror.example.com)\n")
    document = json.loads(run("validate", "-o", "json").stdout)
    assert document["valid"] is True
    assert document["problems"] == document["warnings"] == []


def test_standard_input_is_read() -> None:
    assert run("validate", "-f", "-", stdin=FILE).exit_code == 0
    broken = run("validate", "-f", "-", "-o", "yaml", stdin=FILE.replace("bucket", "buckte"))
    assert broken.exit_code == 2
    assert yaml.safe_load(broken.stdout)["problems"][-1] == {
        "line": 5,
        "key": "storage.buckte",
        "message": 'unknown key; did you mean "bucket"?',
        "url": key_url("storage"),
    }
    assert run("show", "-f", "-", stdin=FILE).stdout.startswith("apiVersion: regmirror.dev/v1alpha1")


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (
            "a: [1\n",
            2,
            "not valid YAML: line 2, column 1: the file ends too early: a bracket, brace or quote is not closed",
        ),
        ("- a\n", 1, "not a mapping of keys to values"),
        ("[" * 5000, 1, "not valid YAML: nested too deeply"),
    ],
)
def test_invalid_yaml_is_a_problem_with_a_line(content: str, line: int, message: str) -> None:
    result = run("validate", "-f", "-", "-o", "json", stdin=content)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["problems"] == [{"line": line, "key": "", "message": message, "url": None}]


def test_a_problem_is_printed_with_its_line_and_the_command_that_explains_the_key() -> None:
    Path("regmirror.yaml").write_text(FILE.replace("mirror.example.com", "https://mirror.example.com"))
    result = run("validate")
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'line 3: host: write the bare host name, without a scheme: "mirror.example.com"' in result.stderr
    assert "Try: regmirror explain host\n" in result.stderr


def test_input_that_is_not_text_is_refused() -> None:
    result = run("validate", "-f", "-", stdin=b"\xff\xfe")
    assert result.exit_code == 2
    assert "Error RM100: standard input cannot be read: it is not UTF-8 text" in result.stderr


def test_a_file_that_is_missing_is_an_error() -> None:
    result = run("validate", "-f", "absent.yaml", "-o", "json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["message"] == "cannot read absent.yaml: no such file"


@pytest.mark.parametrize(
    ("pattern", "warning"),
    [
        ("[]", "line 10: upstreams[0].anonymousPull: the list is empty: no client can pull from this upstream"),
        (
            "[docker.io/library/*]",
            'line 10: upstreams[0].anonymousPull[0]: "docker.io/library/*" never matches: '
            'no repository name begins with a host name: write "library/*"',
        ),
        ("[library/*/*]", 'line 10: upstreams[0].anonymousPull[0]: "library/*/*" never matches: every repository of'),
    ],
)
def test_a_list_that_allows_nothing_is_a_warning(pattern: str, warning: str) -> None:
    Path("regmirror.yaml").write_text(FILE.replace('["library/*"]', pattern))
    result = run("validate")
    assert result.exit_code == 0
    assert f"‼ {warning}" in result.stderr
    document = json.loads(run("validate", "-o", "json").stdout)
    assert document["valid"] is True
    assert document["warnings"][0].startswith(warning)


def test_a_risk_is_a_warning() -> None:
    account = "credentials: {username: {env: A}, password: {env: B}}"
    Path("regmirror.yaml").write_text(FILE.replace('["library/*"]', f"[library/*, acme/*]\n    {account}"))
    result = run("validate")
    assert result.exit_code == 0
    words = "line 10: upstreams[0].anonymousPull: acme/* together with credentials: every matching repository that"
    assert f"‼ {words}" in result.stderr
    assert json.loads(run("validate", "-o", "json").stdout)["warnings"][0].startswith(words)


def test_a_probe_image_that_is_not_allowed_is_a_problem() -> None:
    Path("regmirror.yaml").write_text(FILE.replace("redis:", "    probeImage: outside/x:1\nredis:"))
    result = run("validate")
    assert result.exit_code == 2
    assert "line 11: upstreams[0].probeImage: anonymousPull does not allow outside/x" in result.stderr
    assert "Try: regmirror explain upstreams.probeImage" in result.stderr


def test_a_quoted_boolean_is_a_problem() -> None:
    Path("regmirror.yaml").write_text(FILE.replace("  region:", '  createBucket: "true"\n  region:'))
    result = run("validate")
    assert result.exit_code == 2
    assert "line 6: storage.createBucket: expected true or false, without quotes" in result.stderr


def test_the_document_of_validate() -> None:
    check_golden("documents/ValidationReport.yaml", run("validate", "-f", "-", "-o", "yaml", stdin=BROKEN).stdout)


def test_the_document_of_show() -> None:
    check_golden("documents/EffectiveConfiguration.yaml", run("show", "-o", "yaml").stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_schema_whose_keys_are_described(kind: str) -> None:
    schema = json.loads(run("schema", "--kind", kind).stdout)
    assert schema == schema_of(kind)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert kind in schema["properties"]["kind"]["const"]
    assert {"apiVersion", "kind"} <= set(schema["required"])
    undescribed = [key for key, value in schema["properties"].items() if not described(value)]
    assert undescribed == []


def described(value: dict[str, Any]) -> bool:
    return bool(value.get("description") or "$ref" in value)


def test_the_error_of_an_unknown_kind_lists_all_kinds() -> None:
    result = run("schema", "--kind", "Nope")
    assert result.exit_code == 2
    words = " ".join(result.stderr.replace("│", " ").split())
    assert f"'Nope' is not one of {', '.join(KINDS)}." in words
