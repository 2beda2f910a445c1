"""containerd, and the tools whose nodes run it: kind and minikube.

Source: containerd's docs/hosts.md, docs/cri/registry.md and core/remotes/docker/config/hosts.go, kind's "Local
Registry", minikube's "Certificates" and "File Sync". A config_path with two directories, the default since 2.2.0, is
read as the name of one directory when the transfer service pulls (core/transfer/registry/registry.go of 2.1 to 2.4.2).
"""

from regmirror.client_config.login import PULL_SECRETS, header_step
from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientOptions, ClientSetup
from regmirror.client_config.toml_template import render_toml
from regmirror.config.images import DOCKER_IO
from regmirror.desired.templates import render_text

HOSTS_DIRECTORY = "/etc/containerd/certs.d"
OLD_TABLE = '[plugins."io.containerd.grpc.v1.cri".registry]'
"""In files with ``version = 2``, which containerd 1.x and 2.x read."""
NEW_TABLE = '[plugins."io.containerd.cri.v1.images".registry]'
"""In files with ``version = 3`` or 4, which only containerd 2.x reads."""
SHORT_TABLE = "[plugins.cri.registry]"
"""In files without a version, or with ``version = 1``, which containerd 1.x and 2.x read."""
_ANONYMOUS = (
    "Without --user, pulls through the mirror are anonymous. containerd older than 2.1 cannot log in to a mirror."
)
_SINCE = "The login needs containerd 2.1 or newer. Older versions ignore it and pull anonymously."


def containerd(options: ClientOptions) -> ClientSetup:
    """A hosts.toml for each registry and for the mirror itself; containerd reads them at every pull."""
    name = options.registries[0].name
    return ClientSetup(
        _host_files(HOSTS_DIRECTORY, options),
        [
            *_login_steps(HOSTS_DIRECTORY, options),
            f'in /etc/containerd/config.toml, set config_path = "{HOSTS_DIRECTORY}": if the file has version = 2 '
            f"(containerd 1.x, or an older file of 2.x), under {OLD_TABLE}",
            f"if it has version = 3 or 4 (containerd 2.x), under {NEW_TABLE}",
            f"if it has no version, under {SHORT_TABLE}; if there is no file, create it with version = 3 (2.x) "
            "or version = 2 (1.x) as its first line",
            "do so even with containerd 2.2 and newer: their default is a list of two directories, which pulls of the "
            "kubelet do not find (seen up to 2.4.2)",
            "systemctl restart containerd, only after a change of config.toml",
            f"test hosts.toml: ctr images pull --hosts-dir {HOSTS_DIRECTORY} {name}/REPOSITORY:TAG; "
            f"then test config_path: crictl pull {name}/REPOSITORY:TAG",
        ],
        _login_limitations(options),
    )


def kind(options: ClientOptions) -> ClientSetup:
    """The cluster configuration, and the directory that its nodes mount."""
    content = render_text("clients/kind.yaml.j2", {"directory": HOSTS_DIRECTORY})
    return ClientSetup(
        [ClientFile("kind.yaml", content, may_exist=True), *_host_files("certs.d", options)],
        [
            *_login_steps("certs.d", options),
            "if you add nodes to kind.yaml, give each of them the same extraMounts",
            "in the directory of kind.yaml, run: kind create cluster --config kind.yaml",
        ],
        [
            "kind.yaml has no effect on an existing cluster, because mounts are created with the node. The files below "
            "certs.d may change at any time.",
            *_login_limitations(options),
        ],
    )


def minikube(options: ClientOptions) -> ClientSetup:
    """The files that minikube copies to its nodes when it starts."""
    directory = f"~/.minikube/files{HOSTS_DIRECTORY}"
    docker_login = ["With --container-runtime=docker, no login can be sent to the mirror."] if options.user else []
    return ClientSetup(
        _host_files(directory, options),
        [
            *_login_steps(directory, options),
            "minikube start --container-runtime=containerd",
            "with --container-runtime=docker, which does not read these files: copy the CA to ~/.minikube/certs and "
            f"run minikube start --embed-certs --registry-mirror={options.registries[0].mirror}",
        ],
        ["minikube copies the files only when it starts.", *docker_login, *_login_limitations(options)],
    )


def _login_steps(directory: str, options: ClientOptions) -> list[str]:
    return [header_step(directory, options.user)] if options.user else []


def _login_limitations(options: ClientOptions) -> list[str]:
    return [_SINCE if options.user else _ANONYMOUS, PULL_SECRETS]


def _host_files(directory: str, options: ClientOptions) -> list[ClientFile]:
    """The directory of each registry; with a CA or a login also that of the mirror, for images under its own name."""
    files = []
    for registry in options.registries:
        # nerdctl login fails at Docker Hub if a server is named; containerd uses the same one without it.
        server = "" if registry.name == DOCKER_IO else registry.server
        files += _host_directory(f"{directory}/{registry.name}", server, registry, options)
    if options.ca_pem or options.user:
        for registry in {registry.host: registry for registry in options.registries}.values():
            files += _host_directory(f"{directory}/{registry.host}", registry.mirror, None, options)
    return files


def _host_directory(
    directory: str, server: str, mirrored: MirroredRegistry | None, options: ClientOptions
) -> list[ClientFile]:
    """The hosts.toml of one name, and next to it the CA, which a relative path in hosts.toml refers to."""
    context = {
        "server": server,
        "mirror": mirrored.mirror if mirrored else "",
        "ca_file": "ca.crt" if options.ca_pem else "",
        "authorization": "Basic LOGIN" if options.user else "",
    }
    content = render_toml("clients/hosts.toml.j2", context)
    mode = 0o600 if options.user else 0o644
    files = [ClientFile(f"{directory}/hosts.toml", content, mode)]
    if options.ca_pem:
        files.append(ClientFile(f"{directory}/ca.crt", options.ca_pem))
    return files
