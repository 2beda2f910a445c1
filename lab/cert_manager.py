"""cert-manager in the lab: its custom resource definitions, its controllers, and an issuer with the lab's authority."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab import addresses, http, module_files
from lab.cluster import Cluster
from lab.components import CERT_MANAGER_DEFINITIONS

NAMESPACE, CLUSTER_ISSUER = "cert-manager", "lab"
_GROUP = "/apis/cert-manager.io/v1"
_KINDS = ("certificates", "certificaterequests", "clusterissuers", "issuers")
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def start(cluster: Cluster) -> None:
    """Creates the definitions and the issuer, and starts the controllers when the API server serves their kinds."""
    for definition in definitions(cluster.instance.cache):
        cluster.create(_DEFINITIONS, definition.read_bytes())
    served = [f"{_GROUP}/{kind}" for kind in _KINDS]
    served += [f"/apis/acme.cert-manager.io/v1/{kind}" for kind in ("orders", "challenges")]
    cluster.wait_until("the API server to serve cert-manager's kinds", lambda: all(map(cluster.healthy, served)))
    cluster.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    cluster.create(f"/api/v1/namespaces/{NAMESPACE}/secrets", _authority(cluster))
    cluster.create(f"{_GROUP}/clusterissuers", _issuer())
    cluster.processes.start(
        "cert-manager",
        [
            "cert-manager",
            f"--kubeconfig={cluster.instance.kubeconfig}",
            f"--cluster-resource-namespace={NAMESPACE}",
            f"--health-address={addresses.CERT_MANAGER_HEALTH}",
        ],
    )
    cluster.processes.wait_until("cert-manager", lambda: http.answers(f"http://{addresses.CERT_MANAGER_HEALTH}/"))


def definitions(cache_directory: Path) -> list[Path]:
    """The custom resource definitions, as YAML files."""
    return sorted(module_files.entry(CERT_MANAGER_DEFINITIONS, cache_directory).glob("*.yaml"))


def _authority(cluster: Cluster) -> Mapping[str, Any]:
    files = {"tls.crt": cluster.certificates.authority, "tls.key": cluster.certificates.key("authority")}
    data = {name: base64.b64encode(path.read_bytes()).decode() for name, path in files.items()}
    metadata = {"name": "lab-authority"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls", "data": data}


def _issuer() -> Mapping[str, Any]:
    metadata, spec = {"name": CLUSTER_ISSUER}, {"ca": {"secretName": "lab-authority"}}
    return {"apiVersion": "cert-manager.io/v1", "kind": "ClusterIssuer", "metadata": metadata, "spec": spec}
