"""Every supported runtime, by its name on the command line."""

from regmirror.client_config.containerd import containerd, kind, minikube
from regmirror.client_config.containers import crio, podman
from regmirror.client_config.docker import buildkit, dockerd
from regmirror.client_config.rancher import k3s, rke2
from regmirror.client_config.setup import SetupBuilder
from regmirror.client_config.talos import talos

RUNTIMES: dict[str, SetupBuilder] = {
    "containerd": containerd,
    "dockerd": dockerd,
    "k3s": k3s,
    "rke2": rke2,
    "talos": talos,
    "buildkit": buildkit,
    "podman": podman,
    "cri-o": crio,
    "kind": kind,
    "minikube": minikube,
}
