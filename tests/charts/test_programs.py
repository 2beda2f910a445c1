"""The arguments, files and probes of the three programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .cases import FULL
from .helm import Helm, Manifest
from .manifests import container, mounts, one, pod

SECRETS = {
    "redis": {"/etc/regmirror": "redis-conf"},
    "auth": {"/config/auth_config.yml": "auth-conf", "/signing": "key-pair"},
    "registry": {
        "/etc/distribution": "hub-config",
        "/etc/regmirror/bundle": "certificates",
        "/etc/regmirror/upstream": "hub-account",
    },
}

HTTP = {"httpGet": {"path": "/", "port": "http"}}
PROBES: dict[str, tuple[Manifest, Manifest]] = {
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
    assert mounts(pod(helm, "redis")["spec"])[only["workingDir"]]["emptyDir"] == {}
    assert container(helm, "redis", {"program": "redis-server"})["args"][0] == "redis-server"


def test_auth_logs_to_the_container_and_its_configuration_never_changes_in_a_running_pod(helm: Helm) -> None:
    only = container(helm, "auth", {"logLevel": 1})
    assert only["args"] == ["--v=1", "--logtostderr", "/config/auth_config.yml"]
    (config,) = [mount for mount in only["volumeMounts"] if mount["name"] == "config"]
    assert config["subPath"] == "auth_config.yml"


def test_the_registry_serves_and_sends_no_traces(helm: Helm) -> None:
    only = container(helm, "registry")
    assert "registry serve /etc/distribution/config.yml" in only["command"][-1]
    assert only["env"] == [{"name": "OTEL_TRACES_EXPORTER", "value": "none"}]
    assert pod(helm, "registry", FULL["registry"])["spec"]["hostAliases"] == FULL["registry"]["hostAliases"]


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
    (tmp_path / "credential.json").write_text(credential)
    program = tmp_path / name
    program.write_text(script.replace("/etc/regmirror/upstream", str(tmp_path)))
    program.chmod(0o555)
    done = subprocess.run([program, "get"], input="registry-1.docker.io", capture_output=True, text=True, check=True)
    assert done.stdout == credential
