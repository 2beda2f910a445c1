"""What the pods of redis, auth and registry promise."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .cases import DIGEST, FULL, POD, RENDERED, WORKLOADS
from .helm import Helm, Manifest

PODS = [case for case, (chart, _) in RENDERED.items() if chart in WORKLOADS]
SERVING = ("auth", "registry")


def one(manifests: list[Manifest], kind: str) -> Manifest:
    """The only manifest of its kind."""
    (manifest,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return manifest


def deployment(helm: Helm, chart: str, values: dict[str, Any] | None = None) -> Manifest:
    return one(helm.render(chart, values), "Deployment")


def pod(helm: Helm, chart: str, values: dict[str, Any] | None = None) -> Manifest:
    template: Manifest = deployment(helm, chart, values)["spec"]["template"]
    return template


def container(helm: Helm, chart: str, values: dict[str, Any] | None = None) -> Manifest:
    (only,) = pod(helm, chart, values)["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("case", PODS)
def test_passes_pod_security_restricted(helm: Helm, case: str) -> None:
    spec = pod(helm, *RENDERED[case])["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] >= 1
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert all({"secret", "configMap", "emptyDir"} & volume.keys() for volume in spec["volumes"])
    for each in spec["containers"]:
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert not any("hostPort" in port for port in each["ports"])


@pytest.mark.parametrize("case", PODS)
def test_is_told_nothing_of_the_cluster(helm: Helm, case: str) -> None:
    spec = pod(helm, *RENDERED[case])["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


@pytest.mark.parametrize("case", PODS)
def test_asks_for_memory_and_is_bounded(helm: Helm, case: str) -> None:
    resources = container(helm, *RENDERED[case])["resources"]
    assert {"cpu", "memory"} <= resources["requests"].keys()
    assert "memory" in resources["limits"]


@pytest.mark.parametrize("case", PODS)
def test_secrets_are_mounted_for_its_group_alone_and_never_in_the_environment(helm: Helm, case: str) -> None:
    spec = pod(helm, *RENDERED[case])["spec"]
    secrets = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    assert secrets
    assert {secret["defaultMode"] for secret in secrets} == {0o440}
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]
    mounted = {mount["name"]: mount for mount in spec["containers"][0]["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in spec["volumes"]}
    assert all(mount.get("readOnly") for name, mount in mounted.items() if name != "data")
    assert "secretKeyRef" not in json.dumps(spec["containers"][0].get("env", []))


@pytest.mark.parametrize("case", PODS)
def test_service_finds_the_pods_by_labels_that_never_change(helm: Helm, case: str) -> None:
    manifests = helm.render(*RENDERED[case])
    service, workload = one(manifests, "Service")["spec"], one(manifests, "Deployment")["spec"]
    chart = RENDERED[case][0]
    assert service["selector"] == {"app.kubernetes.io/name": chart, "app.kubernetes.io/instance": "mirror"}
    assert workload["selector"]["matchLabels"] == service["selector"]
    assert service["selector"].items() <= workload["template"]["metadata"]["labels"].items()
    names = {port["name"]: port["containerPort"] for port in workload["template"]["spec"]["containers"][0]["ports"]}
    assert [(names[port["targetPort"]], port["port"]) for port in service["ports"]] == [
        {"redis": (6379, 6379), "auth": (5001, 5001), "registry": (5000, 5000)}[chart]
    ]


@pytest.mark.parametrize("case", RENDERED)
def test_every_object_is_named_and_labelled(helm: Helm, case: str) -> None:
    chart, values = RENDERED[case]
    hosts = {"mirror-mirror.example.com", "mirror-hub.example.com", "mirror-quay.example.com"}
    for manifest in helm.render(chart, values):
        metadata = manifest["metadata"]
        assert metadata["name"] == "mirror" if chart in WORKLOADS else metadata["name"] in hosts
        assert (
            metadata["labels"].items()
            >= {
                "app.kubernetes.io/name": chart,
                "app.kubernetes.io/instance": "mirror",
                "app.kubernetes.io/component": chart,
                "app.kubernetes.io/part-of": "regmirror",
                "app.kubernetes.io/managed-by": "Helm",
            }.items()
        )
        assert metadata["labels"].keys() >= {"app.kubernetes.io/version", "helm.sh/chart"}


@pytest.mark.parametrize("chart", WORKLOADS)
def test_only_a_new_secret_digest_restarts_the_pods(helm: Helm, chart: str) -> None:
    first, again, changed = (pod(helm, chart, {"secretDigest": digest}) for digest in ("0a", "0a", "1b"))
    assert first == again
    assert changed["spec"] == first["spec"]
    assert changed["metadata"]["annotations"] == {"regmirror.dev/secret-digest": "1b"}
    assert "helm.sh/chart" not in first["metadata"]["labels"]
    assert "annotations" not in pod(helm, chart)["metadata"]


@pytest.mark.parametrize("chart", WORKLOADS)
def test_a_digest_wins_over_the_tag(helm: Helm, chart: str) -> None:
    image = {"repository": "images.example.com/x", "tag": "1"}
    assert container(helm, chart, {"image": image})["image"] == "images.example.com/x:1"
    pinned = container(helm, chart, {"image": {**image, "digest": DIGEST}})
    assert pinned["image"] == f"images.example.com/x@{DIGEST}"


@pytest.mark.parametrize("chart", WORKLOADS)
def test_takes_what_the_cluster_needs(helm: Helm, chart: str) -> None:
    template = pod(helm, chart, FULL[chart])
    scheduling = ("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints")
    assert {key: template["spec"][key] for key in scheduling} == {key: POD[key] for key in scheduling}
    assert template["metadata"]["annotations"] == {"regmirror.dev/secret-digest": "0a1b", "example.com/note": "on"}
    assert template["metadata"]["labels"]["team"] == "1"
    assert POD["extraEnv"][0] in template["spec"]["containers"][0]["env"]
    assert not set(scheduling) & pod(helm, chart)["spec"].keys()


@pytest.mark.parametrize("chart", SERVING)
def test_rolls_without_a_gap(helm: Helm, chart: str) -> None:
    spec = deployment(helm, chart)["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    template = spec["template"]["spec"]
    (only,) = template["containers"]
    assert only["readinessProbe"]["httpGet"] == {"path": "/", "port": "http"}
    pause = only["lifecycle"]["preStop"]["sleep"]["seconds"]
    draining = {"auth": 0, "registry": 60}[chart]
    assert pause >= 5
    assert template["terminationGracePeriodSeconds"] > pause + draining


@pytest.mark.parametrize("chart", SERVING)
def test_a_budget_guards_more_than_one_replica(helm: Helm, chart: str) -> None:
    manifests = helm.render(chart, {"replicas": 2})
    budget, workload = one(manifests, "PodDisruptionBudget")["spec"], one(manifests, "Deployment")["spec"]
    assert workload["replicas"] == 2
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == workload["selector"]
    assert "PodDisruptionBudget" not in {manifest["kind"] for manifest in helm.render(chart)}


def test_redis_is_never_there_twice(helm: Helm) -> None:
    spec = deployment(helm, "redis")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_redis_reads_the_secret_and_works_where_it_may_write(helm: Helm) -> None:
    spec = pod(helm, "redis")["spec"]
    (only,) = spec["containers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in only["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert only["args"] == ["valkey-server", "/etc/regmirror/valkey.conf"]
    assert volumes[mounts["/etc/regmirror"]]["secret"]["secretName"] == "redis-config"
    assert volumes[mounts[only["workingDir"]]]["emptyDir"] == {}
    assert container(helm, "redis", {"program": "redis-server"})["args"][0] == "redis-server"


def test_auth_logs_to_the_container_and_its_configuration_never_changes_under_it(helm: Helm) -> None:
    only = container(helm, "auth", {"logLevel": 1})
    assert only["args"] == ["--v=1", "--logtostderr", "/config/auth_config.yml"]
    (config,) = [mount for mount in only["volumeMounts"] if mount["name"] == "config"]
    assert (config["mountPath"], config["subPath"]) == ("/config/auth_config.yml", "auth_config.yml")


def test_the_registry_stays_alive_but_unready_while_s3_fails(helm: Helm) -> None:
    only = container(helm, "registry")
    assert only["livenessProbe"]["tcpSocket"] == {"port": "http"}
    assert only["readinessProbe"]["httpGet"]["path"] == "/"


def test_the_registry_is_kept_from_sending_traces(helm: Helm) -> None:
    assert container(helm, "registry")["env"] == [{"name": "OTEL_TRACES_EXPORTER", "value": "none"}]


def test_the_registry_without_an_upstream_account_has_no_helper(helm: Helm) -> None:
    manifests = helm.render("registry")
    assert {manifest["kind"] for manifest in manifests} == {"Service", "Deployment"}
    volumes = {volume["name"] for volume in one(manifests, "Deployment")["spec"]["template"]["spec"]["volumes"]}
    assert volumes == {"config", "bundle"}


def test_the_credential_helper_prints_the_mounted_credential(helm: Helm, tmp_path: Path) -> None:
    manifests = helm.render("registry", {"upstream": {"secretName": "hub-account"}})
    script = one(manifests, "ConfigMap")["data"]["docker-credential-regmirror"]
    spec = one(manifests, "Deployment")["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert mounts["helper"] == "/etc/regmirror/helper"
    assert volumes["helper"]["configMap"] == {"name": "mirror", "defaultMode": 0o555}
    assert volumes["upstream"]["secret"]["secretName"] == "hub-account"
    assert mounts["upstream"] + "/credential.json" in script

    credential = '{"Username": "mirror", "Secret": "token"}'
    (tmp_path / "credential.json").write_text(credential)
    program = tmp_path / "docker-credential-regmirror"
    program.write_text(script.replace(mounts["upstream"], str(tmp_path)))
    program.chmod(0o555)
    done = subprocess.run([program, "get"], input="registry-1.docker.io", capture_output=True, text=True, check=True)
    assert done.stdout == credential
