"""The lab's node as a client: its kubelet runs pods with credentials, and its containerd pulls through a mirror."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.credential_provider import CredentialProvider, credential_provider
from tests.e2e.deployed_mirror import DeployedMirror, Object
from tests.e2e.docker_io import DockerIo, docker_io_of
from tests.e2e.mirror_tap import MirrorTap
from tests.e2e.waiting import await_value

MIRROR, DOCKER_IO = "the mirror", "docker.io"
PULL_SECRET = "account-at-docker-io"
FAILED = {"ErrImagePull", "ImagePullBackOff"}


@dataclass(frozen=True)
class Node:
    """The lab's node: its kubelet asks ``provider``; its containerd pulls through the mirror and trusts docker.io."""

    mirror: DeployedMirror
    tap: MirrorTap
    docker_io: DockerIo
    provider: CredentialProvider

    @property
    def hosts_file(self) -> Path:
        """containerd's file for docker.io."""
        assert self.mirror.target.lab is not None
        return Path(self.mirror.target.lab["containerd_certs"], "docker.io", "hosts.toml")

    def without_docker_io(self) -> AbstractContextManager[None]:
        """With a hosts.toml that has only the mirror, for the duration of the block."""
        return self._with_hosts(only_mirror(self.tap))

    def with_login(self, user: str, password: str) -> AbstractContextManager[None]:
        """With a login for the mirror in hosts.toml, for the duration of the block."""
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        header = f'[host."{self.tap.url}".header]\n  Authorization = "Basic {login}"\n'
        return self._with_hosts(self.hosts_file.read_text() + header)

    @contextmanager
    def _with_hosts(self, content: str) -> Iterator[None]:
        original = self.hosts_file.read_text()
        self.hosts_file.write_text(content)
        try:
            yield
        finally:
            self.hosts_file.write_text(original)

    def pull(self, image: str, *pull_secrets: str) -> str:
        """Run a pod with an image that the node does not have; returns the error, or nothing if it was pulled."""
        subprocess.run(["ctr", "images", "rm", "--sync", image], check=True, capture_output=True)
        self.tap.forget()
        self.docker_io.forget()
        self.mirror.kubectl("create", "-f", "-", stdin=json.dumps(pod_with(image, pull_secrets)))
        try:
            return await_value(self._outcome, lambda outcome: outcome is not None) or ""
        finally:
            self.mirror.kubectl("delete", "pod", "puller", "--now")

    def receivers(self, sha256: str) -> set[str]:
        """Who got the password or token with this hash in the last pull."""
        seen = {MIRROR: self.tap.seen, DOCKER_IO: self.docker_io.what_docker_io_saw()}
        return {name for name, traffic in seen.items() if traffic.has_hash(sha256)}

    def _outcome(self) -> str | None:
        pod = json.loads(self.mirror.kubectl("get", "pod", "puller", "-o", "json"))
        for status in pod["status"].get("containerStatuses", []):
            waiting = status["state"].get("waiting", {})
            if waiting.get("reason") in FAILED:
                return str(waiting.get("message"))
            if waiting.get("reason") != "ContainerCreating":
                return ""
        return None


@contextmanager
def pulling_node(mirror: DeployedMirror, directory: Path) -> Iterator[Node]:
    """The lab's node with files for the mirror and a credential provider, for the duration of the block."""
    assert mirror.target.lab is not None
    docker_io, certificates = docker_io_of(mirror.target), Path(mirror.target.lab["containerd_certs"])
    with MirrorTap(mirror).serving() as tap, ExitStack() as changes:
        changes.enter_context(_hosts_file(certificates / "docker.io", with_fallback(tap, docker_io)))
        changes.enter_context(_hosts_file(certificates / mirror.host, only_mirror(tap)))
        provider = changes.enter_context(credential_provider(directory, ["docker.io", mirror.host], mirror.host))
        create_pull_secret(mirror)
        yield Node(mirror, tap, docker_io, provider)


def with_fallback(tap: MirrorTap, docker_io: DockerIo) -> str:
    """A hosts.toml with the mirror first and then docker.io, which containerd trusts."""
    host = f'[host."{tap.url}"]\n  capabilities = ["pull", "resolve"]\n  ca = "{tap.mirror.target.authority}"\n'
    return f'server = "https://registry-1.docker.io"\nca = "{docker_io.authority}"\n{host}'


def only_mirror(tap: MirrorTap) -> str:
    """A hosts.toml without a fallback."""
    return f'server = "{tap.url}"\nca = "{tap.mirror.target.authority}"\n'


@contextmanager
def _hosts_file(directory: Path, content: str) -> Iterator[None]:
    """A hosts.toml of containerd, for the duration of the block."""
    directory.mkdir(parents=True)
    file = directory / "hosts.toml"
    file.write_text(content)
    try:
        yield
    finally:
        file.unlink()
        directory.rmdir()


def create_pull_secret(mirror: DeployedMirror) -> None:
    """Create a pull secret with the account at docker.io."""
    assert mirror.target.lab is not None
    hub = mirror.target.lab["hub"]
    account = {"username": hub["username"], "password": hub["password"]}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": PULL_SECRET},
        "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": json.dumps({"auths": {"https://index.docker.io/v1/": account}})},
    }
    mirror.kubectl("create", "-f", "-", stdin=json.dumps(secret))


def pod_with(image: str, pull_secrets: tuple[str, ...]) -> Object:
    """A pod that always pulls its image."""
    container = {
        "name": "puller",
        "image": image,
        "imagePullPolicy": "Always",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "puller"},
        "spec": {
            "restartPolicy": "Never",
            "imagePullSecrets": [{"name": name} for name in pull_secrets],
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }
