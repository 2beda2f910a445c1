"""The arguments, files and probes of the three programs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .cases import FULL
from .helm import Helm
from .manifests import container, mounts, one, pod

SECRETS = {
    "redis": {"/etc/regmirror": "redis-conf"},
    "auth": {"/config/auth_config.yml": "auth-conf", "/signing": "key-pair"},
    "registry": {
        "/etc/distribution": "hub-config",
        "/etc/regmirror/bundle": "certificates",
        "/etc/regmirror/upstream": "hub-account",
        "/etc/regmirror/ca": "hub-config",
        "/etc/regmirror/proxy": "hub-config",
    },
}

HTTP: dict[str, Any] = {"httpGet": {"path": "/", "port": 8080}}
PROBES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "redis": ({"tcpSocket": {"port": "redis"}}, {"tcpSocket": {"port": "redis"}}),
    "auth": (HTTP, HTTP),
    # While S3 fails, the registry answers / with 503: the pod serves what the front holds.
    "registry": ({"httpGet": {"path": "/alive", "port": 8080}}, {"httpGet": {"path": "/alive", "port": 8080}}),
}


@pytest.mark.parametrize("chart", SECRETS)
def test_each_secret_is_mounted_where_the_program_reads_it(helm: Helm, chart: str) -> None:
    volumes = mounts(pod(helm, chart, FULL[chart])["spec"])
    secrets = {path: volume["secret"]["secretName"] for path, volume in volumes.items() if "secret" in volume}
    assert secrets == SECRETS[chart]


@pytest.mark.parametrize("chart", PROBES)
def test_probes(helm: Helm, chart: str) -> None:
    only = container(helm, chart)
    for probe, how in zip(("readinessProbe", "livenessProbe"), PROBES[chart], strict=True):
        assert only[probe].items() >= how.items()
        # With the default of one second, a pod that is busy streaming layers would count as hanging.
        assert "httpGet" not in how or only[probe]["timeoutSeconds"] > 1
    # One slow answer removes no pod from the Service, and a pod leaves the Service before it is killed.
    ready, alive = only["readinessProbe"], only["livenessProbe"]
    assert (
        ready["periodSeconds"] * ready.get("failureThreshold", 3) < alive["periodSeconds"] * alive["failureThreshold"]
    )


def test_redis_reads_its_configuration_and_has_a_writable_working_directory(helm: Helm) -> None:
    only = container(helm, "redis")
    assert only["args"] == ["valkey-server", "/etc/regmirror/valkey.conf"]
    assert mounts(pod(helm, "redis")["spec"])[only["workingDir"]]["emptyDir"] == {"sizeLimit": "16Mi"}
    assert container(helm, "redis", {"program": "redis-server"})["args"][0] == "redis-server"


def test_auth_logs_to_the_container_and_its_configuration_never_changes_in_a_running_pod(helm: Helm) -> None:
    only = container(helm, "auth", {"logLevel": 0})
    assert only["args"] == ["--v=0", "--logtostderr", "/config/auth_config.yml"]
    (config,) = [mount for mount in only["volumeMounts"] if mount["name"] == "config"]
    assert config["subPath"] == "auth_config.yml"


def test_the_registry_serves_and_sends_no_traces(helm: Helm) -> None:
    only = container(helm, "registry")
    assert "registry serve /etc/distribution/config.yml" in only["command"][-1]
    assert {"name": "OTEL_TRACES_EXPORTER", "value": "none"} in only["env"]
    assert pod(helm, "registry", FULL["registry"])["spec"]["hostAliases"] == FULL["registry"]["hostAliases"]


@pytest.mark.parametrize("chart", ["auth", "registry"])
@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("100Mi", 94371840),
        ("1G", 900_000_000),
        ("1.5Gi", 1449551462),
        (100_000_000, 90_000_000),
        ("2Ti", 1979120929996),
    ],
)
def test_go_collects_garbage_before_the_memory_limit(helm: Helm, chart: str, limit: str | int, expected: int) -> None:
    variables = container(helm, chart, {"resources": {"limits": {"memory": limit}}})["env"]
    assert {"name": "GOMEMLIMIT", "value": str(expected)} in variables


def test_a_memory_limit_that_no_pod_can_have_is_refused(helm: Helm) -> None:
    done = helm.template("registry", {"resources": {"limits": {"memory": "500m"}}})
    assert "the unit of 500m must be one of" in done.stderr


def test_the_registry_without_an_upstream_account_has_no_helper(helm: Helm) -> None:
    manifests = helm.render("registry")
    assert "docker-credential-regmirror" not in one(manifests, "ConfigMap")["data"]
    spec = one(manifests, "Deployment")["spec"]["template"]["spec"]
    assert mounts(spec).keys() == {"/etc/distribution", "/etc/regmirror/bundle"}


def test_the_credential_helper_prints_the_mounted_credential(helm: Helm, tmp_path: Path) -> None:
    manifests = helm.render("registry", {"upstream": {"secretName": "hub-account"}})
    script = one(manifests, "ConfigMap")["data"]["docker-credential-regmirror"]
    volumes = mounts(one(manifests, "Deployment")["spec"]["template"]["spec"])
    name = "docker-credential-regmirror"
    helper = {"name": "mirror", "items": [{"key": name, "path": name}], "defaultMode": 0o555}
    assert volumes["/etc/regmirror/helper"]["configMap"] == helper

    credential = '{"Username": "mirror", "Secret": "token"}'
    (tmp_path / "upstream").mkdir()
    (tmp_path / "upstream/credential.json").write_text(credential)
    program = tmp_path / name
    program.write_text(script.replace("/etc/regmirror", str(tmp_path)))
    program.chmod(0o555)

    def answer() -> str:
        words = [str(program), "get"]
        return subprocess.run(words, input="registry-1.docker.io", capture_output=True, text=True, check=True).stdout

    assert answer() == credential
    # The account in the Secrets of others takes precedence, once both of its parts are there.
    (tmp_path / "account").mkdir()
    (tmp_path / "account/username").write_text("AWS\n")
    assert answer() == credential
    (tmp_path / "account/password").write_text('a"b\\c\n')
    assert json.loads(answer()) == {"ServerURL": "", "Username": "AWS", "Secret": 'a"b\\c'}


def test_an_account_in_secrets_of_others_is_mounted_and_may_be_missing(helm: Helm) -> None:
    account = mounts(pod(helm, "registry", FULL["registry"])["spec"])["/etc/regmirror/account"]["projected"]
    parts = {part["secret"]["items"][0]["path"]: part["secret"] for part in account["sources"]}
    assert {file: (part["name"], part["items"][0]["key"]) for file, part in parts.items()} == {
        "username": ("ecr", "username"),
        "password": ("ecr", "token"),
    }
    assert all(part["optional"] for part in parts.values())
