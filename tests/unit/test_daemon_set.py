"""``client-config containerd --daemonset``: manifests that write the same files as client-config prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.errors import ExitCode
from tests import samples
from tests.unit.api_schemas import kubernetes_faults


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))
    (tmp_path / "ca.crt").write_bytes(samples.key_pair().certificate_pem)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["client-config", *words])


def manifests(*words: str) -> dict[str, Any]:
    """The manifests, by kind."""
    result = run("containerd", "--daemonset", *words)
    assert result.exit_code == ExitCode.OK, result.output
    return {manifest["kind"]: manifest for manifest in yaml.safe_load_all(result.stdout)}


def test_every_manifest_is_valid_and_in_a_namespace_of_its_own() -> None:
    found = manifests()
    assert [kubernetes_faults(manifest) for manifest in found.values()] == [[]] * 6
    places = {manifest["metadata"].get("namespace") for kind, manifest in found.items() if kind != "Namespace"}
    assert places == {"regmirror-nodes"} == {found["Namespace"]["metadata"]["name"]}


def test_the_files_are_those_of_client_config() -> None:
    printed = json.loads(run("containerd", "--ca-file", "ca.crt", "-o", "json").stdout)["files"]
    written = json.loads(manifests("--ca-file", "ca.crt")["ConfigMap"]["data"]["files.json"])
    directory = "/etc/containerd/certs.d/"
    assert {directory + name: text for name, text in written["files"].items()} == {
        file["path"]: file["content"] for file in printed
    }
    assert written["mirrors"] == [{"host": samples.HOST, "repository": "acme/tool"}]
    assert written["ca"] == samples.key_pair().certificate_pem.decode()


def test_a_change_of_the_files_replaces_the_pods() -> None:
    def version(*words: str) -> str:
        return str(manifests(*words)["DaemonSet"]["spec"]["template"]["metadata"]["annotations"])

    assert version() == version()
    assert version() != version("--ca-file", "ca.crt")


def test_the_pods_may_do_nothing_but_write_one_directory() -> None:
    found = manifests()
    pod = found["DaemonSet"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert [volume["hostPath"]["path"] for volume in pod["volumes"] if "hostPath" in volume] == [
        "/etc/containerd/certs.d"
    ]
    security = container["securityContext"]
    assert (security["capabilities"], security["readOnlyRootFilesystem"]) == ({"drop": ["ALL"]}, True)
    rules = [(*rule["resources"], *rule["verbs"], *rule["resourceNames"]) for rule in found["Role"]["rules"]]
    assert rules == [("daemonsets", "get", "regmirror-nodes"), ("namespaces", "get", "regmirror-nodes")]


def test_json_is_a_list() -> None:
    result = run("containerd", "--daemonset", "-o", "json")
    assert [item["kind"] for item in json.loads(result.stdout)["items"]] == list(manifests())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["containerd", "--daemonset", "--user", "ci"], "the password would be in a ConfigMap"),
        (["k3s", "--daemonset"], "--daemonset is for containerd"),
        (["containerd", "--daemonset", "--check"], "--daemonset and --check exclude each other"),
        (["containerd", "--daemonset", "--output-dir", "x"], "--daemonset and --output-dir exclude each other"),
    ],
)
def test_what_a_daemon_set_cannot_do(words: list[str], message: str) -> None:
    result = run(*words)
    assert (result.exit_code, message in result.output) == (ExitCode.USAGE, True), result.output
