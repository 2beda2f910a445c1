"""The programs under test and their servers: one server per program and configuration, for the whole session."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .configurations import CONFIGURATIONS
from .programs import DOCKER_AUTH, STAND_IN, Program, Server, running
from .signing_keys import KeyPair, rsa_key_pair

REAL_PROGRAM = os.environ.get("LAB_DOCKER_AUTH")
HERE = Path(__file__).parent
STAND_INS = HERE.parents[1] / "lab" / "go" / "standins"
STAND_IN_PROGRAM = "docker-auth-stand-in"

Servers = Callable[[Program, str], Server]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.contract)


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The lab's stand-in: from PATH in the lab, or built from source."""
    built = shutil.which(STAND_IN_PROGRAM)
    if built:
        return Program(STAND_IN, Path(built))
    if shutil.which("go") is None:
        pytest.skip("the docker_auth stand-in is missing: run these tests in the lab, or install Go")
    binary = tmp_path_factory.mktemp("stand-in") / STAND_IN_PROGRAM
    build = ["go", "build", "-buildvcs=false", "-o", str(binary), f"./cmd/{STAND_IN_PROGRAM}"]
    subprocess.run(build, cwd=STAND_INS, check=True)
    return Program(STAND_IN, binary)


@pytest.fixture(scope="session")
def hub_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in for Docker Hub: built from source if Go is there, because a lab may run an older one."""
    built = shutil.which("docker-hub-stand-in")
    if shutil.which("go") is None:
        return Path(built) if built else pytest.skip("the Docker Hub stand-in is missing: run this in the lab")
    binary = tmp_path_factory.mktemp("hub") / "docker-hub-stand-in"
    command = ["go", "build", "-buildvcs=false", "-o", str(binary), "./cmd/docker-hub-stand-in"]
    subprocess.run(command, cwd=STAND_INS, check=True)
    return binary


@pytest.fixture(scope="session")
def registry_program() -> Path:
    """The real registry, which takes minutes to build."""
    found = shutil.which("registry")
    return Path(found) if found else pytest.skip("the registry is missing: run this in the lab")


@pytest.fixture(scope="session")
def docker_auth() -> Program:
    """The real program."""
    if not REAL_PROGRAM:
        pytest.skip("LAB_DOCKER_AUTH is not set to the path of the real docker_auth")
    return Program(DOCKER_AUTH, Path(REAL_PROGRAM))


@pytest.fixture(scope="session", params=[STAND_IN, DOCKER_AUTH] if REAL_PROGRAM else [STAND_IN])
def program(request: pytest.FixtureRequest) -> Program:
    """Each program under test."""
    chosen: Program = request.getfixturevalue("stand_in" if request.param == STAND_IN else "docker_auth")
    return chosen


@pytest.fixture(scope="session")
def key_pair(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return rsa_key_pair(tmp_path_factory.mktemp("keys"), "token")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory, key_pair: KeyPair) -> Iterator[Servers]:
    """A function that returns the running server of a program with a configuration."""
    started: dict[tuple[Program, str], Server] = {}
    with ExitStack() as stack:

        def server(program: Program, configuration: str) -> Server:
            key = (program, configuration)
            if key not in started:
                file = tmp_path_factory.mktemp(configuration) / "auth_config.yml"
                contents = CONFIGURATIONS[configuration](key_pair)
                started[key] = stack.enter_context(running(program, contents, file))
            return started[key]

        yield server
