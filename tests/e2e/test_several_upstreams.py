"""A mirror of four upstreams: verify finds it healthy, every time."""

from collections.abc import Callable

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.long_runs import LONG

pytestmark = pytest.mark.lab

RUNS = 20 if LONG else 3
NAMES = ("second", "third", "fourth")


def test_verify_of_four_upstreams_passes_every_time(new_mirror: Callable[[], DeployedMirror]) -> None:
    mirror = new_mirror()
    if not mirror.target.is_lab:
        pytest.skip("only the lab has four registries with the same images")
    (first,) = yaml.safe_load(mirror.file.read_text())["upstreams"]
    hosts = {name: f"{mirror.namespace}-{name}.{mirror.target.domain}" for name in NAMES}
    mirror.change_file(upstreams=[first, *({**first, "name": name, "host": host} for name, host in hosts.items())])
    for name in NAMES:
        files = [f"--cert={mirror.target.certificate}", f"--key={mirror.target.key}"]
        mirror.kubectl("create", "secret", "tls", f"regmirror-tls-{name}", *files)
    others = [option for host in hosts.values() for option in mirror.target.resolve(host)]
    outcome = mirror.deploy(*others)
    assert outcome.code == 0, outcome.stderr
    for _ in range(RUNS):
        outcome = mirror.verify(*others)
        assert outcome.code == 0, outcome.stdout
