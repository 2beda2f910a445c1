"""The volume of a registry outlives its release, and a rolling update needs no second volume."""

from __future__ import annotations

from typing import Any

import pytest

from tests.charts.helm import Helm
from tests.charts.manifests import one

OWN: dict[str, Any] = {"data": {"enabled": True, "storageClassName": "fast"}}
SHARED: dict[str, Any] = {"data": {"enabled": True, "claimName": "mirror-data"}}


def pod(helm: Helm, values: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = one(helm.render("registry", values), "Deployment")["spec"]["template"]["spec"]
    return spec


def test_each_release_has_a_claim_that_is_kept(helm: Helm) -> None:
    claim = one(helm.render("registry", OWN, release="regmirror-quay"), "PersistentVolumeClaim")
    assert claim["metadata"]["name"] == "regmirror-quay"
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "10Gi"}},
    }


@pytest.mark.parametrize("values", [{}, SHARED])
def test_nothing_is_claimed_without_need(helm: Helm, values: dict[str, Any]) -> None:
    assert "PersistentVolumeClaim" not in {manifest["kind"] for manifest in helm.render("registry", values)}


@pytest.mark.parametrize(("values", "claim"), [(OWN, "mirror"), (SHARED, "mirror-data")])
def test_only_the_registry_mounts_the_volume(helm: Helm, values: dict[str, Any], claim: str) -> None:
    spec = pod(helm, values)
    assert {"name": "data", "persistentVolumeClaim": {"claimName": claim}} in spec["volumes"]
    mounts = {
        container["name"]: mount["mountPath"]
        for container in spec["containers"]
        for mount in container["volumeMounts"]
        if mount["name"] == "data"
    }
    assert mounts == {"registry": "/var/lib/regmirror/data"}
    assert spec["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


@pytest.mark.parametrize(
    ("values", "label"), [(OWN, "app.kubernetes.io/instance"), (SHARED, "app.kubernetes.io/part-of")]
)
def test_pods_of_a_volume_for_one_node_run_on_one_node(helm: Helm, values: dict[str, Any], label: str) -> None:
    other = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"team": "1"}}}
    wanted = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [other]}, "nodeAffinity": {}}
    found = pod(helm, {**values, "affinity": wanted})["affinity"]
    *kept, own = found["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert kept == [other]
    assert own["topologyKey"] == "kubernetes.io/hostname"
    assert label in own["labelSelector"]["matchLabels"]
    strategy = one(helm.render("registry", values), "Deployment")["spec"]["strategy"]["rollingUpdate"]
    assert strategy["maxUnavailable"] == 0


def test_a_volume_that_nodes_share_ties_no_pod_to_a_node(helm: Helm) -> None:
    assert "affinity" not in pod(helm, {"data": {"enabled": True, "accessMode": "ReadWriteMany"}})
