"""The daemons of Docker and BuildKit.

Source: Docker's "Mirror the Docker Hub library" and "Verify repository client with certificates"; BuildKit's
docs/buildkitd.toml.md.
"""

import json

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.client_config.toml_template import render_toml
from regmirror.config.images import DOCKER_IO
from regmirror.errors import ConfigurationError

_BUILDKIT_CA_FILE = "/etc/buildkit/regmirror-ca.crt"


def dockerd(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The daemon's mirror; raises ConfigurationError if Docker Hub is not among the registries."""
    hub = next((registry for registry in registries if registry.name == DOCKER_IO), None)
    if hub is None:
        raise ConfigurationError(
            "dockerd supports only mirrors of Docker Hub, and no upstream is Docker Hub",
            hint="if an upstream is a proxy of Docker Hub, run regmirror client-config dockerd "
            f"--registry UPSTREAM={DOCKER_IO}",
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
            "test it: docker info lists the mirror under Registry Mirrors",
        ],
        [
            "dockerd supports only mirrors of Docker Hub, not of other registries.",
            "dockerd cannot log in to a mirror: pulls through the mirror are anonymous.",
            "With the classic image store, a docker that is logged in to Docker Hub sends these credentials to the "
            "mirror. The mirror rejects them, and the image silently comes from Docker Hub. To avoid this, run docker "
            "logout or use the containerd image store.",
        ],
    )


def buildkit(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The mirrors of a standalone BuildKit daemon."""
    context = {"registries": registries, "ca_file": _BUILDKIT_CA_FILE if ca_pem else ""}
    files = [
        ClientFile("/etc/buildkit/buildkitd.toml", render_toml("clients/buildkitd.toml.j2", context), may_exist=True)
    ]
    if ca_pem:
        files.append(ClientFile(_BUILDKIT_CA_FILE, ca_pem))
    return ClientSetup(
        files,
        [
            "restart buildkitd",
            "or, for docker buildx: docker buildx create --use --driver docker-container "
            "--buildkitd-config /etc/buildkit/buildkitd.toml",
        ],
        ["The builder in dockerd does not read this file. For that builder, run: regmirror client-config dockerd."],
    )
