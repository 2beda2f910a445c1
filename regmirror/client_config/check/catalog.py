"""The checks, by the name of the runtime on the command line."""

from regmirror.client_config.check.buildkit import check_buildkit
from regmirror.client_config.check.containerd import check_containerd
from regmirror.client_config.check.containers import check_crio, check_podman
from regmirror.client_config.check.docker import check_docker
from regmirror.client_config.check.inspection import Checker
from regmirror.client_config.check.rancher import rancher_checker
from regmirror.errors import ConfigurationError

CHECKERS: dict[str, Checker] = {
    "containerd": check_containerd,
    "dockerd": check_docker,
    "k3s": rancher_checker("k3s"),
    "rke2": rancher_checker("rke2"),
    "buildkit": check_buildkit,
    "podman": check_podman,
    "cri-o": check_crio,
}
_INSTEAD = {
    "talos": "show what a node has: talosctl get registriesconfigs --nodes NODE -o yaml",
    "kind": "compare the directory in a node with what is printed without --check: "
    "docker exec NODE ls -R /etc/containerd/certs.d",
    "minikube": "compare the directory in the node with what is printed without --check: "
    "minikube ssh -- ls -R /etc/containerd/certs.d",
}


def find_checker(runtime: str) -> Checker:
    """The check of a runtime; raises ConfigurationError if its files are not on a machine that can run it."""
    if runtime not in CHECKERS:
        raise ConfigurationError(f"--check: {runtime} has its files inside of its nodes", hint=_INSTEAD[runtime])
    return CHECKERS[runtime]
