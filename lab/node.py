"""containerd, the kubelet and kube-proxy, which make the lab a node of its cluster, as steps of `up`."""

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab import addresses, images
from lab.cluster import Cluster
from lab.processes import Processes
from lab.steps import Step

CNI_PLUGINS = Path("/usr/lib/cni")
KUBELET_CONFIGURATION = "kubelet.json"


def steps(cluster: Cluster, wanted: Sequence[images.LabImage]) -> list[Step]:
    """containerd starts at once; the kubelet needs its socket, and the API server to register the node."""
    archives: list[images.Archive] = []
    return [
        Step("archives", lambda: archives.extend(images.archive(image, cluster.instance.cache) for image in wanted)),
        Step("containerd", lambda: _containerd(cluster)),
        Step(
            "images",
            lambda: images.import_missing(archives, _client(cluster)),
            after=("archives", "containerd"),
            title="images imported",
        ),
        Step("kubelet", lambda: _kubelet(cluster), after=("containerd", "api-server")),
        Step("kube-proxy", lambda: _kube_proxy(cluster), after=("api-server",)),
        Step("node", lambda: _node_ready(cluster), after=("kubelet",), title="node Ready"),
    ]


def _containerd(cluster: Cluster) -> None:
    instance = cluster.instance
    networks = instance.state / "networks"
    for directory in (networks, instance.state / "certs.d"):
        directory.mkdir(exist_ok=True)
    (networks / "10-pods.conflist").write_text(json.dumps(_pod_network()))
    configuration = instance.state / "containerd.toml"
    configuration.write_text(_containerd_configuration(cluster))
    cluster.processes.start("containerd", ["containerd", "--config", configuration])

    def answers() -> bool:
        return subprocess.run([*_client(cluster), "version"], capture_output=True, check=False).returncode == 0

    cluster.processes.wait_until("containerd", answers)


def _client(cluster: Cluster) -> list[str | Path]:
    return [cluster.instance.programs / "ctr", "--address", cluster.instance.containerd_socket]


def _pod_network() -> dict[str, Any]:
    """Point-to-point links instead of a bridge: when a pod reaches another pod through a Service, the answer must pass
    the node, which reverts the address translation.
    """
    addressing = {
        "type": "host-local",
        "ranges": [[{"subnet": addresses.POD_SUBNET}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipam": addressing}]}


def _containerd_configuration(cluster: Cluster) -> str:
    """restrict_oom_score_adj: without CAP_SYS_RESOURCE, the kubelet cannot set the score of a pod, and none starts.

    disable_apparmor: a profile would be loaded into the kernel of the whole machine and remain there.
    """
    instance = cluster.instance
    return f"""\
version = 3
imports = []
root = "{instance.state}/containerd"
state = "{instance.run}/containerd"

[grpc]
  address = "{instance.containerd_socket}"

[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{images.PAUSE}"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "{instance.state}/certs.d"

[plugins."io.containerd.cri.v1.runtime"]
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{CNI_PLUGINS}"]
    conf_dir = "{instance.state}/networks"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.internal.v1.opt"]
  path = "{instance.state}/opt"

[plugins."io.containerd.metadata.v1.bolt"]
  no_sync = true

[plugins."io.containerd.nri.v1.nri"]
  disable = true
"""


def _kubelet(cluster: Cluster) -> None:
    configuration = cluster.instance.state / KUBELET_CONFIGURATION
    configuration.write_text(json.dumps(_kubelet_configuration(cluster), indent=1))
    start_kubelet(cluster.processes)


def start_kubelet(processes: Processes, *options: str) -> None:
    """Starts the kubelet with the configuration that `up` wrote; `options` are further ones, which a test needs."""
    instance = processes.sandbox.instance
    processes.start(
        "kubelet",
        [
            "kubelet",
            f"--config={instance.state / KUBELET_CONFIGURATION}",
            f"--kubeconfig={instance.kubeconfig}",
            f"--root-dir={instance.state / 'kubelet'}",
            f"--hostname-override={addresses.NODE_NAME}",
            f"--node-ip={addresses.NODE_ADDRESS}",
            *options,
        ],
    )


def _kubelet_configuration(cluster: Cluster) -> dict[str, Any]:
    instance = cluster.instance
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{instance.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{instance.name}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "clusterDNS": [addresses.NODE_ADDRESS],
        "clusterDomain": addresses.CLUSTER_DOMAIN,
        "resolvConf": str(instance.state / "resolv.conf"),
        "volumePluginDir": str(instance.state / "volume-plugins"),
        # Images cannot be downloaded again, and the disk is shared with the rest of the machine.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "oomScoreAdj": 0,
        # A test may pull an image that was also imported under another name: it must not be pulled again to prove that
        # pods may have it.
        "imagePullCredentialsVerificationPolicy": "NeverVerify",
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "nodeStatusUpdateFrequency": "5s",
        # How often changed Secrets reach the pods that mount them: with the default, a minute, tests mostly wait.
        "syncFrequency": "15s",
    }


def _kube_proxy(cluster: Cluster) -> None:
    cluster.processes.start(
        "kube-proxy",
        [
            "kube-proxy",
            f"--kubeconfig={cluster.instance.kubeconfig}",
            f"--hostname-override={addresses.NODE_NAME}",
            "--proxy-mode=nftables",
            f"--cluster-cidr={addresses.POD_SUBNET}",
            # The lab must not set the size of the connection table, which is a setting of the whole machine.
            "--conntrack-max-per-core=0",
            "--oom-score-adj=0",
        ],
    )


def _node_ready(cluster: Cluster) -> None:
    """Waits for Ready from the kubelet that runs now: kept data may contain the status from an earlier one."""
    started = datetime.now(UTC).replace(microsecond=0)

    def ready() -> bool:
        node = cluster.get(f"/api/v1/nodes/{addresses.NODE_NAME}")
        return any(
            condition["type"] == "Ready"
            and condition["status"] == "True"
            and datetime.fromisoformat(condition["lastHeartbeatTime"]) >= started
            for condition in (node["status"].get("conditions", []) if node else [])
        )

    cluster.processes.wait_until("kubelet", ready)
