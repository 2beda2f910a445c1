"""Docker's daemon and BuildKit's.

Source: Docker's "Mirror the Docker Hub library" and "Verify repository client with certificates"; BuildKit's
docs/buildkitd.toml.md.
"""

import json

from regmirror.client_config.registries import DOCKER_IO, MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.client_config.toml_template import render_toml
from regmirror.errors import ConfigurationError

_BUILDKIT_CA_FILE = "/etc/buildkit/regmirror-ca.crt"


def dockerd(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The daemon's mirrors; raises ConfigurationError where Docker Hub is not among the registries."""
    hub = next((registry for registry in registries if registry.name == DOCKER_IO), None)
    if hub is None:
        raise ConfigurationError(
            "dockerd can have a mirror of Docker Hub only, and no upstream is Docker Hub",
            hint=f"if one stands for it: --registry UPSTREAM={DOCKER_IO}",
        )
    content = json.dumps({"registry-mirrors": [hub.mirror]}, indent=2) + "\n"
    files = [ClientFile("/etc/docker/daemon.json", content, may_exist=True)]
    if ca_pem:
        files.append(ClientFile(f"/etc/docker/certs.d/{hub.host}/ca.crt", ca_pem))
    return ClientSetup(
        files,
        [
            "dockerd --validate --config-file /etc/docker/daemon.json",
            "systemctl reload docker",
            "docker info shows the mirror under Registry Mirrors",
        ],
        "Mirrors of other registries than Docker Hub, and a login at the mirror. With the classic image store a docker "
        "that is logged in to Docker Hub sends the mirror that password, is refused, and goes to Docker Hub without a "
        "word: docker logout, or the containerd image store, cures it.",
    )


def buildkit(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The mirrors of a BuildKit daemon of its own."""
    context = {"registries": registries, "ca_file": _BUILDKIT_CA_FILE if ca_pem else ""}
    files = [
        ClientFile("/etc/buildkit/buildkitd.toml", render_toml("clients/buildkitd.toml.j2", context), may_exist=True)
    ]
    if ca_pem:
        files.append(ClientFile(_BUILDKIT_CA_FILE, ca_pem))
    return ClientSetup(
        files,
        [
            "restart buildkitd; or, for a builder of docker's:",
            "docker buildx create --use --driver docker-container --buildkitd-config /etc/buildkit/buildkitd.toml",
        ],
        "The builder inside dockerd: it does not read this file (see client-config dockerd).",
    )
