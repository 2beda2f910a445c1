"""``regmirror client-config`` prints and writes the files of a runtime, and does not overwrite other files."""

from __future__ import annotations

import json
import ssl
import stat
import subprocess
import sys
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
from tests.golden import check_golden

CA = """\
-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUaZbzr8BOS+aZ9sLY3lgdR1vooJ0wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKRXhhbXBsZSBDQTAgFw0yNjExMjUyMjMzMzhaGA8yMTI2MTEw
MTIyMzMzOFowFTETMBEGA1UEAwwKRXhhbXBsZSBDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABHZ+kD4hRGLBrVC+PQfwn9Y1zmTJ86sQZz9QoK4cYnxAjh7iDHwI
8N2t5/7jnNJXnXwKypeLtHjT5OOU/tKV+FujUzBRMB0GA1UdDgQWBBS1v/FLxou4
BPqZgU3bAEF0nzTvYDAfBgNVHSMEGDAWgBS1v/FLxou4BPqZgU3bAEF0nzTvYDAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIG2nGAzjT8w0GO/pybK5
ZlY7NwIWcMSvdGEmfyX5YRU0AiEAtP14ZAA8bSCiee8Rv+F7+Y6l+ofPQd7s7AZj
mNeFPpM=
-----END CERTIFICATE-----
"""
"""A fixed certificate, so that the golden files do not change."""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["client-config", *words])


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    """A PEM file that also contains the private key, as some tools write it."""
    path = tmp_path / "both.pem"
    path.write_bytes(samples.key_pair().key_pem + samples.key_pair().certificate_pem)
    return path


@pytest.mark.parametrize("runtime", list(Runtime))
@pytest.mark.parametrize("output", ["json", "yaml", "table"])
def test_every_runtime_has_files_steps_and_limitations(runtime: str, output: str, ca_file: Path) -> None:
    result = run(runtime, "-o", output, "--ca-file", str(ca_file))
    assert result.exit_code == ExitCode.OK
    assert "PRIVATE KEY" not in result.output
    if output == "table":
        document = report(runtime, "--ca-file", str(ca_file))
        steps = "".join(f"  - {step}\n" for step in document["steps"])
        limitations = "".join(f"  - {limitation}\n" for limitation in document["limitations"])
        assert result.stdout.endswith(f"\nThen:\n{steps}Limitations:\n{limitations}")
        assert all(f"# {file['path']} (mode {file['mode']}" in result.stdout for file in document["files"])
    else:
        document = (json.loads if output == "json" else yaml.safe_load)(result.stdout)
        assert (document["kind"], document["runtime"]) == ("ClientConfiguration", runtime)
        assert document["registries"] == [{"name": "docker.io", "mirror": f"https://{samples.HOST}"}]
        assert document["limitations"]
        assert {file["writtenTo"] for file in document["files"]} == {None}


def report(*words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run(*words, "-o", "json").stdout)
    return document


def test_the_files_are_written_as_they_are_printed(tmp_path: Path, ca_file: Path) -> None:
    target = tmp_path / "node"
    result = run("k3s", "--ca-file", str(ca_file), "--output-dir", str(target))
    assert result.exit_code == ExitCode.OK
    registries = target / "etc/rancher/k3s/registries.yaml"
    assert f"√ {registries}" in result.stdout
    assert yaml.safe_load(registries.read_text())["mirrors"] == {"docker.io": {"endpoint": [f"https://{samples.HOST}"]}}
    assert stat.S_IMODE(registries.stat().st_mode) == 0o600
    assert (target / "etc/rancher/k3s/regmirror-ca.crt").read_bytes() == samples.key_pair().certificate_pem


def test_the_home_directory_becomes_the_output_directory(tmp_path: Path) -> None:
    assert run("minikube", "--output-dir", "home").exit_code == ExitCode.OK
    path = tmp_path / "home/.minikube/files/etc/containerd/certs.d/docker.io/hosts.toml"
    assert list(tomllib.loads(path.read_text())["host"]) == [f"https://{samples.HOST}"]


def test_existing_files_are_listed_and_not_overwritten_without_force(tmp_path: Path, ca_file: Path) -> None:
    existing = tmp_path / "etc/docker/daemon.json"
    existing.parent.mkdir(parents=True)
    existing.write_text("{}")
    refused = run("dockerd", "--ca-file", str(ca_file), "--output-dir", str(tmp_path))
    assert refused.exit_code == ExitCode.USAGE
    assert f"different content in existing files: {existing}\n" in refused.stderr
    overwrite = f"regmirror client-config dockerd --output-dir {tmp_path} --force --ca-file {ca_file}"
    assert f"  Try: merge the files by hand, or overwrite them: {overwrite}\n" in refused.stderr
    assert existing.read_text() == "{}"
    assert list(existing.parent.iterdir()) == [existing]
    assert run("dockerd", "--output-dir", str(tmp_path), "--force").exit_code == ExitCode.OK
    assert json.loads(existing.read_text()) == {"registry-mirrors": [f"https://{samples.HOST}"]}
    assert run("dockerd", "--output-dir", str(tmp_path)).exit_code == ExitCode.OK


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["containerd", "-f", "absent.yaml"], "cannot read absent.yaml: no such file"),
        (
            ["containerd", "-f", "absent.yaml"],
            "Try: name an existing file with --file FILE, or create one: regmirror init",
        ),
        (["containerd", "--ca-file", "absent.crt"], "cannot read --ca-file absent.crt: No such file"),
        (
            ["containerd", "--ca-file", "regmirror.yaml"],
            "cannot read --ca-file regmirror.yaml: no PEM certificate in it",
        ),
        (["containerd", "--registry", "docker.io"], '--registry "docker.io" is not UPSTREAM=NAME'),
        (["containerd", "--registry", "a=https://docker.io"], "is not UPSTREAM=NAME"),
        (["containerd", "--registry", "a=docker.io"], "no upstream is named a"),
        (["dockerd", "--registry", "docker-hub=quay.io"], "no upstream is Docker Hub"),
        (["containerd", "--output-dir", "regmirror.yaml"], "cannot write regmirror.yaml/etc/containerd/certs.d"),
        (["containerd", "--user", "a:b"], "--user: an account name has no colon"),
        (["containerd", "--user", "\udcff"], "--user: use at most 200 characters, without quotes"),
        (["containerd", "--user", "a\nb"], "--user: use at most 200 characters, without quotes"),
    ],
)
def test_a_usage_error_is_one_message(words: list[str], message: str) -> None:
    result = run(*words)
    assert result.exit_code == ExitCode.USAGE
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("docker", "Did you mean 'dockerd'?"), ("crio", "Did you mean 'cri-o'?"), ("lxc", "containerd, dockerd")],
)
def test_an_unknown_runtime_is_reported_with_a_suggestion(name: str, suggestion: str) -> None:
    result = run(name)
    assert result.exit_code == ExitCode.USAGE
    assert suggestion in " ".join(result.stderr.replace("│", " ").split())
    assert ("Did you mean" in result.stderr) is suggestion.startswith("Did")


def test_a_place_that_cannot_be_written_is_named_without_an_error_number(tmp_path: Path) -> None:
    place = tmp_path / "etc/docker/daemon.json"
    place.mkdir(parents=True)
    refused = run("dockerd", "--output-dir", str(tmp_path))
    assert (refused.exit_code, f"cannot write {place}: Is a directory\n" in refused.stderr) == (ExitCode.USAGE, True)
    place.rmdir()
    place.write_bytes(b"\xff")
    assert f"different content in existing files: {place}\n" in run("dockerd", "--output-dir", str(tmp_path)).stderr


def test_a_ca_that_a_library_warns_about_gets_no_warning_of_python(tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(CA)
    serial = der.index(bytes.fromhex("6996f3af"))
    der = der[:serial] + b"\xe9" + der[serial + 1 :]
    (tmp_path / "negative.crt").write_text(ssl.DER_cert_to_PEM_cert(der))
    words = [sys.executable, "-m", "regmirror", "client-config", "dockerd", "--ca-file", "negative.crt"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_an_unknown_output_format_is_reported_without_the_words_of_a_library() -> None:
    refused = run("dockerd", "-o", "yml")
    assert refused.exit_code == ExitCode.USAGE
    assert ": 'yml' is not one of 'table', 'json', 'yaml'." in refused.stderr
    assert "Value error" not in refused.stderr


def test_several_files_that_would_be_overwritten_are_all_listed(tmp_path: Path, ca_file: Path) -> None:
    assert run("k3s", "--ca-file", str(ca_file), "--output-dir", "node").exit_code == ExitCode.OK
    paths = [tmp_path / "node/etc/rancher/k3s" / name for name in ("registries.yaml", "regmirror-ca.crt")]
    for path in paths:
        path.write_text("other\n")
    refused = run("k3s", "--ca-file", str(ca_file), "--output-dir", str(tmp_path / "node"))
    assert f"{paths[0]}, {paths[1]}\n" in refused.stderr
    assert [path.read_text() for path in paths] == ["other\n", "other\n"]


def test_the_table_refers_to_the_ca_and_does_not_print_it(ca_file: Path) -> None:
    result = run("containerd", "--ca-file", str(ca_file))
    assert "BEGIN CERTIFICATE" not in result.stdout
    assert f"# ... the certificate from {ca_file} (--output-dir writes the file)\n" in result.stdout


@pytest.mark.parametrize("runtime", list(Runtime))
def test_the_table_is_the_golden_file(runtime: str, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(CA)
    shown = run(runtime, "--ca-file", "ca.crt")
    check_golden(f"client-config/{runtime}.txt", shown.stdout)


@pytest.mark.parametrize("runtime", ["containerd", "k3s", "talos", "podman", "cri-o", "buildkit", "dockerd"])
def test_the_table_with_a_login_is_the_golden_file(runtime: str) -> None:
    check_golden(f"client-config/{runtime}-login.txt", run(runtime, "--user", "ci-robot").stdout)


def test_the_document_is_the_golden_file(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(CA)
    result = run("k3s", "--ca-file", "ca.crt", "--output-dir", "node", "-o", "yaml")
    check_golden("documents/ClientConfiguration.yaml", result.stdout)


def test_a_check_finds_what_is_missing_and_nothing_once_the_files_are_there(tmp_path: Path, ca_file: Path) -> None:
    root = tmp_path / "node"
    root.mkdir()
    words = ["k3s", "--ca-file", str(ca_file)]
    missing = run(*words, "--check", "--root", str(root))
    assert missing.exit_code == ExitCode.FAILED
    assert "× /etc/rancher/k3s/registries.yaml\n    there is no such file: k3s uses no mirror\n" in missing.stdout
    assert "    Try: write it as regmirror client-config " in missing.stdout
    assert "    See: regmirror explain file-missing\n" in missing.stdout
    assert run(*words, "--output-dir", str(root)).exit_code == ExitCode.OK
    complete = run(*words, "--check", "--root", str(root))
    assert complete.exit_code == ExitCode.OK
    expected = f"√ nothing keeps k3s from using the mirror of docker.io (https://{samples.HOST})\n"
    assert complete.stdout == expected


def test_a_check_says_that_it_does_not_know_what_a_daemon_has_read(tmp_path: Path) -> None:
    root = str(tmp_path / "node")
    assert run("dockerd", "--output-dir", root).exit_code == ExitCode.OK
    result = run("dockerd", "--check", "--root", root)
    assert result.stdout.endswith("\n  not checked: whether dockerd has read daemon.json since its last change\n")


def test_a_login_that_was_not_filled_in_fails_the_check(tmp_path: Path) -> None:
    root = str(tmp_path / "node")
    assert run("k3s", "--user", "ci-robot", "--output-dir", root).exit_code == ExitCode.OK
    result = run("k3s", "--user", "ci-robot", "--check", "--root", root, "-o", "json")
    assert result.exit_code == ExitCode.FAILED
    document = json.loads(result.stdout)
    assert document["healthy"] is False
    assert [finding["id"] for finding in document["findings"]] == ["login-placeholder"]
    assert document["filesRead"] == ["/etc/rancher/k3s/registries.yaml"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["talos", "--check"], "--check: talos has its files inside of its nodes"),
        (["k3s", "--check", "--output-dir", "node"], "--check and --output-dir exclude each other"),
        (["k3s", "--root", "node"], "--root is for --check"),
        (["k3s", "--force"], "--force is for --output-dir"),
        (["k3s", "--check", "--force"], "--force is for --output-dir"),
        (["k3s", "--check", "--root", "nosuch"], "--root: there is no directory nosuch"),
        (["k3s", "--check", "--root", "regmirror.yaml"], "--root: there is no directory regmirror.yaml"),
    ],
)
def test_a_check_that_is_not_possible_is_a_usage_error(words: list[str], message: str) -> None:
    result = run(*words)
    assert result.exit_code == ExitCode.USAGE
    assert message in result.stderr


def test_the_document_of_a_check_is_the_golden_file(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text(CA)
    (tmp_path / "node").mkdir()
    result = run("containerd", "--ca-file", "ca.crt", "--check", "--root", "node", "-o", "yaml")
    check_golden("documents/ClientCheck.yaml", result.stdout)
