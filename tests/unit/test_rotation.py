"""A whole rotation over a mirror in memory: what it does, refuses, reports, and does when something is in its way."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from regmirror.desired import names
from regmirror.errors import (
    ClusterError,
    ConflictError,
    PartlyAppliedError,
    PermissionDeniedError,
    RegistryError,
    RolloutBlockedError,
    RotationError,
    RotationLockedError,
)
from regmirror.ports.cluster import LEASE, SECRET, Applied, Object, Right
from regmirror.ports.http import Answer
from regmirror.rotate.due import Threshold
from regmirror.rotate.options import RotationOptions
from regmirror.rotate.plan import Action
from regmirror.rotate.rotation_state import Mode
from regmirror.signing.key_pair import KeyPair, load_key_pair
from tests import samples
from tests.unit.rotating import FORCED, NOT_YET, Rotating, pair_of, rotate_and_die, run, with_wish

OLD, NEW = (Rotating.id_of_sample(serial) for serial in (1, 2))
ABORT = RotationOptions(NOT_YET.threshold, mode=Mode.ABORT)
CALLS_TO_THE_SWAP = 5


@pytest.fixture
def place() -> Rotating:
    return Rotating()


def test_a_rotation_replaces_the_key_everywhere(place: Rotating) -> None:
    old_token = place.token_of(samples.key_pair(1))
    report = place.rotate()
    assert (place.key, place.trusted, place.successor) == (NEW, {NEW}, None)
    assert place.pull()
    assert not any(place.cluster.accepted(old_token))
    assert report["provenAt"] == [samples.HOST]
    assert (report["kind"], report["rotated"], report["changed"], report["keyId"]) == ("RotateReport", True, True, NEW)
    assert {name.rpartition("-")[0] for name in report["started"]} == {"regmirror-auth", "regmirror-docker-hub"}


def test_what_is_planned_is_what_is_done(place: Rotating) -> None:
    planned = run(place.rotation().plan())
    place.rotate()
    assert place.actions == planned


def test_a_plan_changes_nothing(place: Rotating) -> None:
    before = place.cluster.select(SECRET)
    assert run(place.rotation().plan())
    assert run(place.rotation(NOT_YET).plan()) == []
    assert place.cluster.select(SECRET) == before


def test_a_rotation_that_is_not_due_changes_nothing(place: Rotating) -> None:
    before = place.cluster.select(SECRET)
    report = place.rotate(NOT_YET)
    assert (report["changed"], report["rotated"], report["due"]) == (False, False, "2030-03-11T23:00:00Z")
    assert place.cluster.select(SECRET) == before
    assert place.cluster.get(LEASE, "regmirror-rotation") is None


def test_a_certificate_that_has_ended_is_rotated(place: Rotating) -> None:
    place.time.now += timedelta(days=2000)
    assert place.pull()
    assert run(place.rotation(NOT_YET).check())["due"]
    assert place.rotate(RotationOptions(NOT_YET.threshold, pair=pair_of(begins=place.time.now)))["rotated"]
    assert place.pull()


def test_the_answer_of_check(place: Rotating) -> None:
    found = run(place.rotation(NOT_YET).check())
    assert (found["deployed"], found["due"]) == (True, False)
    assert run(place.rotation(RotationOptions(Threshold(left=timedelta(days=9999)))).check())["due"]
    place.cluster.delete(SECRET, names.SIGNING_SECRET)
    assert run(place.rotation(NOT_YET).check())["deployed"] is False


def test_a_rotation_that_was_begun_is_due(place: Rotating) -> None:
    rotate_and_die(place, CALLS_TO_THE_SWAP)
    assert "a rotation is under way" in run(place.rotation(NOT_YET).check())["message"]


def test_nothing_of_the_private_keys_is_told(place: Rotating) -> None:
    report = place.rotate()
    told = json.dumps([report, place.progress.events])
    for serial in (1, 2):
        lines = samples.key_pair(serial).key_pem.decode().splitlines()
        assert not [line for line in lines[1:-1] if line in told]


def test_a_mirror_that_is_not_there_cannot_be_rotated(place: Rotating) -> None:
    place.cluster.delete(SECRET, names.SIGNING_SECRET)
    with pytest.raises(RotationError, match="no mirror is deployed in namespace regmirror"):
        place.rotate()


def test_a_missing_right_is_named_before_anything_is_changed(place: Rotating) -> None:
    place.cluster.denied = {Right("create", "", "pods/portforward")}
    before = place.cluster.select(SECRET)
    with pytest.raises(PermissionDeniedError, match="create pods/portforward"):
        place.rotate()
    assert place.cluster.select(SECRET) == before


def test_a_pod_that_refuses_the_new_key_stops_the_rotation_before_the_swap(place: Rotating) -> None:
    rotate_and_die(place, CALLS_TO_THE_SWAP - 1)
    (pod,) = place.cluster.taking_requests("regmirror-docker-hub")
    place.cluster.listeners[pod["metadata"]["name"], names.REGISTRY_PORT] = refuse
    with pytest.raises(RotationError, match="refuses a token of the key"):
        place.rotate(NOT_YET)
    assert place.key == OLD
    assert place.pull()


def refuse(connection: object) -> None:
    """Answer 401, whatever is asked."""
    connection.recv(65536)  # type: ignore[attr-defined]
    connection.sendall(b"HTTP/1.1 401 -\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]


def test_a_pod_that_does_not_answer_stops_the_rotation(place: Rotating) -> None:
    (pod,) = place.cluster.taking_requests("regmirror-auth")
    del place.cluster.listeners[pod["metadata"]["name"], names.AUTH_PORT]
    with pytest.raises(PartlyAppliedError, match="cannot forward port 5001"):
        place.rotate()
    assert (place.key, place.trusted) == (OLD, {OLD, NEW})


def test_a_component_without_a_ready_pod_stops_the_rotation(place: Rotating) -> None:
    (pod,) = place.cluster.taking_requests("regmirror-auth")
    pod["status"]["conditions"] = []
    place.cluster.put(pod)
    with pytest.raises(PartlyAppliedError, match="regmirror-auth has no pod that is ready"):
        place.rotate()
    assert place.key == OLD


def test_clocks_that_differ_stop_the_rotation_before_the_swap(place: Rotating) -> None:
    here = place.time.now
    place.cluster.now = lambda: here + timedelta(seconds=31)
    with pytest.raises(PartlyAppliedError, match="differ by 31 seconds"):
        place.rotate()
    assert place.key == OLD


def test_a_helm_that_fails_leaves_a_rotation_that_goes_on(place: Rotating) -> None:
    place.helm.failures["regmirror-docker-hub"] = ClusterError("quota")  # type: ignore[assignment]
    with pytest.raises(PartlyAppliedError, match="stopped after trust: quota"):
        place.rotate()
    place.helm.failures.clear()
    assert place.rotate(NOT_YET)["rotated"]


def test_an_abort_goes_back(place: Rotating) -> None:
    rotate_and_die(place, CALLS_TO_THE_SWAP - 1)
    report = place.rotate(ABORT)
    assert (report["rotated"], report["changed"]) == (False, True)
    assert (place.key, place.trusted, place.successor) == (OLD, {OLD}, None)


def test_an_abort_comes_too_late_after_the_swap(place: Rotating) -> None:
    rotate_and_die(place, CALLS_TO_THE_SWAP)
    assert place.key == NEW
    with pytest.raises(RotationError, match="has the new key already"):
        place.rotate(ABORT)
    with pytest.raises(RotationError, match="has the new key already"):
        run(place.rotation(ABORT).plan())


def test_without_a_rotation_there_is_nothing_to_abort(place: Rotating) -> None:
    with pytest.raises(RotationError, match="no rotation is under way"):
        place.rotate(ABORT)


def test_an_emergency_in_the_middle_of_a_rotation_trusts_neither_key(place: Rotating) -> None:
    rotate_and_die(place, CALLS_TO_THE_SWAP)
    own = pair_of()
    place.rotate(with_wish(mode=Mode.EMERGENCY, pair=own))
    assert place.key not in {OLD, NEW}
    assert place.trusted == {place.key}
    assert not any(place.cluster.accepted(place.token_of(samples.key_pair(2))))
    assert place.pull()


def test_an_emergency_is_not_aborted(place: Rotating) -> None:
    rotate_and_die(place, 2, with_wish(mode=Mode.EMERGENCY))
    assert place.key == OLD
    with pytest.raises(RotationError, match="the key in use is not to be trusted"):
        place.rotate(ABORT)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (samples.key_pair(1), "the key of --key is the one in use"),
        (pair_of(1024), "has 1024 bits"),
        (pair_of(begins=samples.NOW - timedelta(days=100)), "not valid at this time"),
        (pair_of(begins=samples.NOW + timedelta(days=1)), "not valid at this time"),
    ],
)
def test_a_key_that_does_not_fit_is_refused(place: Rotating, pair: KeyPair, message: str) -> None:
    with pytest.raises(RotationError, match=message):
        place.rotate(with_wish(pair=pair))
    assert place.successor is None


def test_a_further_key_is_refused_while_a_rotation_is_under_way(place: Rotating) -> None:
    rotate_and_die(place, CALLS_TO_THE_SWAP)
    with pytest.raises(RotationError, match="another key than that of --key"):
        place.rotate(with_wish(pair=pair_of()))


def test_size_and_validity_are_those_of_the_wish_or_of_the_file(place: Rotating) -> None:
    wish = RotationOptions(NOT_YET.threshold, key_size=3072, validity=timedelta(days=30))
    pair = wish.chosen_pair(place.mirror.auth, samples.NOW)
    assert pair.private_key.key_size == 3072
    assert pair.certificate.not_valid_after_utc - pair.certificate.not_valid_before_utc == timedelta(days=30)
    assert NOT_YET.chosen_pair(place.mirror.auth, samples.NOW).private_key.key_size == 2048
    assert load_key_pair(pair.certificate_pem, pair.key_pem) == pair


def test_values_of_the_releases_stay_as_they_are(place: Rotating) -> None:
    before = {name: run(place.helm.values(name)) for name in ("regmirror-auth", "regmirror-docker-hub")}
    place.rotate()
    for name, values in before.items():
        after = run(place.helm.values(name))
        assert after["secretVersions"] != values["secretVersions"]
        assert after | {"secretVersions": ""} == values | {"secretVersions": ""}


def test_redis_and_ingress_are_left_alone(place: Rotating) -> None:
    place.helm.upgraded.clear()
    place.rotate()
    assert place.helm.upgraded == ["regmirror-docker-hub", "regmirror-auth", "regmirror-docker-hub"]


def test_a_deployment_afterwards_changes_nothing(place: Rotating) -> None:
    place.rotate()
    assert place.deploy()["changed"] is False


def test_a_deployment_that_looked_before_a_rotation_does_not_bring_the_old_key_back(place: Rotating) -> None:
    apply = place.cluster.apply

    def rotate_first(manifest: Object) -> Applied:
        place.cluster.apply = apply  # type: ignore[method-assign]
        place.rotate()
        return apply(manifest)

    place.cluster.apply = rotate_first  # type: ignore[method-assign]
    with pytest.raises(ConflictError):
        place.deploy()
    assert (place.key, place.trusted) == (NEW, {NEW})
    assert place.deploy()["changed"] is False


def test_a_second_rotation_is_refused_while_the_first_shows_signs_of_life(place: Rotating) -> None:
    rotate_and_die(place, CALLS_TO_THE_SWAP)
    renewals = iter(range(100))
    sleep = place.time.sleep

    async def renewed(seconds: float) -> None:
        lease = place.cluster.get(LEASE, "regmirror-rotation")
        assert lease is not None
        place.cluster.put({**lease, "spec": {**lease["spec"], "renewTime": f"renewed {next(renewals)}"}})
        await sleep(seconds)

    place.time.sleep = renewed  # type: ignore[method-assign]
    with pytest.raises(RotationLockedError, match="another rotation of this mirror is at work"):
        place.rotate(FORCED)
    assert place.successor == NEW


def test_every_replica_of_every_registry_is_asked() -> None:
    place = Rotating(
        samples.mirror(
            auth={"keySize": 2048, "replicas": 2},
            registry={"replicas": 3, "ttl": "0"},
            upstreams=samples.TWO_UPSTREAMS,
            ingress={"className": "traefik", "tlsSecret": None},
        )
    )
    rotate_and_die(place, 6)
    assert place.key == NEW
    pods = [pod for name in ("docker-hub", "quay") for pod in place.cluster.taking_requests(f"regmirror-{name}")]
    assert len(pods) == 6
    for pod in pods:
        assert place.cluster.asked[pod["metadata"]["name"]] == 1


def test_a_rotation_that_goes_on_after_the_swap_has_rotated(place: Rotating) -> None:
    rotate_and_die(place, CALLS_TO_THE_SWAP)
    assert place.key == NEW
    assert place.rotate(NOT_YET)["rotated"]


def test_a_public_host_that_still_leads_to_an_old_key_is_told(place: Rotating) -> None:
    old = place.token_of(samples.key_pair(1))
    place.public_host = lambda request: (  # type: ignore[method-assign]
        Answer(200, {}, json.dumps({"token": old}).encode())
        if request.path == "/auth"
        else Answer(200, {}, b"{}")
        if request.headers.get("Authorization")
        else Rotating.public_host(place, request)
    )
    with pytest.raises(
        RegistryError, match=f"every pod has the new key; but .*signs by the key {OLD} instead of {NEW}"
    ):
        place.rotate()
    assert (place.key, place.trusted, place.successor) == (NEW, {NEW}, None)


def test_a_public_host_that_accepts_the_old_key_is_told(place: Rotating) -> None:
    place.public_host = lambda request: (  # type: ignore[method-assign]
        Answer(200, {}, b"{}") if request.headers.get("Authorization") else Rotating.public_host(place, request)
    )
    with pytest.raises(RegistryError, match="answers 200 instead of 401 to a token of the old key"):
        place.rotate()


def quota(name: str, hard: dict[str, str], used: dict[str, str], **spec: object) -> Object:
    status = {"hard": hard, "used": used}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec, "status": status}


def test_a_quota_without_room_stops_a_rotation_before_anything_is_changed(place: Rotating) -> None:
    place.cluster.put(quota("small", {"pods": "3"}, {"pods": "3"}))
    before = place.cluster.select(SECRET)
    with pytest.raises(RolloutBlockedError, match=r"ResourceQuota small has no room for one more pod: pods 3 of 3"):
        place.rotate()
    with pytest.raises(RolloutBlockedError):
        run(place.rotation().plan())
    assert place.cluster.select(SECRET) == before


class Announced(list[Action]):
    """Hears of each action, and fills a quota when the new key is about to be put in place."""

    def __init__(self, place: Rotating) -> None:
        super().__init__()
        self.place = place

    def append(self, action: Action) -> None:
        super().append(action)
        if action is Action.SWAP:
            self.place.cluster.put(quota("small", {"pods": "3"}, {"pods": "3"}))


def test_room_is_looked_for_before_each_change(place: Rotating) -> None:
    place.actions = Announced(place)
    with pytest.raises(PartlyAppliedError, match="ResourceQuota small has no room for one more pod: pods 3 of 3"):
        place.rotate()
    assert place.key == OLD
    assert place.pull()


def test_room_that_comes_a_moment_later_is_waited_for(place: Rotating) -> None:
    """A quota hears late of pods that have ended."""
    place.actions = Announced(place)
    sleep = place.time.sleep

    async def freed(seconds: float) -> None:
        place.cluster.put(quota("small", {"pods": "3"}, {"pods": "2"}))
        await sleep(seconds)

    place.time.sleep = freed  # type: ignore[method-assign]
    assert place.rotate()["rotated"]
    assert "waiting Pods: the ResourceQuota small has no room for one more pod: pods 3 of 3" in place.progress.events
