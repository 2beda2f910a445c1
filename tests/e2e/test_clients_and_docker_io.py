"""Real clients with the files of client-config: which images, and which accounts, reach docker.io.

Every client falls back to docker.io silently, so a successful pull proves nothing. tests/e2e/client_cases.py says what
docker.io may have seen. `make clients` records what happens, for docs/reference/clients.md.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.client_cases import ACTIONS, BUILD_WITH_BUILDKIT, CASES, CLIENTS, PULL, Case, row_of
from tests.e2e.client_machine import ClientMachine
from tests.e2e.client_observation import Result, observe
from tests.e2e.client_programs import Client, Daemon
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_clients import Docker
from tests.e2e.docker_io import docker_io_of
from tests.e2e.hub_artifacts import publish_artifacts
from tests.e2e.mirror_tap import HTTPS, MirrorTap
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.lab

TAP = "127.0.0.10"
FIRST_THAT_RELOADS = 25
"""The first version of Docker whose builds use a new mirror after a reload."""
# One object for each setup, because pytest compares the parameters of a fixture by identity.
SETUPS = {(case.client, case.trusted): (case.client, case.trusted) for case in CASES}
RUN = [case for case in CASES if case.client in CLIENTS and case.is_run]


@dataclass(frozen=True)
class RunningClient:
    """A client on a machine of its own."""

    client: Client
    machine: ClientMachine
    version: str


@pytest.fixture(scope="module")
def tap(mirror: DeployedMirror, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MirrorTap]:
    """The mirror, for clients on the lab's node."""
    if mirror.target.lab is None:
        pytest.skip("docker.io can only be watched in the lab")
    publish_artifacts(tmp_path_factory.mktemp("artifacts"))
    with MirrorTap(mirror, TAP, HTTPS).serving() as serving:
        yield serving


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tap: MirrorTap) -> Iterator[RunningClient]:
    """A client with the files of client-config; if ``trusted``, its machine trusts the mirror's CA."""
    name, trusted = request.param
    client = CLIENTS[name]
    with ClientMachine.temporary(tap, docker_io_of(tap.mirror.target)) as machine:
        machine.require(client.program)
        if client.runtime:
            machine.configure(client.runtime)
        if trusted:
            assert tap.mirror.target.authority
            machine.trust(tap.mirror.target.authority)
        with client.running(machine) if isinstance(client, Daemon) else nullcontext():
            yield RunningClient(client, machine, client.version(machine))


@pytest.mark.parametrize(
    ("running", "case"),
    [pytest.param(SETUPS[case.client, case.trusted], case, id=case.name) for case in RUN],
    indirect=["running"],
)
def test_a_client(running: RunningClient, case: Case, client_record: Callable[[dict[str, Any]], None]) -> None:
    machine = running.machine
    machine.forget()
    outcome = ACTIONS[case.action](running.client, machine)
    seen = observe(machine, outcome, machine.lab["hub"]["password"])
    machine.log_out()
    running.client.forget_images(machine)
    client_record(row_of(case, running.version, seen))
    assert (seen.result, seen.leaked) == (case.result, case.leaked), outcome
    if seen.result is Result.MIRROR:
        assert seen.docker_io == (), outcome
        assert machine.tap.seen.requests, outcome


def test_a_reload_is_not_enough_for_the_builds_of_docker_before_25(tap: MirrorTap) -> None:
    """A pull uses the mirror after a reload; BuildKit reads the mirrors only when dockerd starts."""
    docker = Docker()

    def result(machine: ClientMachine, action: str) -> Result:
        machine.forget()
        outcome = ACTIONS[action](docker, machine)
        docker.forget_images(machine)
        return observe(machine, outcome, machine.lab["hub"]["password"]).result

    with ClientMachine.temporary(tap, docker_io_of(tap.mirror.target)) as machine:
        machine.require(docker.program)
        if int(docker.version(machine).split(".")[0]) >= FIRST_THAT_RELOADS:
            pytest.skip("a reload is enough for this version")
        assert tap.mirror.target.authority
        with docker.running(machine):
            machine.configure(docker.runtime)
            machine.trust(tap.mirror.target.authority)
            machine.run("sh", "-c", 'kill -HUP "$(cat "$0")"', str(machine.directory / "docker.pid"))
            wait_until(lambda: tap.mirror.host in machine.run("docker", "info").stdout)
            assert result(machine, PULL) is Result.MIRROR
            assert result(machine, BUILD_WITH_BUILDKIT) is Result.DOCKER_IO
        with docker.running(machine):
            assert result(machine, BUILD_WITH_BUILDKIT) is Result.MIRROR
