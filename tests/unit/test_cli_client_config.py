"""client-config on the command line: what it prints, what it writes, and what it refuses to replace."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.cli.options import Runtime
from regmirror.errors import ExitCode
from tests import samples


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["client-config", *words])


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A file as people have them: the private key stands in it, too."""
    path = tmp_path / "both.pem"
    path.write_bytes(samples.key_pair().key_pem + samples.key_pair().certificate_pem)
    return path


@pytest.mark.parametrize("runtime", list(Runtime))
@pytest.mark.parametrize("output", ["json", "yaml", "table"])
def test_every_runtime_is_told_with_its_files_and_its_limits(runtime: str, output: str, authority: Path) -> None:
    result = run(runtime, "-o", output, "--ca-file", str(authority))
    assert result.exit_code == ExitCode.OK
    assert "PRIVATE KEY" not in result.output
    if output == "table":
        assert f"\nNot possible with this runtime: {report(runtime)['notPossible']}\n" in result.stdout
        assert all(f"# {file['path']} (mode {file['mode']}" in result.stdout for file in report(runtime)["files"])
    else:
        document = (json.loads if output == "json" else yaml.safe_load)(result.stdout)
        assert (document["kind"], document["runtime"]) == ("ClientConfiguration", runtime)
        assert document["registries"] == [{"name": "docker.io", "mirror": f"https://{samples.HOST}"}]
        assert document["notPossible"]


def report(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*words, "-o", "json").stdout)
    return found


def test_the_files_are_written_as_they_are_printed(tmp_path: Path, authority: Path) -> None:
    target = tmp_path / "node"
    result = run("k3s", "--ca-file", str(authority), "--output-dir", str(target))
    assert result.exit_code == ExitCode.OK
    registries = target / "etc/rancher/k3s/registries.yaml"
    assert f"√ {registries}" in result.stdout
    assert yaml.safe_load(registries.read_text())["mirrors"] == {"docker.io": {"endpoint": [f"https://{samples.HOST}"]}}
    assert stat.S_IMODE(registries.stat().st_mode) == 0o600
    assert (target / "etc/rancher/k3s/regmirror-ca.crt").read_bytes() == samples.key_pair().certificate_pem


def test_a_home_directory_is_taken_below_the_output_directory(tmp_path: Path) -> None:
    assert run("minikube", "--output-dir", "home").exit_code == ExitCode.OK
    path = tmp_path / "home/.minikube/files/etc/containerd/certs.d/docker.io/hosts.toml"
    assert tomllib.loads(path.read_text())["server"] == "https://registry-1.docker.io"


def test_a_file_of_another_content_is_not_replaced_and_nothing_else_is_written(tmp_path: Path, authority: Path) -> None:
    existing = tmp_path / "etc/docker/daemon.json"
    existing.parent.mkdir(parents=True)
    existing.write_text("{}")
    refused = run("dockerd", "--ca-file", str(authority), "--output-dir", str(tmp_path))
    assert refused.exit_code == ExitCode.USAGE
    assert f"{existing} exists with another content" in refused.stderr
    assert existing.read_text() == "{}"
    assert list(existing.parent.iterdir()) == [existing]
    assert run("dockerd", "--output-dir", str(tmp_path), "--force").exit_code == ExitCode.OK
    assert json.loads(existing.read_text()) == {"registry-mirrors": [f"https://{samples.HOST}"]}
    assert run("dockerd", "--output-dir", str(tmp_path)).exit_code == ExitCode.OK


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["containerd", "-f", "absent.yaml"], "there is no file absent.yaml"),
        (["containerd", "--ca-file", "absent.crt"], "--ca-file absent.crt cannot be read as PEM certificates: No such"),
        (["containerd", "--ca-file", "regmirror.yaml"], "cannot be read as PEM certificates: it holds none"),
        (["containerd", "--registry", "docker.io"], '--registry "docker.io" is not UPSTREAM=NAME'),
        (["containerd", "--registry", "a=https://docker.io"], "is not UPSTREAM=NAME"),
        (["containerd", "--registry", "a=docker.io"], "there is no upstream a"),
        (["dockerd", "--registry", "docker-hub=quay.io"], "no upstream is Docker Hub"),
        (["containerd", "--output-dir", "regmirror.yaml"], "regmirror.yaml cannot be written"),
    ],
)
def test_a_mistake_is_one_clear_error(words: list[str], message: str) -> None:
    result = run(*words)
    assert result.exit_code == ExitCode.USAGE
    assert message in result.stderr
    assert result.stdout == ""


def test_an_unknown_runtime_is_answered_with_those_that_are_known() -> None:
    result = run("rkt")
    assert result.exit_code == ExitCode.USAGE
    assert "containerd" in result.stderr
