"""``regmirror verify --nodes`` on a real node: each fault is named, and docker.io sees that it is one."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import addresses
from lab.target_cluster import TargetCluster
from tests.e2e.deployed_mirror import DeployedMirror, Outcome
from tests.e2e.docker_io import DockerIo, docker_io_of
from tests.e2e.pulling_node import FAILED, PULL_SECRET, create_pull_secret, pod_with
from tests.e2e.test_rbac import as_account, write_kubeconfig
from tests.e2e.waiting import await_value, wait_until

pytestmark = pytest.mark.lab

REGISTRY = ("--registry", "docker-hub=docker.io")
DAEMON_SET = "regmirror-nodes"
ALLOWED, FORBIDDEN = "library/demo:1", "outside/forbidden:1"


@dataclass(frozen=True)
class Node:
    """The lab's node; ``certificates`` is the directory that its containerd reads."""

    mirror: DeployedMirror
    docker_io: DockerIo
    certificates: Path

    def verify(self, *options: str) -> Outcome:
        """One run, as JSON."""
        return self.mirror.regmirror(
            "verify", "--nodes", *REGISTRY, "-o", "json", *self.mirror.target.resolve(self.mirror.host), *options
        )

    def write_files(self) -> None:
        """The files of client-config, and what every other node has: trust in docker.io."""
        written = self.mirror.directory / "files"
        ca_file = str(self.mirror.target.authority)
        words = [
            "client-config",
            "containerd",
            *REGISTRY,
            "--ca-file",
            ca_file,
            "--output-dir",
            str(written),
            "--force",
        ]
        outcome = self.mirror.regmirror(*words)
        assert outcome.code == 0, outcome.stderr
        shutil.copytree(written / "etc/containerd/certs.d", self.certificates, dirs_exist_ok=True)
        self.hosts_file.write_text(self.trust_in_docker_io + self.hosts_file.read_text())

    @property
    def hosts_file(self) -> Path:
        """containerd's file for docker.io."""
        return self.certificates / "docker.io" / "hosts.toml"

    @property
    def trust_in_docker_io(self) -> str:
        """The beginning of such a file."""
        return f'server = "https://registry-1.docker.io"\nca = "{self.docker_io.authority}"\n'

    def clear(self) -> None:
        """Remove all files."""
        for directory in self.certificates.iterdir():
            shutil.rmtree(directory)

    def pulls_from_docker_io(self, image: str) -> bool:
        """Whether docker.io is asked for something when a pod of the namespace pulls an image."""
        subprocess.run(["ctr", "images", "rm", "--sync", f"docker.io/{image}"], check=True, capture_output=True)
        self.docker_io.forget()
        self.mirror.kubectl("create", "-f", "-", stdin=json.dumps(pod_with(f"docker.io/{image}", ())))
        await_value(self._puller, _is_settled)
        self.mirror.kubectl("delete", "pod", "puller", "--now")
        return self.docker_io.what_docker_io_saw().connections > 0

    def _puller(self) -> Any:
        pod = json.loads(self.mirror.kubectl("get", "pod", "puller", "-o", "json"))
        return pod["status"].get("containerStatuses", [])

    def remaining_pods(self) -> list[str]:
        """The pods that regmirror has created and not deleted."""
        pods = self.mirror.objects("pods", "-l", "app.kubernetes.io/name=node-probe")
        return [pod["metadata"]["name"] for pod in pods]


def _is_settled(statuses: Any) -> bool:
    waiting = [status["state"].get("waiting", {}).get("reason") for status in statuses]
    return bool(waiting) and all(reason in FAILED or reason != "ContainerCreating" for reason in waiting)


@pytest.fixture(scope="module")
def node(target: TargetCluster, new_mirror: Callable[[], DeployedMirror]) -> Iterator[Node]:
    """The lab's node without any file, next to a mirror."""
    if target.lab is None:
        pytest.skip("only the node of the lab can be broken")
    mirror = new_mirror()
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    create_pull_secret(mirror)
    node = Node(mirror, docker_io_of(target), Path(target.lab["containerd_certs"]))
    assert not list(node.certificates.iterdir())
    yield node
    node.clear()


Fault = Callable[[Node], Any]


@contextmanager
def healthy(node: Node) -> Iterator[None]:
    """The files as client-config writes them."""
    node.write_files()
    try:
        yield
    finally:
        node.clear()


@contextmanager
def no_file(node: Node) -> Iterator[None]:
    """Nobody has written the files."""
    node.clear()
    yield


@contextmanager
def wrong_directory(node: Node) -> Iterator[None]:
    """The files are in a directory that config_path does not name."""
    with healthy(node):
        shutil.copytree(node.certificates, node.certificates / "etc" / "containerd" / "certs.d")
        shutil.rmtree(node.certificates / "docker.io")
        shutil.rmtree(node.certificates / node.mirror.host)
        yield


@contextmanager
def wrong_ca(node: Node) -> Iterator[None]:
    """The CA is another one."""
    with healthy(node):
        for file in node.certificates.glob("*/ca.crt"):
            file.write_text(node.docker_io.authority.read_text())
        yield


@contextmanager
def pull_secret(node: Node) -> Iterator[None]:
    """The ServiceAccount has a pull secret for docker.io."""
    with healthy(node):
        _set_pull_secrets(node.mirror, [{"name": PULL_SECRET}])
        yield
        _set_pull_secrets(node.mirror, [])


def _set_pull_secrets(mirror: DeployedMirror, secrets: list[dict[str, str]]) -> None:
    mirror.kubectl("patch", "serviceaccount", "default", "-p", json.dumps({"imagePullSecrets": secrets}))


@contextmanager
def refused(node: Node) -> Iterator[None]:
    """The deployed mirror does not allow what the file already does."""
    before = node.mirror.file.read_text()
    with healthy(node):
        node.mirror.change_upstream(anonymousPull=["outside/*"], probeImage=FORBIDDEN)
        yield
        node.mirror.file.write_text(before)


@contextmanager
def not_listed(node: Node) -> Iterator[None]:
    """The file for docker.io does not name the mirror; that of the mirror's own name is there."""
    with healthy(node):
        node.hosts_file.write_text(node.trust_in_docker_io)
        yield


FAULTS: dict[str, tuple[Fault, str, str]] = {
    "no file": (no_file, "files-not-read", ALLOWED),
    "wrong directory": (wrong_directory, "files-not-read", ALLOWED),
    "wrong CA": (wrong_ca, "ca", ALLOWED),
    "pull secret": (pull_secret, "login-rejected", ALLOWED),
    "refused": (refused, "refused", FORBIDDEN),
    "not listed": (not_listed, "not-listed", ALLOWED),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_node_is_named(node: Node, fault: str) -> None:
    inject, reason, image = FAULTS[fault]
    with inject(node):
        outcome = node.verify()
        assert outcome.code == 1, outcome.stderr
        (found,) = outcome.document["nodes"]
        (registry,) = found["registries"]
        assert (registry["result"], registry["reason"]) == ("error", reason), registry["message"]
        assert found["name"] == addresses.NODE_NAME
        assert found["runtime"].startswith("containerd://")
        assert node.pulls_from_docker_io(image)
    wait_until(lambda: node.remaining_pods() == [])


def test_a_node_with_the_files_of_client_config_uses_the_mirror(node: Node) -> None:
    with healthy(node):
        outcome = node.verify()
        assert outcome.code == 0, outcome.stdout
        (registry,) = outcome.document["nodes"][0]["registries"]
        assert registry["message"].startswith("uses the mirror (containerd/")
        assert not node.pulls_from_docker_io(ALLOWED)


def test_the_role_that_rbac_prints_is_enough(node: Node) -> None:
    """It cannot list nodes, so the node is named."""
    mirror, name = node.mirror, "regmirror-verify-nodes"
    mirror.kubectl("apply", "-f", "-", stdin=mirror.regmirror("rbac", "verify-nodes").stdout)
    mirror.kubectl("create", "serviceaccount", name)
    account = f"--serviceaccount={mirror.namespace}:{name}"
    mirror.kubectl("create", "rolebinding", name, f"--role={name}", account)
    write_kubeconfig(mirror, name)
    with healthy(node):
        all_nodes = node.verify(*as_account(mirror, "verify-nodes"))
        assert (all_nodes.code, "--node NAME" in all_nodes.stderr) == (1, True)
        outcome = node.verify(*as_account(mirror, "verify-nodes"), "--node", addresses.NODE_NAME)
        assert outcome.code == 0, outcome.stderr + outcome.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(node: Node, number: signal.Signals) -> None:
    with no_file(node), node.docker_io.unreachable():
        outcome = node.mirror.interrupt(number, "probing 1 node", "verify", "--nodes", *REGISTRY)
    assert outcome.code == 130, outcome.stderr
    wait_until(lambda: node.remaining_pods() == [])


def kubectl(node: Node, *words: str, stdin: str | None = None) -> str:
    """A command in the namespace of the DaemonSet."""
    command = ["kubectl", "--context", node.mirror.target.context, "-n", DAEMON_SET, *words]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def daemon_set(node: Node) -> Iterator[None]:
    """The DaemonSet, which writes to the directory of the lab's containerd."""
    ca_file = str(node.mirror.target.authority)
    printed = node.mirror.regmirror("client-config", "containerd", "--daemonset", *REGISTRY, "--ca-file", ca_file)
    assert printed.code == 0, printed.stderr
    manifests = list(yaml.safe_load_all(printed.stdout))
    for volume in manifests[-1]["spec"]["template"]["spec"]["volumes"]:
        if "hostPath" in volume:
            volume["hostPath"]["path"] = str(node.certificates)
    try:
        kubectl(node, "apply", "-f", "-", stdin=yaml.safe_dump_all(manifests))
        yield
    finally:
        kubectl(node, "delete", "namespace", DAEMON_SET, "--ignore-not-found")
        node.clear()


@pytest.mark.usefixtures("daemon_set")
def test_a_daemon_set_writes_the_files_and_removes_them_when_it_is_removed(node: Node) -> None:
    kubectl(node, "rollout", "status", f"daemonset/{DAEMON_SET}", "--timeout=5m")
    assert node.verify().code == 0
    kubectl(node, "rollout", "restart", f"daemonset/{DAEMON_SET}")
    kubectl(node, "rollout", "status", f"daemonset/{DAEMON_SET}", "--timeout=5m")
    assert node.hosts_file.exists()
    kubectl(node, "delete", "namespace", DAEMON_SET)
    assert not list(node.certificates.iterdir())
