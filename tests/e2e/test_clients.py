"""Ordinary clients pull through the mirror: crane by its own name, containerd by Docker Hub's name."""

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.e2e.deployment import Deployment, run

pytestmark = pytest.mark.lab

IN_LAB_ONLY = "this client is at hand in the lab only"


@pytest.fixture
def hosts_line(mirror: Deployment) -> str:
    """The line of /etc/hosts by which clients find the mirror."""
    return f"{mirror.setting.address} {mirror.host}"


def crane(mirror: Deployment, directory: Path, hosts_line: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run crane with the mirror's host known to it, in a mount namespace of its own."""
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{hosts_line}\n")
    script = 'mount -n --bind "$0" /etc/hosts && exec crane "$@"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, str(hosts), *words],
        env=os.environ | {"SSL_CERT_FILE": str(mirror.setting.authority)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_crane_pulls_an_allowed_image(mirror: Deployment, tmp_path: Path, hosts_line: str) -> None:
    if mirror.setting.lab is None:
        pytest.skip(IN_LAB_ONLY)
    pulled = crane(mirror, tmp_path, hosts_line, "pull", f"{mirror.host}/library/big:1", str(tmp_path / "big.tar"))
    assert pulled.returncode == 0, pulled.stderr
    with tarfile.open(tmp_path / "big.tar") as archive:
        assert max(member.size for member in archive) > 15_000_000


def test_crane_is_refused_what_is_not_allowed(mirror: Deployment, tmp_path: Path, hosts_line: str) -> None:
    if mirror.setting.lab is None:
        pytest.skip(IN_LAB_ONLY)
    pulled = crane(mirror, tmp_path, hosts_line, "manifest", f"{mirror.host}/{mirror.setting.refused_image}")
    assert pulled.returncode != 0
    assert "UNAUTHORIZED" in pulled.stderr


def test_containerd_pulls_by_the_name_of_docker_hub(mirror: Deployment, tmp_path: Path) -> None:
    lab = mirror.setting.lab
    if lab is None:
        pytest.skip(IN_LAB_ONLY)
    hosts = tmp_path / "docker.io" / "hosts.toml"
    hosts.parent.mkdir()
    # The host is found by address: the lab's containerd is no process of this test and reads no hosts file of its own.
    hosts.write_text(
        f'server = "https://registry-1.docker.io"\n[host."https://{mirror.host}"]\n'
        f'  capabilities = ["pull", "resolve"]\n  ca = "{mirror.setting.authority}"\n'
    )
    line = f"{mirror.setting.address} {mirror.host}"
    own_hosts = tmp_path / "hosts"
    own_hosts.write_text(f"127.0.0.1 localhost\n{line}\n")
    script = 'mount -n --bind "$0" /etc/hosts && exec ctr "$@"'
    namespace = ["--namespace", mirror.namespace]
    # --local: resolving and fetching happen in this process, which sees the hosts file above.
    pull = ["images", "pull", "--local", "--hosts-dir", str(tmp_path), "docker.io/acme/tool:1"]
    outcome = run(
        ["unshare", "--mount", "sh", "-c", script, str(own_hosts), *namespace, *pull],
        tmp_path,
        {"CONTAINERD_ADDRESS": lab["containerd_address"]},
    )
    assert outcome.code == 0, outcome.words
    listed = run(
        ["ctr", *namespace, "images", "ls", "-q"], tmp_path, {"CONTAINERD_ADDRESS": lab["containerd_address"]}, 60
    )
    assert "docker.io/acme/tool:1" in listed.output
