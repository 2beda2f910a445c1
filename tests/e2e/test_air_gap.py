"""A mirror without a way out except to its upstream: all images come from a registry inside, under other names."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import addresses
from tests.e2e.deployed_mirror import DeployedMirror

pytestmark = pytest.mark.lab


@pytest.fixture
def image_registry(new_mirror: Callable[[], DeployedMirror]) -> Iterator[tuple[DeployedMirror, str]]:
    """A mirror, and a registry in the lab's network that the node knows by a name of its own."""
    mirror = new_mirror()
    if mirror.target.lab is None:
        pytest.skip("only the lab is closed off, and has a registry to fill")
    host = f"images-{secrets.token_hex(4)}.{mirror.target.domain}"
    hosts = Path(mirror.target.lab["containerd_certs"]) / host / "hosts.toml"
    hosts.parent.mkdir()
    hosts.write_text(f'server = "http://{addresses.HUB_STORAGE}"\n')
    yield mirror, f"{host}/inside"
    hosts.unlink()
    hosts.parent.rmdir()


def test_every_pod_runs_images_of_the_registry_inside(image_registry: tuple[DeployedMirror, str]) -> None:
    mirror, registry = image_registry
    mirror.change_file(imageRegistry=registry)
    listed = mirror.regmirror("images", "-o", "json").document["images"]
    for image in listed:
        assert image["image"].startswith(f"{registry}/")
        target = image["image"].replace(registry.partition("/")[0], addresses.HUB_STORAGE)
        push = ["ctr", "--namespace=k8s.io", "images", "push", "--plain-http", target, image["source"]]
        subprocess.run(push, check=True, capture_output=True)
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    pods = mirror.objects("pods")
    containers = [
        container for pod in pods for container in pod["spec"]["containers"] + pod["spec"].get("initContainers", [])
    ]
    assert {container["image"] for container in containers} == {image["image"] for image in listed}
    outcome = mirror.verify()
    assert outcome.code == 0, outcome.stdout
    again = mirror.regmirror("diff")
    assert again.code == 0, again.stdout
