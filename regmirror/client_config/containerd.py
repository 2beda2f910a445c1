"""containerd, and the tools whose nodes run it: kind and minikube.

Source: containerd's docs/hosts.md, kind's "Local Registry", minikube's "Certificates" and "File Sync".
"""

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.client_config.toml_template import render_toml
from regmirror.desired.templates import render_text

_DIRECTORY = "/etc/containerd/certs.d"
_NO_LOGIN = [
    "containerd cannot log in to a mirror: pulls through the mirror are anonymous.",
    "containerd may send a pull secret for Docker Hub to the mirror. The mirror rejects it, and the image silently "
    "comes from Docker Hub.",
]


def containerd(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """One hosts.toml for each registry; containerd reads it at every pull."""
    return ClientSetup(
        _host_files(_DIRECTORY, registries, ca_pem),
        [
            f'containerd 1: set config_path = "{_DIRECTORY}" under '
            '[plugins."io.containerd.grpc.v1.cri".registry] in /etc/containerd/config.toml, then restart containerd',
            "containerd 2: set the same config_path under "
            '[plugins."io.containerd.cri.v1.images".registry], then restart containerd',
            f"test hosts.toml: ctr images pull --hosts-dir {_DIRECTORY} {registries[0].name}/REPOSITORY:TAG; "
            f"then test config_path: crictl pull {registries[0].name}/REPOSITORY:TAG",
        ],
        _NO_LOGIN,
    )


def kind(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The cluster configuration, and the directory that its nodes mount."""
    cluster = ClientFile("kind.yaml", render_text("clients/kind.yaml.j2", {"directory": _DIRECTORY}), may_exist=True)
    return ClientSetup(
        [cluster, *_host_files("certs.d", registries, ca_pem)],
        [
            "if you add nodes to kind.yaml, give each of them the same extraMounts",
            "in the directory of kind.yaml, run: kind create cluster --config kind.yaml",
        ],
        [
            "kind.yaml has no effect on an existing cluster, because mounts are created with the node. The files below "
            "certs.d may change at any time.",
            *_NO_LOGIN,
        ],
    )


def minikube(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The files that minikube copies to its nodes when it starts."""
    home = "~/.minikube/files"
    return ClientSetup(
        _host_files(f"{home}{_DIRECTORY}", registries, ca_pem),
        [
            "minikube start --container-runtime=containerd",
            "with --container-runtime=docker, which does not read these files: copy the CA to ~/.minikube/certs and "
            f"run minikube start --embed-certs --registry-mirror={registries[0].mirror}",
        ],
        ["minikube copies the files only when it starts.", *_NO_LOGIN],
    )


def _host_files(directory: str, registries: list[MirroredRegistry], ca_pem: str) -> list[ClientFile]:
    """The hosts.toml of each registry, and next to it the CA, which a relative path in hosts.toml refers to."""
    files = []
    for registry in registries:
        context = {"registry": registry, "ca_file": "ca.crt" if ca_pem else ""}
        content = render_toml("clients/hosts.toml.j2", context)
        files.append(ClientFile(f"{directory}/{registry.name}/hosts.toml", content))
        if ca_pem:
            files.append(ClientFile(f"{directory}/{registry.name}/ca.crt", ca_pem))
    return files
