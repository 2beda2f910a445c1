"""Ordinary clients pull through the mirror: crane with its host name, containerd with Docker Hub's name."""

import tarfile
from pathlib import Path

import pytest

from tests.e2e.deployed_mirror import DeployedMirror, Outcome, run
from tests.e2e.docker_hub import layers_fetched
from tests.e2e.docker_io import NOTHING, DockerIo

pytestmark = pytest.mark.lab


@pytest.fixture
def client(mirror: DeployedMirror) -> DeployedMirror:
    """The mirror in the lab, where the clients are available and DNS resolves its host."""
    if mirror.target.lab is None:
        pytest.skip("crane and ctr are only available in the lab")
    return mirror


def crane(mirror: DeployedMirror, directory: Path, *words: str) -> Outcome:
    return run(["crane", *words], directory, {"SSL_CERT_FILE": str(mirror.target.authority)})


def test_crane_pulls_an_allowed_image(client: DeployedMirror, tmp_path: Path) -> None:
    pulled = crane(client, tmp_path, "pull", f"{client.host}/library/big:1", "big.tar")
    assert pulled.code == 0, pulled.stderr
    with tarfile.open(tmp_path / "big.tar") as archive:
        assert max(member.size for member in archive) > 15_000_000


def test_crane_cannot_pull_an_image_that_is_not_allowed(client: DeployedMirror, tmp_path: Path) -> None:
    pulled = crane(client, tmp_path, "manifest", f"{client.host}/{client.target.refused_image}")
    assert pulled.code != 0
    assert "DENIED: no rule allows" in pulled.stderr


def test_containerd_pulls_with_the_name_of_docker_hub(
    client: DeployedMirror, docker_io: DockerIo, tmp_path: Path
) -> None:
    hosts = tmp_path / "docker.io" / "hosts.toml"
    hosts.parent.mkdir()
    hosts.write_text(
        f'server = "https://registry-1.docker.io"\n[host."https://{client.host}"]\n'
        f'  capabilities = ["pull", "resolve"]\n  ca = "{client.target.authority}"\n'
    )
    ctr = ["ctr", "--namespace", client.namespace, "images"]
    pulled = run([*ctr, "pull", "--hosts-dir", str(tmp_path), "docker.io/acme/tool:1"], tmp_path, {})
    assert pulled.code == 0, pulled.stderr
    assert "docker.io/acme/tool:1" in run([*ctr, "ls", "-q"], tmp_path, {}).stdout
    assert docker_io.what_docker_io_saw() == NOTHING


def test_the_second_pull_asks_docker_hub_for_no_layer(client: DeployedMirror, tmp_path: Path) -> None:
    requested = []
    for _ in range(2):
        assert crane(client, tmp_path, "pull", f"{client.host}/acme/tool:2", "tool.tar").code == 0
        requested.append(layers_fetched(client.target, "acme/tool"))
    assert requested[0] > 0
    assert requested[1] == requested[0]
