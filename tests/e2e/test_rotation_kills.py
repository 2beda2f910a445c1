"""Rotations that are killed after each of their changes: no pull fails, and the next run continues."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.api_proxy import LAST_CHANGE, Boundary, api_proxy
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.kill_points import KillableCommand
from tests.e2e.load import Load
from tests.e2e.long_runs import LONG
from tests.e2e.rotations import forged_token_status, short_lived, signing_key
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.lab

EVERY = 1 if LONG else 7
"""Only every ``EVERY``-th boundary between two changes is used."""
MOST_RUNS = 80


def rotate_until_complete(
    mirror: DeployedMirror,
    signals: tuple[signal.Signals, ...],
    may_kill_at: Callable[[Boundary], bool] = lambda _: True,
) -> KillableCommand:
    """Run a rotation again and again until one run is not killed."""
    with api_proxy(mirror) as (proxy, through):
        killable = KillableCommand(mirror, proxy, ["rotate-cert", *through, "--unlock"], signals, EVERY, may_kill_at)
        for _ in range(MOST_RUNS):
            before = len(killable.killed_at)
            # Without a change, there is nothing for the next run to continue.
            code = killable.run(*([] if proxy.stage else ["--force"]))
            if len(killable.killed_at) == before:
                assert code == 0, killable.output()
                return killable
            assert code in killable.allowed({-signal.SIGKILL, 130}), killable.output()
    raise AssertionError(f"no run completes: {killable.killed_at}")


def recorded(mirror: DeployedMirror) -> list[Boundary]:
    """The changes of an undisturbed rotation."""
    with api_proxy(mirror) as (proxy, through):
        outcome = mirror.regmirror("rotate-cert", *through, *mirror.target.resolve(mirror.host), "--force")
        assert outcome.code == 0, outcome.stderr
        return list(proxy.made)


def assert_settled(mirror: DeployedMirror, load: Load, stolen: object) -> None:
    assert load.failures == []
    assert forged_token_status(mirror, stolen) == 401  # type: ignore[arg-type]
    assert mirror.regmirror("rotate-cert", "--check").code == 1
    assert "regmirror-signing-next" not in {secret["metadata"]["name"] for secret in mirror.objects("secrets")}
    mirror.await_healthy()


def test_a_rotation_that_is_killed_after_each_of_its_changes(
    new_mirror: Callable[[], DeployedMirror], capsys: pytest.CaptureFixture[str]
) -> None:
    """With REGMIRROR_LONG, after each one, while another rotation is interrupted at all boundaries."""
    killed = short_lived(new_mirror())
    assert killed.deploy().code == 0
    old = signing_key(killed)
    with ThreadPoolExecutor() as pool, Load(killed).running() as load:
        others = pool.submit(stop_at_all_boundaries, new_mirror) if LONG else None
        further = pool.submit(kill_at_hidden_boundaries, new_mirror) if LONG else None
        killable = rotate_until_complete(killed, (signal.SIGKILL,))
    with capsys.disabled():
        print(f"\n{len(killable.killed_at)} kills in one rotation:\n{load.report()}")  # noqa: T201
    assert_settled(killed, load, old)
    assert len(killable.killed_at) >= (20 if LONG else 3)
    if others and further:
        boundaries, stopped = others.result()
        assert set(boundaries) <= {*killable.killed_at, *further.result()}
        assert len(stopped.killed_at) >= 10


def kill_at_hidden_boundaries(new_mirror: Callable[[], DeployedMirror]) -> list[Boundary]:
    """Kill at the changes of Helm's record of an upgrade, and at the end; returns the boundaries.

    After a kill at the change of the Deployment, the next run has nothing to upgrade and does not change the record;
    after a kill at the first change of the record, it does not make the second one.
    """
    mirror = short_lived(new_mirror())
    assert mirror.deploy().code == 0
    killed_at: list[Boundary] = []
    for changes in ({"PUT": 1}, {"PUT": 2, LAST_CHANGE: 1}):
        old = signing_key(mirror)
        with Load(mirror).running() as load:
            killable = rotate_until_complete(
                mirror,
                (signal.SIGKILL,),
                lambda boundary, changes=changes: any(  # type: ignore[misc]
                    boundary[1].startswith(change) and boundary[2] == number for change, number in changes.items()
                ),
            )
        assert_settled(mirror, load, old)
        killed_at += killable.killed_at
    return killed_at


def stop_at_all_boundaries(new_mirror: Callable[[], DeployedMirror]) -> tuple[list[Boundary], KillableCommand]:
    """The boundaries of a rotation, and a rotation that SIGTERM and SIGINT interrupt at them."""
    mirror = short_lived(new_mirror())
    assert mirror.deploy().code == 0
    boundaries = recorded(mirror)
    old = signing_key(mirror)
    with Load(mirror).running() as load:
        killable = rotate_until_complete(mirror, (signal.SIGTERM, signal.SIGINT))
    assert_settled(mirror, load, old)
    return boundaries, killable


def test_a_second_rotation_is_rejected_and_the_first_can_be_aborted(
    new_mirror: Callable[[], DeployedMirror],
) -> None:
    mirror = short_lived(new_mirror())
    assert mirror.deploy().code == 0
    key = signing_key(mirror)

    def rotate_too() -> None:
        wait_until(lambda: "holderIdentity" in json_of_lease(mirror))
        second = mirror.rotate("--force")
        assert second.code == 1, second.stderr
        assert second.document["error"]["code"] == "RM611"

    first = mirror.interrupt(signal.SIGTERM, "2/5", "rotate-cert", "--force", meanwhile=("1/5", rotate_too))
    assert first.code == 130
    # A deployment changes neither the key nor the bundle.
    assert mirror.deploy().code == 0
    assert mirror.regmirror("rotate-cert", "--check").code == 0
    outcome = mirror.rotate("--abort")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["rotated"] is False
    assert signing_key(mirror) == key
    assert mirror.regmirror("rotate-cert", "--check").code == 1
    mirror.await_healthy()


def json_of_lease(mirror: DeployedMirror) -> str:
    return mirror.kubectl("get", "lease", "regmirror-change", "-o", "json", "--ignore-not-found")
