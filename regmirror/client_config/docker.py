"""The daemons of Docker and BuildKit.

Source: Docker's "Mirror the Docker Hub library" and "Verify repository client with certificates"; BuildKit's
docs/buildkitd.toml.md. What each version does was measured (docs/guides/set-up-clients.md).
"""

import json

from regmirror.client_config.login import SILENT_FALLBACK, login_commands
from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientOptions, ClientSetup
from regmirror.client_config.toml_template import render_toml
from regmirror.client_config.trust import one_command_step, trust_store_step
from regmirror.config.images import DOCKER_IO
from regmirror.errors import ConfigurationError

DAEMON_FILE = "/etc/docker/daemon.json"
DOCKER_CERTIFICATES = "/etc/docker/certs.d"
BUILDKIT_FILE = "/etc/buildkit/buildkitd.toml"
BUILDKIT_CA_FILE = "/etc/buildkit/regmirror-ca.crt"
_LEAK = (
    "With the classic image store, a docker that is logged in to Docker Hub sends these credentials to the mirror. The "
    "mirror rejects them, and the image silently comes from Docker Hub. To avoid this, run docker logout or use the "
    "containerd image store, the default of new installations of Docker 29. If it is in use, docker info shows "
    "driver-type: io.containerd.snapshotter.v1."
)
_REFERRERS = (
    "Docker 29 asks Docker Hub for signatures of attestations while the mirror cannot, because its upstream fails. A "
    "firewall that blocks Docker Hub must reject these connections (REJECT); if it drops them (DROP), such a pull "
    "waits 30 seconds."
)
_SYNTAX = (
    "# syntax=docker/dockerfile:1 in a Dockerfile pulls docker/dockerfile. Unless the upstream allows docker/*, it "
    "comes from Docker Hub."
)
_BUILDERS = (
    "Builders of docker buildx create run in containers and do not read these files. For them, run: regmirror "
    "client-config buildkit."
)
_COMMANDS = "docker manifest inspect, docker buildx imagetools and docker search ask Docker Hub, not the mirror."


def dockerd(options: ClientOptions) -> ClientSetup:
    """The daemon's mirror; raises ConfigurationError if Docker Hub is not among the registries."""
    hub = docker_hub(options)
    content = json.dumps({"registry-mirrors": [hub.mirror]}, indent=2) + "\n"
    files = [ClientFile(DAEMON_FILE, content, may_exist=True)]
    if options.ca_pem:
        files.append(ClientFile(f"{DOCKER_CERTIFICATES}/{hub.host}/ca.crt", options.ca_pem))
    return ClientSetup(
        files,
        [
            f"Docker 23.0 and newer: dockerd --validate --config-file {DAEMON_FILE}",
            "systemctl reload docker; before Docker 25, systemctl restart docker: its BuildKit reads registry-mirrors "
            "only when dockerd starts",
            "rootless Docker: put the files in ~/.config/docker instead of /etc/docker, then systemctl --user restart "
            "docker",
            *(_docker_trust(hub) if options.ca_pem else []),
            "test it: docker info lists the mirror under Registry Mirrors",
            *_docker_login(options.user, hub),
        ],
        [
            "dockerd supports only mirrors of Docker Hub, not of other registries.",
            "dockerd cannot log in to a mirror: pulls through the mirror are anonymous. An image that requires a login "
            f"can be pulled by the mirror's own name, after docker login {hub.host}: docker pull "
            f"{hub.host}/REPOSITORY:TAG.",
            _LEAK,
            _REFERRERS,
            _BUILDERS,
            _SYNTAX,
            _COMMANDS,
        ],
    )


def docker_hub(options: ClientOptions) -> MirroredRegistry:
    """The mirror of Docker Hub, the only one that dockerd can use; raises ConfigurationError if there is none."""
    for registry in options.registries:
        if registry.name == DOCKER_IO:
            return registry
    raise ConfigurationError(
        "dockerd supports only mirrors of Docker Hub, and no upstream is Docker Hub",
        hint="if an upstream is a proxy of Docker Hub, run regmirror client-config dockerd "
        f"--registry UPSTREAM={DOCKER_IO}",
    )


def _docker_trust(hub: MirroredRegistry) -> list[str]:
    directory = f"{DOCKER_CERTIFICATES}/{hub.host}"
    return [
        trust_store_step("for builds, on every machine that runs docker build or docker buildx", f"{directory}/ca.crt"),
        one_command_step("docker build OPTIONS", directory),
        "Docker 28 with the containerd image store: add the CA to the trust store of the machine of dockerd as well, "
        "then systemctl restart docker: it fetches tokens with the CAs of the system even for docker pull",
    ]


def _docker_login(user: str, hub: MirroredRegistry) -> list[str]:
    commands = login_commands("docker login", user, [hub.host]) if user else []
    return [f"for pulls by the mirror's own name, {hub.host}/REPOSITORY:TAG: {command}" for command in commands]


def buildkit(options: ClientOptions) -> ClientSetup:
    """The mirrors of a standalone BuildKit daemon."""
    context = {"registries": options.registries, "ca_file": BUILDKIT_CA_FILE if options.ca_pem else ""}
    files = [ClientFile(BUILDKIT_FILE, render_toml("clients/buildkitd.toml.j2", context), may_exist=True)]
    if options.ca_pem:
        files.append(ClientFile(BUILDKIT_CA_FILE, options.ca_pem))
    return ClientSetup(
        files,
        [
            "systemctl restart buildkit, or restart buildkitd as it was started",
            "rootless buildkitd reads ~/.config/buildkit/buildkitd.toml instead",
            "or, for docker buildx: docker buildx create --use --driver docker-container "
            f"--buildkitd-config {BUILDKIT_FILE}",
            *(_buildkit_trust(options.hosts) if options.ca_pem else []),
            *_buildkit_login(options),
        ],
        [
            "The builder in dockerd does not read this file. For that builder, run: regmirror client-config dockerd.",
            SILENT_FALLBACK,
            _SYNTAX,
        ],
    )


def _buildkit_trust(hosts: list[str]) -> list[str]:
    flags = " ".join(f"--registry-auth-tlscontext host={host},ca=ca.crt" for host in hosts)
    return [
        "builds fetch tokens on the machine of the command, which needs the CA as well, here as ca.crt: with buildctl, "
        f"add to every buildctl build {flags}",
        trust_store_step("with docker buildx, on every machine that runs it", BUILDKIT_CA_FILE),
    ]


def _buildkit_login(options: ClientOptions) -> list[str]:
    commands = login_commands("docker login", options.user, options.hosts) if options.user else []
    return [f"as every user who runs builds: {command}" for command in commands]
