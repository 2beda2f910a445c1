"""Fixtures of the end-to-end tests: the setting, and mirrors deployed in it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import setting as settings
from lab.errors import LabError
from lab.setting import Setting
from tests.e2e.deployed_mirror import Deployment, environment_of


@pytest.fixture(scope="session")
def setting() -> Setting:
    """The cluster to test on: the lab's, or that of CONTEXT."""
    try:
        return settings.find()
    except LabError as error:
        pytest.skip(str(error))


@contextmanager
def deployments(setting: Setting, directories: pytest.TempPathFactory) -> Iterator[Callable[[], Deployment]]:
    """Makes mirrors, each with a namespace, host and bucket of its own, that are removed at the end."""
    made: list[Deployment] = []

    def make() -> Deployment:
        namespace = f"e2e-{secrets.token_hex(4)}"
        directory = directories.mktemp(namespace)
        deployment = Deployment(setting, namespace, Path(directory), environment_of(setting, namespace))
        made.append(deployment)
        deployment.bring_certificate()
        assert deployment.init().code == 0
        return deployment

    try:
        yield make
    finally:
        for deployment in made:
            deployment.remove()


@pytest.fixture(scope="module")
def new_deployment(setting: Setting, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Deployment]]:
    """Makes mirrors for one file of tests: a small node has no room for those of all files at once."""
    with deployments(setting, tmp_path_factory) as make:
        yield make


@pytest.fixture(scope="session")
def mirror(setting: Setting, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A mirror that serves; a test that harms it repairs it before it ends."""
    with deployments(setting, tmp_path_factory) as make:
        deployment = make()
        outcome = deployment.deploy()
        assert outcome.code == 0, outcome.words
        yield deployment
