"""Container runtimes use the files of client-config and pull images with Docker Hub's name.

Every client falls back to docker.io silently, so a successful pull proves nothing: docker.io must have seen nothing.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client_cases import CASES, KUBELET, row_of
from tests.e2e.client_observation import Observation, Result
from tests.e2e.deployed_mirror import PROGRAMS, DeployedMirror, Outcome, run
from tests.e2e.docker_io import NOTHING, DockerIo

pytestmark = pytest.mark.lab

IN_LAB_ONLY = "this client is only available in the lab"
PULL_SECONDS = 600


def write(mirror: DeployedMirror, runtime: str, directory: Path) -> list[str]:
    """Write the files of a runtime; --registry is needed because the stand-in does not have Docker Hub's name."""
    outcome = mirror.regmirror(
        "client-config", runtime, "--registry", "docker-hub=docker.io", "--output-dir", str(directory), "-o", "json"
    )
    assert outcome.code == 0, outcome.stderr
    return [file["path"] for file in outcome.document["files"]]


def run_with_host(mirror: DeployedMirror, directory: Path, mounts: dict[Path, str], words: list[str]) -> Outcome:
    """Run a program with the mirror's host in /etc/hosts and with ``mounts``, in its own mount namespace."""
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{mirror.target.address} {mirror.host}\n")
    binds = [f"mount -n --bind {source} {target}" for source, target in {hosts: "/etc/hosts", **mounts}.items()]
    script = " && ".join([*binds, 'exec "$@"'])
    environment = {"CONTAINERD_ADDRESS": mirror.target.lab["containerd_address"]} if mirror.target.lab else {}
    return run(["unshare", "--mount", "sh", "-c", script, "sh", *words], directory, environment)


def test_containerd_pulls_with_its_files(mirror: DeployedMirror, docker_io: DockerIo, tmp_path: Path) -> None:
    assert "/etc/containerd/certs.d/docker.io/hosts.toml" in write(mirror, "containerd", tmp_path)
    hosts_dir = str(tmp_path / "etc/containerd/certs.d")
    # --local: this process resolves and downloads, and it can resolve the mirror's host.
    for image in ("docker.io/acme/tool:2", f"{mirror.host}/acme/tool:1"):
        pull = ["images", "pull", "--local", "--hosts-dir", hosts_dir, image]
        pulled = run_with_host(mirror, tmp_path, {}, ["ctr", "--namespace", mirror.namespace, *pull])
        assert pulled.code == 0, pulled.stderr
    assert docker_io.what_docker_io_saw() == NOTHING


@pytest.fixture
def node_files(mirror: DeployedMirror, tmp_path: Path) -> Iterator[Path]:
    """The files of containerd on the lab's node; restores the previous ones afterwards."""
    if mirror.target.lab is None:
        pytest.skip("files on a node are only written in the lab")
    write(mirror, "containerd", tmp_path)
    target = Path(mirror.target.lab["containerd_certs"]) / "docker.io"
    kept = tmp_path / "kept"
    if target.exists():
        shutil.move(target, kept)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(tmp_path / "etc/containerd/certs.d/docker.io", target)
    yield target
    shutil.rmtree(target)
    if kept.exists():
        shutil.move(kept, target)


@pytest.mark.usefixtures("node_files")
def test_the_kubelet_pulls_with_the_same_files(
    mirror: DeployedMirror, docker_io: DockerIo, client_record: Callable[[dict[str, Any]], None]
) -> None:
    """A pod with an image of Docker Hub runs, and the mirror's registry has served the image."""
    image = f"docker.io/{mirror.target.allowed_image}"
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {"name": "hello", "image": image, "imagePullPolicy": "Always", "securityContext": restricted}
    unprivileged = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    overrides = {"spec": {"securityContext": unprivileged, "containers": [container]}}
    words = ["run", "hello", f"--image={image}", "--restart=Never", f"--overrides={json.dumps(overrides)}"]
    mirror.kubectl(*words)
    try:
        finished = "--for=jsonpath={.status.phase}=Succeeded"
        mirror.kubectl("wait", finished, "pod/hello", f"--timeout={PULL_SECONDS}s")
    finally:
        mirror.kubectl("delete", "pod", "hello", "--now", "--wait=false")
    repository = mirror.target.allowed_image.partition(":")[0]
    log = mirror.kubectl("logs", "deployment/regmirror-docker-hub", "--tail=200")
    assert any("containerd/" in line and repository in line for line in log.splitlines())
    assert docker_io.what_docker_io_saw() == NOTHING
    assert mirror.target.lab is not None
    (case,) = [case for case in CASES if case.client == KUBELET]
    client_record(row_of(case, mirror.target.lab["versions"]["kubernetes"], Observation(Result.MIRROR)))


@pytest.mark.parametrize("runtime", ["podman", "cri-o"])
def test_skopeo_pulls_with_the_files_of_podman(
    mirror: DeployedMirror, docker_io: DockerIo, tmp_path: Path, runtime: str
) -> None:
    if shutil.which("skopeo") is None:
        pytest.skip(IN_LAB_ONLY)
    write(mirror, runtime, tmp_path)
    containers = tmp_path / "etc/containers"
    (containers / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    mounts = {containers: "/etc/containers"}
    target = f"dir:{tmp_path}/image"
    pulled = run_with_host(mirror, tmp_path, mounts, ["skopeo", "copy", "docker://docker.io/acme/tool:1", target])
    assert pulled.code == 0, pulled.stderr
    assert json.loads((tmp_path / "image/manifest.json").read_text())["layers"]
    assert docker_io.what_docker_io_saw() == NOTHING
    refused = ["skopeo", "inspect", f"docker://docker.io/{mirror.target.refused_image}"]
    assert run_with_host(mirror, tmp_path, mounts, refused).code != 0
    # An image that the mirror refuses is requested from docker.io, whose certificate skopeo does not trust here.
    seen = docker_io.what_docker_io_saw()
    assert seen.connections > 0
    assert seen.requests == ()


def test_a_check_asks_the_mirror_whether_the_ca_is_the_right_one(mirror: DeployedMirror, tmp_path: Path) -> None:
    if mirror.target.lab is None:
        pytest.skip(IN_LAB_ONLY)
    write(mirror, "podman", tmp_path)
    containers = tmp_path / "etc/containers"
    options = ["--registry", "docker-hub=docker.io", "--file", str(mirror.file), "-o", "json"]
    words = [str(PROGRAMS / "regmirror"), "client-config", "podman", "--check", *options]
    checked = run_with_host(mirror, tmp_path, {containers: "/etc/containers"}, words)
    assert checked.code == 0, checked.stdout
    (containers / "certs.d" / mirror.host / "ca.crt").unlink()
    checked = run_with_host(mirror, tmp_path, {containers: "/etc/containers"}, words)
    assert checked.code == 1, checked.stdout
    assert "ca-missing" in {finding["id"] for finding in checked.document["findings"]}


def test_dockerd_accepts_its_file(mirror: DeployedMirror, tmp_path: Path) -> None:
    """Debian's is older than 23.0, which has --validate; the lab builds another one for long runs."""
    if not (dockerd := shutil.which("dockerd-29")):
        pytest.skip("dockerd is built only with REGMIRROR_LONG")
    write(mirror, "dockerd", tmp_path)
    words = [dockerd, "--validate", "--userland-proxy=false", "--config-file", str(tmp_path / "etc/docker/daemon.json")]
    checked = run(words, tmp_path, dict(os.environ))
    assert checked.code == 0, checked.stderr
