"""Properties of every pod of a mirror."""

from __future__ import annotations

import json

import pytest

from .cases import DIGEST, FULL, POD, PODS, RENDERED, WORKLOADS
from .helm import Helm
from .manifests import container, one, pod


@pytest.mark.parametrize("case", PODS)
def test_passes_pod_security_restricted(helm: Helm, case: str) -> None:
    spec = pod(helm, *RENDERED[case])["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"].get("runAsUser", 1) >= 1
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    kinds = {"secret", "configMap", "emptyDir", "projected", "persistentVolumeClaim"}
    assert all(kinds & volume.keys() for volume in spec["volumes"])
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
    kinds = ("secret", "projected")
    secrets = [volume[kind] for volume in spec["volumes"] for kind in kinds if kind in volume]
    assert secrets
    assert {secret["defaultMode"] for secret in secrets} == {0o440}
    assert spec["securityContext"].get("fsGroup") == spec["securityContext"].get("runAsGroup")
    mounted = {mount["name"]: mount for each in spec["containers"] for mount in each["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in spec["volumes"]}
    written = {"data", "front", "sockets", "layers", "requests"}
    assert all(mount.get("readOnly") for name, mount in mounted.items() if name not in written)
    assert all("secretKeyRef" not in json.dumps(each.get("env", [])) for each in spec["containers"])


@pytest.mark.parametrize("chart", WORKLOADS)
def test_passes_on_scheduling_settings(helm: Helm, chart: str) -> None:
    template = pod(helm, chart, FULL[chart])
    given = ("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "priorityClassName")
    scheduling = (*given, "topologySpreadConstraints")
    assert {key: template["spec"][key] for key in scheduling} == {key: POD[key] for key in scheduling}
    assert template["metadata"]["annotations"] == {"regmirror.dev/secret-versions": "0a1b", "example.com/note": "on"}
    assert template["metadata"]["labels"]["team"] == "1"
    first = template["spec"]["containers"][0]
    assert POD["extraEnv"][0] in first["env"]
    assert first["imagePullPolicy"] == "Always"
    assert set(scheduling) & pod(helm, chart)["spec"].keys() <= {"topologySpreadConstraints"}


@pytest.mark.parametrize("chart", WORKLOADS)
def test_a_digest_takes_precedence_over_the_tag(helm: Helm, chart: str) -> None:
    image = {"repository": "images.example.com/x", "tag": "1"}
    assert container(helm, chart, {"image": image})["image"] == "images.example.com/x:1"
    pinned = container(helm, chart, {"image": {**image, "digest": DIGEST}})
    assert pinned["image"] == f"images.example.com/x@{DIGEST}"


@pytest.mark.parametrize("chart", WORKLOADS)
def test_the_cluster_can_assign_user_and_groups(helm: Helm, chart: str) -> None:
    """Secrets stay readable for the group of the volumes, and all that a container writes is in volumes."""
    fixed, assigned = (pod(helm, chart, {"podSecurity": value})["spec"] for value in ("fixed", "assigned"))
    assert {"runAsUser", "runAsGroup", "fsGroup"} <= fixed["securityContext"].keys()
    assert assigned["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert all("runAsUser" not in each["securityContext"] for each in assigned["containers"])
    assert {**assigned, "securityContext": None} == {**fixed, "securityContext": None}


@pytest.mark.parametrize("chart", WORKLOADS)
def test_a_service_account_is_named_or_created_and_its_token_never_mounted(helm: Helm, chart: str) -> None:
    assert "serviceAccountName" not in pod(helm, chart)["spec"]
    assert "ServiceAccount" not in {manifest["kind"] for manifest in helm.render(chart)}
    existing = {"serviceAccount": {"name": "mirror-s3"}}
    assert pod(helm, chart, existing)["spec"]["serviceAccountName"] == "mirror-s3"
    assert "ServiceAccount" not in {manifest["kind"] for manifest in helm.render(chart, existing)}
    for name, expected in {"": "mirror", "mirror-s3": "mirror-s3"}.items():
        values = {"serviceAccount": {"create": True, "name": name, "annotations": {"example.com/role": "mirror"}}}
        account = one(helm.render(chart, values), "ServiceAccount")
        assert account["metadata"]["name"] == pod(helm, chart, values)["spec"]["serviceAccountName"] == expected
        assert account["metadata"]["annotations"] == {"example.com/role": "mirror"}
        assert account["automountServiceAccountToken"] is False


@pytest.mark.parametrize("chart", ["auth", "registry"])
def test_pods_prefer_different_zones_and_nodes_whatever_their_number(helm: Helm, chart: str) -> None:
    """Another number of replicas does not replace the pods."""
    one_pod, several = (pod(helm, chart, {"replicas": replicas}) for replicas in (1, 3))
    assert one_pod == several
    constraints = one_pod["spec"]["topologySpreadConstraints"]
    assert {each["whenUnsatisfiable"] for each in constraints} == {"ScheduleAnyway"}
    assert [each["topologyKey"] for each in constraints] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert "topologySpreadConstraints" not in pod(helm, "redis")["spec"]


@pytest.mark.parametrize("chart", WORKLOADS)
def test_a_spread_constraint_is_about_the_pods_of_the_release(helm: Helm, chart: str) -> None:
    given = {"maxSkew": 2, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}
    (constraint,) = pod(helm, chart, {"topologySpreadConstraints": [given]})["spec"]["topologySpreadConstraints"]
    ours = {"app.kubernetes.io/name": chart, "app.kubernetes.io/instance": "mirror"}
    assert constraint == {**given, "labelSelector": {"matchLabels": ours}}
