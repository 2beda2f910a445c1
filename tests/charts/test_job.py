"""The CronJobs that run regmirror: one at a time, restricted, with one ServiceAccount that only they use."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from regmirror import __version__

from .cases import DIGEST, FULL
from .helm import Helm
from .manifests import one

CASES: dict[str, dict[str, Any]] = {"defaults": {}, "full": FULL["job"]}


def pod_of(manifests: list[dict[str, Any]]) -> dict[str, Any]:
    spec: dict[str, Any] = one(manifests, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("case", CASES)
def test_one_run_at_a_time_which_ends(helm: Helm, case: str) -> None:
    manifests = helm.render("job", CASES[case])
    job = one(manifests, "CronJob")["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    assert job["successfulJobsHistoryLimit"] + job["failedJobsHistoryLimit"] <= 5
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] == CASES[case].get("deadlineSeconds", 900)
    assert job["jobTemplate"]["spec"]["backoffLimit"] == 0
    (token,) = [source["serviceAccountToken"] for source in sources(manifests) if "serviceAccountToken" in source]
    assert token["expirationSeconds"] > job["jobTemplate"]["spec"]["activeDeadlineSeconds"]


def sources(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (volume,) = [volume["projected"] for volume in pod_of(manifests)["volumes"] if "projected" in volume]
    found: list[dict[str, Any]] = volume["sources"]
    return found


@pytest.mark.parametrize("case", CASES)
def test_the_pod_is_restricted_and_writes_only_below_tmp(helm: Helm, case: str) -> None:
    pod = pod_of(helm.render("job", CASES[case]))
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert ("runAsUser" in pod["securityContext"]) is (case == "defaults")
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert {"memory", "ephemeral-storage"} <= container["resources"]["limits"].keys()
    writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/tmp"]
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("case", CASES)
def test_only_its_service_account_has_the_role(helm: Helm, case: str) -> None:
    manifests = helm.render("job", CASES[case])
    assert one(manifests, "Role")["rules"] == CASES[case].get("rules", [])
    assert one(manifests, "ServiceAccount")["automountServiceAccountToken"] is False
    (subject,) = one(manifests, "RoleBinding")["subjects"]
    names = {"ServiceAccount": subject["name"], "pod": pod_of(manifests)["serviceAccountName"]}
    assert set(names.values()) == {one(manifests, "ServiceAccount")["metadata"]["name"]}


def test_the_file_and_the_command_reach_the_program_unchanged(helm: Helm) -> None:
    manifests = helm.render("job", FULL["job"])
    assert one(manifests, "ConfigMap")["data"]["regmirror.yaml"] == FULL["job"]["configuration"]
    (container,) = pod_of(manifests)["containers"]
    assert container["command"] == ["regmirror", *FULL["job"]["command"]]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    assert environment["REGMIRROR_CA_FILE"] == "/etc/regmirror/public-ca.crt"
    assert FULL["job"]["caBundle"] in sources(manifests)
    kubeconfig = yaml.safe_load(one(manifests, "ConfigMap")["data"]["kubeconfig"])
    assert kubeconfig["users"][0]["user"] == {"tokenFile": "/etc/regmirror/token"}
    assert container["image"].endswith(f"@{DIGEST}")


def test_the_default_image_is_that_of_this_version(helm: Helm) -> None:
    (container,) = pod_of(helm.render("job", {}))["containers"]
    assert container["image"] == f"ghcr.io/regmirror-kube/regmirror:{__version__}"


def test_nothing_connects_to_the_pods(helm: Helm) -> None:
    policy = one(helm.render("job", FULL["job"]), "NetworkPolicy")["spec"]
    assert (policy["policyTypes"], policy["ingress"]) == (["Ingress"], [])
