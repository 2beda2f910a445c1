"""A hostile client attacks the mirror through the Ingress: nothing restarts, and other clients are served meanwhile.

The figures are written to the file in REGMIRROR_ATTACKS, from which the documentation is generated.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from lab import addresses
from regmirror.distribution.client import RegistryClient
from tests.e2e.attack import Attack, MeasuredAttack
from tests.e2e.attacker import in_another_process
from tests.e2e.attacks import ANONYMOUS, ATTACKS
from tests.e2e.bystander import pulling
from tests.e2e.deployed_mirror import DeployedMirror, Object
from tests.e2e.docker_hub import published, requests
from tests.e2e.hostile_client import Victim
from tests.e2e.inject import faulty_hub
from tests.e2e.load import Load
from tests.e2e.long_runs import LONG
from tests.e2e.pod_resources import watched
from tests.e2e.pulls import CachedImage, Puller, seconds_until_served
from tests.e2e.recorded import recorded
from tests.e2e.waiting import on_this_machine

pytestmark = pytest.mark.lab

ATTACKER = "127.0.66.{}"
"""The attacker's address, another one in each attack: limits for one client must not affect the others."""
ATTACKED, PULLED = "library/attacked", "library/pulled"
LAYER_BYTES = 20_000_000
LOG_BYTES = 5_000_000
"""The most that all pods may write to their logs during one attack: docker_auth writes 320 bytes for each token."""
ROTATED_BYTES = 50_000_000
"""What the kubelet keeps of one container's log by default, however fast it is written: 5 files of 10 MiB."""
SLOW_UPSTREAM = {"mode": "slow", "bytes_per_second": LAYER_BYTES // 10}
RECOVERS_WITHIN = 10.0


@dataclass(frozen=True)
class Target:
    """A mirror, the image that is attacked, and the one that another client pulls meanwhile."""

    mirror: DeployedMirror
    attacked: CachedImage
    pulled: CachedImage
    puller: Puller

    def victim(self, attack: Attack, image: CachedImage) -> Victim:
        """What the attacker knows, with a new token."""
        mirror = self.mirror
        token = RegistryClient(Load(mirror).http(), f"https://{mirror.host}").pull_token(image.repository)
        return Victim(
            host=mirror.host,
            address=mirror.target.address,
            port=443,
            authority=mirror.target.authority,
            source=ATTACKER.format(1 + ATTACKS.index(attack)),
            repository=image.repository,
            token=token or "",
            manifest=image.manifest,
            layer=image.layer,
        )

    @contextmanager
    def attacked_by(self, attack: Attack, directory: Path) -> Iterator[CachedImage]:
        """The image that is attacked; a new layer arrives slowly until the end of the block."""
        if not attack.new_layer:
            yield self.attacked
            return
        image = self.puller.remember(published(ATTACKED, directory, LAYER_BYTES), layers=False)
        with faulty_hub(self.mirror, registry=SLOW_UPSTREAM):
            yield image


def deployed_target(mirror: DeployedMirror, tmp_path_factory: pytest.TempPathFactory, **changes: Any) -> Target:
    """The mirror with these changes of its file, and two cached images."""
    if mirror.target.lab is None:
        pytest.skip("only the lab's mirrors are attacked")
    mirror.change_file(**changes)
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    mirror.await_healthy()
    directory, puller = tmp_path_factory.mktemp("images"), Puller(mirror)
    attacked = puller.remember(published(ATTACKED, directory, LAYER_BYTES))
    return Target(mirror, attacked, puller.remember(published(PULLED, directory)), puller)


@pytest.fixture(scope="module")
def protected(new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A mirror that knows the addresses of its clients, because it trusts the lab's Ingress controller."""
    gateway = next(ip_network(addresses.POD_SUBNET).hosts())
    trusted = [f"{gateway}/32", f"{addresses.NODE_ADDRESS}/32"]
    return deployed_target(new_mirror(), tmp_path_factory, ingress={"trustedProxies": trusted})


@pytest.fixture(scope="module")
def default(new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A mirror as ``init`` makes it: all requests come from the address of the Ingress controller."""
    return deployed_target(new_mirror(), tmp_path_factory)


@pytest.fixture(scope="module")
def record() -> Iterator[Callable[[Object], None]]:
    with recorded("REGMIRROR_ATTACKS") as add:
        yield add


@pytest.mark.parametrize("attack", [one for one in ATTACKS if LONG or one.quick], ids=lambda one: one.name)
def test_a_mirror_survives(protected: Target, attack: Attack, record: Callable[[Object], None], tmp_path: Path) -> None:
    measured = run_attack(protected, attack, tmp_path)
    record(measured.document())
    assert measured.problems(LOG_BYTES, on_this_machine(1.0)) == []


def test_a_mirror_is_healthy_after_all_attacks(protected: Target) -> None:
    protected.mirror.await_healthy()


@pytest.mark.parametrize("attack", [one for one in ANONYMOUS if LONG or one.quick], ids=lambda one: one.name)
def test_a_mirror_that_does_not_know_addresses_survives(default: Target, attack: Attack, tmp_path: Path) -> None:
    measured = run_attack(default, attack, tmp_path)
    assert measured.problems(ROTATED_BYTES, on_this_machine(1.0)) == []


def run_attack(target: Target, attack: Attack, directory: Path) -> MeasuredAttack:
    """Attack the mirror from another process, while a client pulls and the pods are measured."""
    with ExitStack() as during:
        image = during.enter_context(target.attacked_by(attack, directory))
        victim, before = target.victim(attack, image), upstream_requests(target)
        resources = during.enter_context(watched(target.mirror))
        others = during.enter_context(pulling(target.puller, target.pulled))
        answers = in_another_process(attack.move, victim)
    recovery = seconds_until_served(target.puller.asks(target.pulled), RECOVERS_WITHIN)
    return MeasuredAttack(attack, answers, others, resources, upstream_requests(target) - before, recovery)


def upstream_requests(target: Target) -> int:
    """The number of requests to the upstream for the attacked repository."""
    return sum(entry["count"] for entry in requests(target.mirror.target, target.attacked.repository))
