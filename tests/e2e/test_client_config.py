"""The files of client-config in the hands of the runtimes themselves: each pulls by Docker Hub's name.

Docker Hub itself does not exist in the lab's network: what is pulled by its name came through the mirror.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.deployed_mirror import Deployment, Outcome, run

pytestmark = pytest.mark.lab

IN_LAB_ONLY = "this client is at hand in the lab only"
PULL_SECONDS = 60


def write(mirror: Deployment, runtime: str, directory: Path) -> list[str]:
    """Write the files of a runtime as an operator does; the Docker Hub stand-in has another name than Docker Hub."""
    outcome = mirror.regmirror(
        "client-config", runtime, "--registry", "docker-hub=docker.io", "--output-dir", str(directory), "-o", "json"
    )
    assert outcome.code == 0, outcome.words
    return [file["path"] for file in outcome.document["files"]]


def knowing_the_host(mirror: Deployment, directory: Path, mounts: dict[Path, str], words: list[str]) -> Outcome:
    """Run a program that finds the mirror's host by /etc/hosts and sees ``mounts``, in a mount table of its own."""
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{mirror.setting.address} {mirror.host}\n")
    binds = [f"mount -n --bind {source} {target}" for source, target in {hosts: "/etc/hosts", **mounts}.items()]
    script = " && ".join([*binds, 'exec "$@"'])
    environment = {"CONTAINERD_ADDRESS": mirror.setting.lab["containerd_address"]} if mirror.setting.lab else {}
    return run(["unshare", "--mount", "sh", "-c", script, "sh", *words], directory, environment)


def test_containerd_pulls_with_its_files(mirror: Deployment, tmp_path: Path) -> None:
    if mirror.setting.lab is None:
        pytest.skip(IN_LAB_ONLY)
    assert "/etc/containerd/certs.d/docker.io/hosts.toml" in write(mirror, "containerd", tmp_path)
    hosts_dir = str(tmp_path / "etc/containerd/certs.d")
    # --local: resolving and fetching happen in this process, which finds the mirror's host.
    pull = ["images", "pull", "--local", "--hosts-dir", hosts_dir, "docker.io/acme/tool:2"]
    pulled = knowing_the_host(mirror, tmp_path, {}, ["ctr", "--namespace", mirror.namespace, *pull])
    assert pulled.code == 0, pulled.words


@pytest.fixture
def node_files(mirror: Deployment, tmp_path: Path) -> Iterator[Path]:
    """The files of containerd where the lab's node reads them; afterwards they are as they were."""
    if mirror.setting.lab is None:
        pytest.skip("the files of a node are ours to write in the lab only")
    write(mirror, "containerd", tmp_path)
    target = Path(mirror.setting.lab["containerd_certs"]) / "docker.io"
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
def test_the_kubelet_pulls_with_the_same_files(mirror: Deployment) -> None:
    """A pod that names Docker Hub runs, and the mirror's registry has served its image."""
    image = f"docker.io/{mirror.setting.allowed_image}"
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
    repository = mirror.setting.allowed_image.partition(":")[0]
    log = mirror.kubectl("logs", "deployment/regmirror-docker-hub", "--tail=200")
    assert any("containerd/" in line and repository in line for line in log.splitlines())


@pytest.mark.parametrize("runtime", ["podman", "cri-o"])
def test_skopeo_pulls_with_the_files_of_podman(mirror: Deployment, tmp_path: Path, runtime: str) -> None:
    if mirror.setting.lab is None or shutil.which("skopeo") is None:
        pytest.skip(IN_LAB_ONLY)
    write(mirror, runtime, tmp_path)
    containers = tmp_path / "etc/containers"
    (containers / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    mounts = {containers: "/etc/containers"}
    target = f"dir:{tmp_path}/image"
    pulled = knowing_the_host(mirror, tmp_path, mounts, ["skopeo", "copy", "docker://docker.io/acme/tool:1", target])
    assert pulled.code == 0, pulled.words
    assert json.loads((tmp_path / "image/manifest.json").read_text())["layers"]
    refused = ["skopeo", "inspect", f"docker://docker.io/{mirror.setting.refused_image}"]
    assert knowing_the_host(mirror, tmp_path, mounts, refused).code != 0


def test_dockerd_accepts_its_file(mirror: Deployment, tmp_path: Path) -> None:
    if shutil.which("dockerd") is None:
        pytest.skip("no dockerd on this machine to read its own file")
    write(mirror, "dockerd", tmp_path)
    words = ["dockerd", "--validate", "--config-file", str(tmp_path / "etc/docker/daemon.json")]
    checked = run(words, tmp_path, dict(os.environ))
    assert checked.code == 0, checked.words
