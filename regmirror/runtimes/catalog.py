"""Every runtime that can be set up, by the name that the command line knows."""

from regmirror.runtimes.containerd import containerd, kind, minikube
from regmirror.runtimes.containers import crio, podman
from regmirror.runtimes.docker import buildkit, dockerd
from regmirror.runtimes.rancher import k3s, rke2
from regmirror.runtimes.setup import Build
from regmirror.runtimes.talos import talos

RUNTIMES: dict[str, Build] = {
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
