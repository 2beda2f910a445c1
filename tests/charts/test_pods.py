"""Properties of every pod of a mirror."""

from __future__ import annotations

import json

import pytest

from .cases import DIGEST, FULL, POD, PODS, RENDERED, WORKLOADS
from .helm import Helm
from .manifests import container, pod


@pytest.mark.parametrize("case", PODS)
def test_passes_pod_security_restricted(helm: Helm, case: str) -> None:
    spec = pod(helm, *RENDERED[case])["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] >= 1
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    assert all(
        {"secret", "configMap", "emptyDir", "persistentVolumeClaim"} & volume.keys() for volume in spec["volumes"]
    )
    for each in spec["containers"]:
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert not any("hostPort" in port for port in each.get("ports", []))


@pytest.mark.parametrize("case", PODS)
def test_knows_nothing_of_the_cluster(helm: Helm, case: str) -> None:
    spec = pod(helm, *RENDERED[case])["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False


@pytest.mark.parametrize("case", PODS)
def test_requests_cpu_and_memory_and_limits_memory_and_disk(helm: Helm, case: str) -> None:
    for each in pod(helm, *RENDERED[case])["spec"]["containers"]:
        assert {"cpu", "memory"} <= each["resources"]["requests"].keys()
        assert {"memory", "ephemeral-storage"} <= each["resources"]["limits"].keys()


@pytest.mark.parametrize("case", PODS)
def test_secrets_are_mounted_for_its_group_only_and_never_in_the_environment(helm: Helm, case: str) -> None:
    spec = pod(helm, *RENDERED[case])["spec"]
    secrets = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    assert secrets
    assert {secret["defaultMode"] for secret in secrets} == {0o440}
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]
    mounted = {mount["name"]: mount for each in spec["containers"] for mount in each["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in spec["volumes"]}
    assert all(
        mount.get("readOnly") for name, mount in mounted.items() if name not in {"data", "front", "sockets", "layers"}
    )
    assert all("secretKeyRef" not in json.dumps(each.get("env", [])) for each in spec["containers"])


@pytest.mark.parametrize("chart", WORKLOADS)
def test_passes_on_scheduling_settings(helm: Helm, chart: str) -> None:
    template = pod(helm, chart, FULL[chart])
    scheduling = ("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints")
    assert {key: template["spec"][key] for key in scheduling} == {key: POD[key] for key in scheduling}
    assert template["metadata"]["annotations"] == {"regmirror.dev/secret-versions": "0a1b", "example.com/note": "on"}
    assert template["metadata"]["labels"]["team"] == "1"
    first = template["spec"]["containers"][0]
    assert POD["extraEnv"][0] in first["env"]
    assert first["imagePullPolicy"] == "Always"
    assert not set(scheduling) & pod(helm, chart)["spec"].keys()


@pytest.mark.parametrize("chart", WORKLOADS)
def test_a_digest_takes_precedence_over_the_tag(helm: Helm, chart: str) -> None:
    image = {"repository": "images.example.com/x", "tag": "1"}
    assert container(helm, chart, {"image": image})["image"] == "images.example.com/x:1"
    pinned = container(helm, chart, {"image": {**image, "digest": DIGEST}})
    assert pinned["image"] == f"images.example.com/x@{DIGEST}"
