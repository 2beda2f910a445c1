"""Fixtures of the end-to-end tests: the target cluster, and mirrors on it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lab import target_cluster
from lab.errors import LabError
from lab.target_cluster import TargetCluster
from tests.e2e.deployed_mirror import DeployedMirror, environment_of
from tests.e2e.docker_io import DockerIo, docker_io_of
from tests.e2e.recorded import recorded


@pytest.fixture(scope="session")
def target() -> TargetCluster:
    """The cluster of the lab, or that of CONTEXT."""
    try:
        return target_cluster.find()
    except LabError as error:
        pytest.skip(str(error))


@pytest.fixture
def docker_io(target: TargetCluster) -> DockerIo:
    """docker.io of the lab, which has seen nothing yet; the test says what it may see."""
    if target.lab is None:
        pytest.skip("docker.io can only be watched in the lab")
    found = docker_io_of(target)
    found.forget()
    return found


@pytest.fixture(scope="session")
def client_record() -> Iterator[Callable[[dict[str, Any]], None]]:
    """Records what a client did, for docs/reference/clients.md."""
    with recorded("REGMIRROR_CLIENTS") as record:
        yield record


@contextmanager
def mirrors(target: TargetCluster, directories: pytest.TempPathFactory) -> Iterator[Callable[[], DeployedMirror]]:
    """A function that creates mirrors, each with its own namespace, host and bucket; all are removed at the end."""
    made: list[DeployedMirror] = []

    def make() -> DeployedMirror:
        namespace = f"e2e-{secrets.token_hex(4)}"
        directory = directories.mktemp(namespace)
        mirror = DeployedMirror(target, namespace, Path(directory), environment_of(target, namespace))
        made.append(mirror)
        mirror.create_tls_secret()
        assert mirror.init().code == 0
        return mirror

    try:
        yield make
    finally:
        for mirror in made:
            mirror.remove()


@pytest.fixture(scope="module")
def new_mirror(
    target: TargetCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], DeployedMirror]]:
    """A function that creates mirrors for one test file: a small node has no room for those of all files."""
    with mirrors(target, tmp_path_factory) as make:
        yield make


@pytest.fixture(scope="session")
def mirror(target: TargetCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedMirror]:
    """A deployed mirror; a test that breaks it also repairs it."""
    with mirrors(target, tmp_path_factory) as make:
        mirror = make()
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.stderr
        yield mirror
