"""Changes of the file are deployed under a continuous load of real pulls: none fails, unless deploy warned of it."""

import time
from collections.abc import Callable, Iterable

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.file_changes import CHANGES, INTERRUPTING, REPRESENTATIVE, Edit
from tests.e2e.load import Load
from tests.e2e.long_runs import LONG, only_in_long_runs
from tests.e2e.rotations import short_lived

pytestmark = pytest.mark.lab

KEYS = tuple(CHANGES) if LONG else REPRESENTATIVE
ROLLOUTS = ("front.resources", "registry.resources", "auth.resources", "redis.resources")
"""Together, they replace all pods."""
GONE = "no longer served"
WARNINGS = {"auth.issuer": "auth.issuer changes from ", "host": GONE, "upstreams.host": GONE}


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror whose tokens are valid for a minute, with one pod of each component."""
    made = short_lived(new_mirror())
    outcome = made.deploy()
    assert outcome.code == 0, outcome.stderr
    return made


def edit(mirror: DeployedMirror, change: Edit) -> None:
    content = yaml.safe_load(mirror.file.read_text())
    change(mirror, content)
    mirror.file.write_text(yaml.safe_dump(content))


def is_warned_of(text: str) -> bool:
    return any(warning in text for warning in WARNINGS.values())


def test_no_pull_fails_while_keys_change(mirror: DeployedMirror, capsys: pytest.CaptureFixture[str]) -> None:
    deploy_under_load(mirror, KEYS, capsys)


def test_no_pull_fails_while_several_replicas_roll_out(
    new_mirror: Callable[[], DeployedMirror], capsys: pytest.CaptureFixture[str]
) -> None:
    several = short_lived(new_mirror(), replicas=3)
    assert several.deploy().code == 0
    deploy_under_load(several, ROLLOUTS, capsys)


def deploy_under_load(mirror: DeployedMirror, keys: Iterable[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Change one key after the other while clients pull; no pull may fail."""
    deployed: list[str] = []
    with Load(mirror).running() as load:
        for key in keys:
            edit(mirror, CHANGES[key])
            deployed.append(f"{time.strftime('%X')} {key}")
            outcome = mirror.deploy()
            assert outcome.code == 0, f"{key}: {outcome.stderr}"
            assert not is_warned_of(outcome.stderr), f"{key}: {outcome.stderr}"
    report = "\n".join([load.report(), "deployed:", *deployed])
    with capsys.disabled():
        print(f"\n{len(deployed)} changes:\n{report}")  # noqa: T201
    assert load.failures == [], report
    assert min(load.counts.values()) >= 1


@pytest.mark.parametrize("key", INTERRUPTING)
def test_a_change_that_interrupts_pulls_is_warned_of(mirror: DeployedMirror, key: str) -> None:
    before = mirror.file.read_text()
    try:
        edit(mirror, INTERRUPTING[key])
        outcome = mirror.regmirror("diff")
        assert WARNINGS[key] in " ".join(outcome.stderr.split()), outcome.stderr
    finally:
        mirror.file.write_text(before)


@only_in_long_runs
def test_pulls_go_on_after_another_issuer(mirror: DeployedMirror, capsys: pytest.CaptureFixture[str]) -> None:
    """How many pulls fail meanwhile is printed, and not judged: deploy has warned of it."""
    edit(mirror, INTERRUPTING["auth.issuer"])
    with Load(mirror).running() as load:
        outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    assert WARNINGS["auth.issuer"] in " ".join(outcome.stderr.split())
    with capsys.disabled():
        print(f"\nanother issuer:\n{load.report()}")  # noqa: T201
    with Load(mirror).running() as afterwards:
        mirror.await_healthy()
    assert afterwards.failures == []
