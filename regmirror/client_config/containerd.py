"""containerd, and the two tools whose nodes run it: kind and minikube.

Source: containerd's docs/hosts.md, kind's "Local Registry", minikube's "Certificates" and "File Sync".
"""

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.client_config.toml_template import render_toml
from regmirror.desired.templates import render_text

_DIRECTORY = "/etc/containerd/certs.d"
_NO_LOGIN = (
    "A login at the mirror: containerd sends a mirror no user name. A pull secret for Docker Hub may be offered to it "
    "instead, is refused, and the image comes from Docker Hub without a word."
)


def containerd(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """One hosts.toml for each registry, read anew at each pull."""
    return ClientSetup(
        _host_files(_DIRECTORY, registries, ca_pem),
        [
            f'containerd before 2.0 reads {_DIRECTORY} only if /etc/containerd/config.toml says config_path = "'
            f'{_DIRECTORY}" under [plugins."io.containerd.grpc.v1.cri".registry]; restart containerd after that change',
            f"try it: ctr images pull --hosts-dir {_DIRECTORY} {registries[0].name}/REPOSITORY:TAG",
        ],
        _NO_LOGIN,
    )


def kind(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The configuration of a cluster, and the directory that its nodes mount."""
    cluster = ClientFile("kind.yaml", render_text("clients/kind.yaml.j2", {"directory": _DIRECTORY}), may_exist=True)
    return ClientSetup(
        [cluster, *_host_files("certs.d", registries, ca_pem)],
        [
            "give every further node in kind.yaml the same extraMounts",
            "in the directory of kind.yaml: kind create cluster --config kind.yaml",
        ],
        "A change of kind.yaml in a cluster that exists: mounts are made when a node is. (The files below certs.d may "
        f"change at any time.) {_NO_LOGIN}",
    )


def minikube(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """Files that minikube copies into its nodes when it starts."""
    home = "~/.minikube/files"
    return ClientSetup(
        _host_files(f"{home}{_DIRECTORY}", registries, ca_pem),
        [
            "minikube start --container-runtime=containerd",
            "with --container-runtime=docker these files are not read: copy the ca_pem to ~/.minikube/certs and run "
            f"minikube start --embed-certs --registry-mirror={registries[0].mirror}",
        ],
        f"A change without a start: minikube copies files when it starts. {_NO_LOGIN}",
    )


def _host_files(directory: str, registries: list[MirroredRegistry], ca_pem: str) -> list[ClientFile]:
    """For each registry its hosts.toml, and beside it the ca_pem; a relative path of it is meant so."""
    files = []
    for registry in registries:
        context = {"registry": registry, "ca_file": "ca.crt" if ca_pem else ""}
        content = render_toml("clients/hosts.toml.j2", context)
        files.append(ClientFile(f"{directory}/{registry.name}/hosts.toml", content))
        if ca_pem:
            files.append(ClientFile(f"{directory}/{registry.name}/ca.crt", ca_pem))
    return files
