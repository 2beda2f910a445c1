"""A hostile client attacks the mirror through the Ingress: nothing restarts, and other clients are served meanwhile.

The figures are written to the file in REGMIRROR_ATTACKS, from which the documentation is generated.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from lab import addresses
from regmirror.distribution.client import RegistryClient
from tests.e2e.attack import Attack, MeasuredAttack
from tests.e2e.attacker import in_another_process
from tests.e2e.attacks import ATTACKS
from tests.e2e.bystander import pulling
from tests.e2e.deployed_mirror import DeployedMirror, Object
from tests.e2e.docker_hub import published, requests
from tests.e2e.hostile_client import Victim
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
RECOVERS_WITHIN = 10.0


@dataclass(frozen=True)
class Target:
    """A mirror, the image that is attacked, and the one that another client pulls meanwhile."""

    mirror: DeployedMirror
    attacked: CachedImage
    pulled: CachedImage
    puller: Puller

    def victim(self, attack: Attack) -> Victim:
        """What the attacker knows, with a new token."""
        mirror, image = self.mirror, self.attacked
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


@pytest.fixture(scope="module")
def target(new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A mirror that knows the addresses of its clients, because it trusts the lab's Ingress controller."""
    mirror = new_mirror()
    if mirror.target.lab is None:
        pytest.skip("only the lab's mirrors are attacked")
    gateway = next(ip_network(addresses.POD_SUBNET).hosts())
    mirror.change_file(ingress={"trustedProxies": [f"{gateway}/32", f"{addresses.NODE_ADDRESS}/32"]})
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    mirror.await_healthy()
    directory, puller = tmp_path_factory.mktemp("images"), Puller(mirror)
    attacked = puller.remember(published(ATTACKED, directory, LAYER_BYTES))
    return Target(mirror, attacked, puller.remember(published(PULLED, directory)), puller)


@pytest.fixture(scope="module")
def record() -> Iterator[Callable[[Object], None]]:
    with recorded("REGMIRROR_ATTACKS") as add:
        yield add


@pytest.mark.parametrize("attack", [one for one in ATTACKS if LONG or one.quick], ids=lambda one: one.name)
def test_a_mirror_survives(target: Target, attack: Attack, record: Callable[[Object], None]) -> None:
    measured = run_attack(target, attack)
    record(measured.document())
    assert measured.problems(LOG_BYTES, on_this_machine(1.0)) == []


def test_a_mirror_is_healthy_after_all_attacks(target: Target) -> None:
    target.mirror.await_healthy()


def run_attack(target: Target, attack: Attack) -> MeasuredAttack:
    """Attack the mirror from another process, while a client pulls and the pods are measured."""
    victim, before = target.victim(attack), upstream_requests(target)
    with watched(target.mirror) as resources, pulling(target.puller, target.pulled) as others:
        answers = in_another_process(attack.move, victim)
    recovery = seconds_until_served(target.puller.asks(target.pulled), RECOVERS_WITHIN)
    return MeasuredAttack(attack, answers, others, resources, upstream_requests(target) - before, recovery)


def upstream_requests(target: Target) -> int:
    """The number of requests to the upstream for the attacked repository."""
    return sum(entry["count"] for entry in requests(target.mirror.target, target.attacked.repository))
