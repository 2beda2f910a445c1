"""A rotation that is killed again and again in one phase after the other: no pull fails, and the next run goes on."""

import signal
from collections.abc import Callable

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.load import Load
from tests.e2e.rotations import cut_short, short_lived, signing_key, status_of_forged

pytestmark = pytest.mark.lab

DEATHS = [
    # In the middle of the first replacement of registry pods, of docker_auth's, of the wait, of the last replacement.
    (signal.SIGKILL, "registry pods are replaced"),
    (signal.SIGKILL, "docker_auth's pods are replaced"),
    (signal.SIGTERM, "4/5"),
    (signal.SIGKILL, "5/5"),
]


def test_a_rotation_that_is_killed_in_every_phase(
    new_deployment: Callable[[], Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = short_lived(new_deployment())
    assert mirror.deploy().code == 0
    old = signing_key(mirror)
    with Load(mirror).running() as load:
        for index, (number, after) in enumerate(DEATHS):
            cut_short(mirror, number, after, *(["--force"] if index == 0 else []))
            assert mirror.regmirror("rotate-cert", "--check").code == 0
            # A deployment in between changes neither key nor bundle, and harms nobody.
            assert mirror.deploy().code == 0
        outcome = mirror.regmirror("rotate-cert", "-o", "json")
    with capsys.disabled():
        print(f"\n{len(DEATHS)} deaths in one rotation:\n{load.report()}")  # noqa: T201
    assert outcome.code == 0, outcome.words
    assert load.failures == []
    assert status_of_forged(mirror, old) == 401
    assert mirror.failures() == {}
    assert mirror.regmirror("rotate-cert", "--check").code == 1
