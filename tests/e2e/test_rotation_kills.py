"""A rotation that is killed after every single change it makes: no pull fails, and the next run goes on."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.api_proxy import Boundary, api_gate
from tests.e2e.deployed_mirror import Deployment
from tests.e2e.kill_points import Mortal
from tests.e2e.load import Load
from tests.e2e.rotations import short_lived, signing_key, status_of_forged

pytestmark = pytest.mark.lab

LONG = bool(os.environ.get("REGMIRROR_LONG"))
EVERY = 1 if LONG else 7
"""Of the boundaries between two changes, each so-manieth is died at."""
MOST_RUNS = 80


def rotate_and_die(
    mirror: Deployment, signals: tuple[signal.Signals, ...], aims_at: Callable[[Boundary], bool] = lambda _: True
) -> Mortal:
    """Run a rotation again and again until one run comes to its end."""
    with api_gate(mirror) as (gate, through):
        mortal = Mortal(mirror, gate, ["rotate-cert", *through, "--unlock"], signals, EVERY, aims_at)
        for _ in range(MOST_RUNS):
            before = len(mortal.struck)
            # Where nothing was begun yet, there is nothing that the next run would go on with.
            code = mortal.run(*([] if gate.stage else ["--force"]))
            if len(mortal.struck) == before:
                assert code == 0, mortal.said()
                return mortal
            assert code in {-signal.SIGKILL, 130}, mortal.said()
    raise AssertionError(f"it never ends: {mortal.struck}")


def recorded(mirror: Deployment) -> list[Boundary]:
    """The changes of a rotation that nobody disturbs."""
    with api_gate(mirror) as (gate, through):
        outcome = mirror.regmirror("rotate-cert", *through, *mirror.setting.resolve(mirror.host), "--force")
        assert outcome.code == 0, outcome.words
        return list(gate.made)


def assert_settled(mirror: Deployment, load: Load, stolen: object) -> None:
    assert load.failures == []
    assert status_of_forged(mirror, stolen) == 401  # type: ignore[arg-type]
    assert mirror.regmirror("rotate-cert", "--check").code == 1
    assert "regmirror-signing-next" not in {secret["metadata"]["name"] for secret in mirror.objects("secrets")}
    assert mirror.failures() == {}


def test_a_rotation_that_is_killed_after_each_of_its_changes(
    new_deployment: Callable[[], Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    """With REGMIRROR_LONG after each one; beside it, another rotation is stopped in all places."""
    killed = short_lived(new_deployment())
    assert killed.deploy().code == 0
    old = signing_key(killed)
    with ThreadPoolExecutor() as pool, Load(killed).running() as load:
        others = pool.submit(stop_in_all_places, new_deployment) if LONG else None
        further = pool.submit(die_where_one_death_hides_another, new_deployment) if LONG else None
        mortal = rotate_and_die(killed, (signal.SIGKILL,))
    with capsys.disabled():
        print(f"\n{len(mortal.struck)} deaths in one rotation:\n{load.report()}")  # noqa: T201
    assert_settled(killed, load, old)
    assert len(mortal.struck) >= (20 if LONG else 3)
    if others and further:
        places, stopped = others.result()
        assert set(places) <= {*mortal.struck, *further.result()}
        assert len(stopped.struck) >= 10


def die_where_one_death_hides_another(new_deployment: Callable[[], Deployment]) -> list[Boundary]:
    """Gives the places of the deaths in Helm's record of an upgrade, and at the very end.

    Once the Deployment itself is changed, the next run has nothing more to upgrade: whoever died there does not come to
    the record, and whoever died at its first change not to its second one.
    """
    mirror = short_lived(new_deployment())
    assert mirror.deploy().code == 0
    struck: list[Boundary] = []
    for aims in ({"PUT": 1}, {"PUT": 2, "Lease given back": 1}):
        old = signing_key(mirror)
        with Load(mirror).running() as load:
            mortal = rotate_and_die(
                mirror,
                (signal.SIGKILL,),
                lambda place, aims=aims: any(  # type: ignore[misc]
                    place[1].startswith(change) and place[2] == number for change, number in aims.items()
                ),
            )
        assert_settled(mirror, load, old)
        struck += mortal.struck
    return struck


def stop_in_all_places(new_deployment: Callable[[], Deployment]) -> tuple[list[Boundary], Mortal]:
    """The places where a run can be stopped, and a rotation that SIGTERM and Ctrl-C stop in them."""
    mirror = short_lived(new_deployment())
    assert mirror.deploy().code == 0
    places = recorded(mirror)
    old = signing_key(mirror)
    with Load(mirror).running() as load:
        mortal = rotate_and_die(mirror, (signal.SIGTERM, signal.SIGINT))
    assert_settled(mirror, load, old)
    return places, mortal


def test_of_two_rotations_at_once_the_second_is_refused_and_the_first_can_be_given_up(
    new_deployment: Callable[[], Deployment],
) -> None:
    mirror = short_lived(new_deployment())
    assert mirror.deploy().code == 0
    key = signing_key(mirror)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(mirror.cut_short, signal.SIGTERM, "2/5", "rotate-cert", "--force")
        while not first.done() and "holderIdentity" not in json_of_lease(mirror):
            pass
        second = mirror.rotate("--force")
        assert second.code == 1, second.words
        assert second.document["error"]["code"] == "RM611"
        assert first.result().code == 130
    # A deployment in between changes neither key nor bundle.
    assert mirror.deploy().code == 0
    assert mirror.regmirror("rotate-cert", "--check").code == 0
    outcome = mirror.rotate("--abort")
    assert outcome.code == 0, outcome.words
    assert outcome.document["rotated"] is False
    assert signing_key(mirror) == key
    assert mirror.regmirror("rotate-cert", "--check").code == 1
    assert mirror.failures() == {}


def json_of_lease(mirror: Deployment) -> str:
    return mirror.kubectl("get", "lease", "regmirror-rotation", "-o", "json", "--ignore-not-found")
