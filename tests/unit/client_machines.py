"""Machines on which a runtime was set up, and what can be wrong with them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from regmirror.client_config.catalog import RUNTIMES
from regmirror.client_config.check.finding import Severity
from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientOptions
from tests import samples
from tests.fakes.machine import FakeMachine

CA = samples.key_pair().certificate_pem.decode()
OTHER_CA = samples.key_pair(2).certificate_pem.decode()
HUB = MirroredRegistry("docker.io", "https://registry-1.docker.io", samples.HOST)
OPTIONS = ClientOptions([HUB], CA, "ci-robot")
CONFIG = "/etc/containerd/config.toml"
HOSTS = "/etc/containerd/certs.d/docker.io/hosts.toml"
OWN_HOSTS = f"/etc/containerd/certs.d/{samples.HOST}/hosts.toml"
DAEMON = "/etc/docker/daemon.json"
DROP_IN = "/etc/containers/registries.conf.d/50-regmirror.conf"
K3S = "/etc/rancher/k3s/registries.yaml"
BUILDKIT = "/etc/buildkit/buildkitd.toml"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
OLD = '[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/etc/containerd/certs.d"\n'
NEW = '[plugins."io.containerd.cri.v1.images".registry]\nconfig_path = "/etc/containerd/certs.d"\n'
SHORT = '[plugins.cri.registry]\nconfig_path = "/etc/containerd/certs.d"\n'
DOCKERS_CONFIG = 'disabled_plugins = ["cri"]\n'
"""What Docker's packages of containerd write."""
PASSWORD = "Pa55-of-the-account"
LOGIN = base64.b64encode(f"ci-robot:{PASSWORD}".encode()).decode()
LOGGED_IN = json.dumps({"auths": {samples.HOST: {"auth": LOGIN}}})


def machine_of(runtime: str) -> FakeMachine:
    """A machine with the files of client-config, on which every step was done."""
    files: dict[str, str | None] = {}
    for file in RUNTIMES[runtime](OPTIONS).files:
        files[file.path] = file.content.replace("PASSWORD", PASSWORD).replace("LOGIN", LOGIN)
    files[BUNDLE] = CA
    files |= {
        "containerd": {CONFIG: f"version = 3\n{NEW}"},
        "dockerd": {"/root/.docker/config.json": LOGGED_IN},
        "buildkit": {"/root/.docker/config.json": LOGGED_IN},
        "podman": {"/root/.config/containers/auth.json": LOGGED_IN},
        "cri-o": {"/etc/crio/regmirror-auth.json": LOGGED_IN},
    }.get(runtime, {})
    if runtime in {"podman", "cri-o"}:
        files["/etc/containers/registries.conf"] = 'unqualified-search-registries = ["docker.io"]\n'
    return FakeMachine(files, versions={"containerd": (2, 4, 2), "dockerd": (29, 0, 0)}, signed_by=CA)


Change = Callable[[FakeMachine], object]


@dataclass(frozen=True, slots=True)
class Fault:
    """A change of a machine that was set up, and the finding that it must cause."""

    runtime: str
    id: str
    message: str
    change: Change
    severity: Severity = Severity.ERROR


def edit(path: str, old: str, new: str) -> Change:
    """Replace a text in a file."""

    def change(machine: FakeMachine) -> None:
        content = machine.files[path]
        assert content is not None
        assert old in content
        machine.files[path] = content.replace(old, new)

    return change


def write(path: str, content: str) -> Change:
    return lambda machine: machine.files.update({path: content})


def remove(*parts: str) -> Change:
    """Remove every file whose path contains one of the parts."""

    def change(machine: FakeMachine) -> None:
        for path in [path for path in machine.files if any(part in path for part in parts)]:
            del machine.files[path]

    return change


def version(program: str, *numbers: int) -> Change:
    return lambda machine: machine.versions.update({program: numbers})


def both(*changes: Change) -> Change:
    return lambda machine: [change(machine) for change in changes]


CONTAINERD_CA = "/etc/containerd/certs.d/docker.io/ca.crt"
DOCKER_CA = f"/etc/docker/certs.d/{samples.HOST}/ca.crt"
DOCKER_LOGINS = "/root/.docker/config.json"
PODMAN_LOGINS = "/root/.config/containers/auth.json"
CONTAINERD_STORE = json.dumps(
    {"registry-mirrors": [f"https://{samples.HOST}"], "features": {"containerd-snapshotter": True}}
)
HUB_LOGIN = json.dumps({"auths": {"https://index.docker.io/v1/": {}, samples.HOST: {"auth": LOGIN}}})
SERVER = 'server = "https://registry-1.docker.io"\n'
OWN_HOST = f'[host."https://{samples.HOST}"]'
OTHER_HOST = f'[host."https://user:{PASSWORD}@other.example.com"]'
WARNING = Severity.WARNING

FAULTS = [
    Fault("containerd", "containerd-config-path", "pulls of the kubelet ignore the default", remove(CONFIG)),
    Fault(
        "containerd",
        "containerd-config-path",
        "no hosts.toml is read",
        both(version("containerd", 1, 7, 20), write(CONFIG, "version = 2\n")),
    ),
    Fault(
        "containerd",
        "containerd-table",
        "not read in a file with version = 3",
        both(version("containerd", 2, 1, 0), write(CONFIG, f"version = 3\n{OLD}")),
    ),
    Fault(
        "containerd",
        "containerd-table",
        "not read in a file with version = 2",
        both(version("containerd", 1, 7, 20), write(CONFIG, f"version = 2\n{NEW}")),
    ),
    Fault(
        "containerd",
        "containerd-table",
        "not read in a file without version",
        both(version("containerd", 1, 7, 20), write(CONFIG, OLD)),
    ),
    Fault("containerd", "containerd-cri-disabled", "turns off", write(CONFIG, DOCKERS_CONFIG)),
    Fault(
        "containerd",
        "containerd-config-path-list",
        "take for one directory",
        edit(CONFIG, 'certs.d"', 'certs.d:/etc/docker/certs.d"'),
    ),
    Fault(
        "containerd",
        "containerd-old-mirrors",
        "refuses to pull images",
        edit(CONFIG, "config_path", 'mirrors."docker.io".endpoint = []\nconfig_path'),
    ),
    Fault("containerd", "file-missing", "has no mirror", edit(CONFIG, "/etc/containerd", "/etc/other")),
    Fault("containerd", "file-missing", "nothing else is read", remove(HOSTS)),
    Fault("containerd", "mirror-missing", "is not a mirror of docker.io", edit(HOSTS, "mirror.", "other.")),
    Fault(
        "containerd",
        "mirror-not-first",
        "other.example.com is tried before",
        edit(HOSTS, OWN_HOST, f"{OTHER_HOST}\n{OWN_HOST}"),
        WARNING,
    ),
    Fault("containerd", "containerd-capabilities", "lacks", edit(HOSTS, '"pull", "resolve"', '"pull"')),
    Fault(
        "containerd",
        "containerd-override-path",
        "leave out /v2",
        edit(HOSTS, OWN_HOST, f"{OWN_HOST}\noverride_path = true"),
    ),
    Fault(
        "containerd",
        "tls-not-verified",
        "is not checked",
        edit(HOSTS, OWN_HOST, f"{OWN_HOST}\nskip_verify = true"),
        WARNING,
    ),
    Fault(
        "containerd",
        "containerd-server",
        "nerdctl login",
        edit(HOSTS, OWN_HOST, f"{SERVER}{OWN_HOST}"),
        WARNING,
    ),
    Fault("containerd", "ca-missing", "there is no such file", remove(CONTAINERD_CA)),
    Fault("containerd", "ca-wrong", "has another CA", write(CONTAINERD_CA, OTHER_CA)),
    Fault("containerd", "ca-invalid", "no valid PEM", write(CONTAINERD_CA, "text")),
    Fault("containerd", "tls-certificate", "has expired", lambda machine: setattr(machine, "has_expired", True)),
    Fault("containerd", "login-placeholder", "still has the placeholder LOGIN", edit(HOSTS, LOGIN, "LOGIN")),
    Fault("containerd", "login-missing", "no login of ci-robot", edit(HOSTS, "Authorization", "Other")),
    Fault("containerd", "login-header", "not Basic", edit(HOSTS, "Basic ", "")),
    Fault("containerd", "login-header", "authorization", edit(HOSTS, "Authorization", "authorization")),
    Fault("containerd", "login-version", "containerd 2.0.5 does not send", version("containerd", 2, 0, 5)),
    Fault("containerd", "own-name", "cannot be pulled", remove(f"/{samples.HOST}/"), WARNING),
    Fault("dockerd", "mirror-unreachable", "no answer", lambda machine: setattr(machine, "signed_by", None)),
    Fault("dockerd", "mirror-missing", "is not a mirror", write(DAEMON, "{}")),
    Fault("dockerd", "ca-missing", "does not trust", remove(DOCKER_CA, BUNDLE)),
    Fault("dockerd", "trust-store", "docker buildx on this machine", remove(BUNDLE), WARNING),
    Fault(
        "dockerd",
        "trust-store-docker-28",
        "CAs of the system only",
        both(version("dockerd", 28, 5, 2), write(DAEMON, CONTAINERD_STORE), remove(BUNDLE)),
    ),
    Fault(
        "dockerd",
        "login-docker-hub",
        "sends this login to the mirror",
        both(version("dockerd", 20, 10, 24), write(DOCKER_LOGINS, HUB_LOGIN)),
    ),
    Fault("dockerd", "login-docker-hub", "sends this login", write(DOCKER_LOGINS, HUB_LOGIN), WARNING),
    Fault("dockerd", "login-missing", "no login of ci-robot", remove(DOCKER_LOGINS)),
    Fault("dockerd", "file-missing", "uses no mirror", write("/var/snap/docker/current/config/other", "")),
    Fault(
        "podman",
        "mirror-missing",
        "is not a mirror",
        write("/etc/containers/registries.conf.d/99.conf", '[[registry]]\nlocation = "docker.io"\n'),
    ),
    Fault(
        "podman",
        "containers-narrower-prefix",
        "docker.io/library",
        write("/root/.config/containers/registries.conf.d/1.conf", '[[registry]]\nprefix = "docker.io/library"\n'),
        WARNING,
    ),
    Fault("podman", "containers-short-names", "are refused", remove("/etc/containers/registries.conf"), WARNING),
    Fault("podman", "containers-blocked", "is blocked", edit(DROP_IN, "prefix", "blocked = true\nprefix")),
    Fault(
        "cri-o",
        "containers-digest-only",
        "by digest only",
        edit(DROP_IN, "[[registry.mirror]]", '[[registry.mirror]]\npull-from-mirror = "digest-only"'),
    ),
    Fault(
        "podman",
        "ca-missing",
        "does not trust",
        # Only the first directory that exists is read: this one hides the CA.
        both(write(f"/root/.config/containers/certs.d/{samples.HOST}/note.txt", ""), remove(BUNDLE)),
    ),
    Fault(
        "podman",
        "login-volatile",
        "lost at the next boot",
        both(remove(PODMAN_LOGINS), write("/run/containers/0/auth.json", LOGGED_IN)),
        WARNING,
    ),
    Fault("podman", "login-missing", "no login", remove(PODMAN_LOGINS)),
    Fault("cri-o", "login-missing", "at mirror.example.com", remove("/etc/crio/regmirror-auth.json")),
    Fault("cri-o", "login-missing", "no login", remove("/etc/crio/crio.conf.d")),
    Fault("k3s", "mirror-missing", "is not a mirror", edit(K3S, '"docker.io"', '"index.docker.io"')),
    Fault("k3s", "login-placeholder", "placeholder PASSWORD", edit(K3S, PASSWORD, "PASSWORD")),
    Fault("k3s", "login-user", "another account than ci-robot", edit(K3S, "ci-robot", "other")),
    Fault(
        "k3s",
        "restart-needed",
        "has not been restarted",
        write("/var/lib/rancher/k3s/agent/etc/containerd/certs.d/quay.io/hosts.toml", ""),
    ),
    Fault("k3s", "login-readable", "mode 0644", lambda machine: machine.modes.update({K3S: 0o644}), WARNING),
    Fault("rke2", "ca-missing", "there is no such file", remove("/etc/rancher/rke2/regmirror-ca.crt")),
    Fault("buildkit", "mirror-missing", "is not a mirror", edit(BUILDKIT, '["mirror', '["other')),
    Fault("buildkit", "tls-not-used", "without TLS", edit(BUILDKIT, "ca = ", "http = true\nca = ")),
    Fault("buildkit", "trust-store", "cannot fetch tokens", remove(BUNDLE), WARNING),
    Fault("buildkit", "login-missing", "no login", remove(DOCKER_LOGINS)),
]
