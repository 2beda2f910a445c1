"""A whole rotation of a mirror in memory: what it does, refuses and reports, and what it does if something fails."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from regmirror.desired import names
from regmirror.desired.secret_versions import annotate_versions
from regmirror.desired.secrets import bundle_secret
from regmirror.errors import (
    ChangeInProgressError,
    ClusterError,
    ConflictError,
    PartlyAppliedError,
    PermissionDeniedError,
    RegistryError,
    RolloutBlockedError,
    RotationError,
)
from regmirror.ports.cluster import LEASE, SECRET, Applied, Object, Right
from regmirror.ports.http import Answer
from regmirror.rotate.due import Threshold
from regmirror.rotate.options import RotationOptions
from regmirror.rotate.plan import Action
from regmirror.rotate.rotation_state import Mode
from regmirror.signing.key_pair import KeyPair, generate_private_key, load_key_pair
from tests import samples
from tests.unit.rotating import FORCED, NOT_YET, RotationHarness, pair_of, rotate_until_killed, run, with_options

OLD, NEW = (RotationHarness.id_of_sample(serial) for serial in (1, 2))
ABORT = RotationOptions(NOT_YET.threshold, mode=Mode.ABORT)
CALLS_UNTIL_KEY_IS_REPLACED = 5


@pytest.fixture
def env() -> RotationHarness:
    return RotationHarness()


def test_a_rotation_replaces_the_key_everywhere(env: RotationHarness) -> None:
    old_token = env.token_of(samples.key_pair(1))
    report = env.rotate()
    assert (env.key, env.trusted, env.next_key) == (NEW, {NEW}, None)
    assert env.pull()
    assert not any(env.cluster.accepted(old_token))
    assert report.checked_hosts == [samples.HOST]
    assert (report.rotated, report.changed, report.key_id) == (True, True, NEW)
    assert {name.rpartition("-")[0] for name in report.started_pods} == {"regmirror-auth", "regmirror-docker-hub"}


def test_a_rotation_executes_its_plan(env: RotationHarness) -> None:
    planned = run(env.rotation().plan())
    env.rotate()
    assert env.actions == planned


def test_a_plan_changes_nothing(env: RotationHarness) -> None:
    before = env.cluster.select(SECRET)
    assert run(env.rotation().plan())
    assert run(env.rotation(NOT_YET).plan()) == []
    assert env.cluster.select(SECRET) == before


def test_a_rotation_that_is_not_due_changes_nothing(env: RotationHarness) -> None:
    before = env.cluster.select(SECRET)
    lease = env.cluster.get(LEASE, "regmirror-change")
    report = env.rotate(NOT_YET)
    assert (report.changed, report.rotated) == (False, False)
    assert report.document()["dueAt"] == "2030-03-11T23:00:00Z"
    assert env.cluster.select(SECRET) == before
    assert env.cluster.get(LEASE, "regmirror-change") == lease


def test_a_certificate_that_has_ended_is_rotated(env: RotationHarness) -> None:
    env.time.now += timedelta(days=2000)
    assert env.pull()
    assert run(env.rotation(NOT_YET).check()).due
    assert env.rotate(RotationOptions(NOT_YET.threshold, pair=pair_of(begins=env.time.now))).rotated
    assert env.pull()


def test_check_reports_whether_a_rotation_is_due(env: RotationHarness) -> None:
    check = run(env.rotation(NOT_YET).check())
    assert (check.deployed, check.due) == (True, False)
    assert run(env.rotation(RotationOptions(Threshold(left=timedelta(days=9999)))).check()).due
    env.cluster.delete(SECRET, names.SIGNING_SECRET)
    assert run(env.rotation(NOT_YET).check()).deployed is False


def test_a_rotation_in_progress_is_due(env: RotationHarness) -> None:
    rotate_until_killed(env, CALLS_UNTIL_KEY_IS_REPLACED)
    assert "is in progress" in run(env.rotation(NOT_YET).check()).message


def test_no_private_key_appears_in_reports_or_progress(env: RotationHarness) -> None:
    report = env.rotate()
    told = json.dumps([report.document(), env.progress.events])
    for serial in (1, 2):
        lines = samples.key_pair(serial).key_pem.decode().splitlines()
        assert not [line for line in lines[1:-1] if line in told]


def test_a_rotation_without_a_mirror_fails(env: RotationHarness) -> None:
    env.cluster.delete(SECRET, names.SIGNING_SECRET)
    with pytest.raises(RotationError, match="no mirror is deployed in namespace regmirror"):
        env.rotate()


def test_a_missing_right_is_named_before_anything_is_changed(env: RotationHarness) -> None:
    env.cluster.denied = {Right("create", "", "pods/portforward")}
    before = env.cluster.select(SECRET)
    with pytest.raises(PermissionDeniedError, match="create pods/portforward"):
        env.rotate()
    assert env.cluster.select(SECRET) == before


def test_a_pod_that_refuses_the_new_key_stops_the_rotation_before_the_key_is_replaced(env: RotationHarness) -> None:
    rotate_until_killed(env, CALLS_UNTIL_KEY_IS_REPLACED - 1)
    (pod,) = env.cluster.taking_requests("regmirror-docker-hub")
    env.cluster.listeners[pod["metadata"]["name"], names.REGISTRY_PORT] = refuse
    with pytest.raises(RotationError, match="refuses a token of the key"):
        env.rotate(NOT_YET)
    assert env.key == OLD
    assert env.pull()


def refuse(connection: object) -> None:
    """Answer every request with 401."""
    connection.recv(65536)  # type: ignore[attr-defined]
    connection.sendall(b"HTTP/1.1 401 -\r\nContent-Length: 0\r\n\r\n")  # type: ignore[attr-defined]


def test_a_pod_that_does_not_answer_stops_the_rotation(env: RotationHarness) -> None:
    (pod,) = env.cluster.taking_requests("regmirror-auth")
    del env.cluster.listeners[pod["metadata"]["name"], names.AUTH_PORT]
    with pytest.raises(PartlyAppliedError, match="cannot forward port 5001"):
        env.rotate()
    assert (env.key, env.trusted) == (OLD, {OLD, NEW})


def test_a_component_without_a_ready_pod_stops_the_rotation(env: RotationHarness) -> None:
    (pod,) = env.cluster.taking_requests("regmirror-auth")
    pod["status"]["conditions"] = []
    env.cluster.put(pod)
    with pytest.raises(PartlyAppliedError, match="regmirror-auth has no ready pod"):
        env.rotate()
    assert env.key == OLD


def test_clocks_that_differ_stop_the_rotation_before_the_key_is_replaced(env: RotationHarness) -> None:
    here = env.time.now
    env.cluster.now = lambda: here + timedelta(seconds=31)
    with pytest.raises(PartlyAppliedError, match="differ by 31 seconds"):
        env.rotate()
    assert env.key == OLD


def test_a_rotation_continues_after_a_failure_of_helm(env: RotationHarness) -> None:
    env.helm.failures["regmirror-docker-hub"] = ClusterError("quota")  # type: ignore[assignment]
    with pytest.raises(PartlyAppliedError, match="stopped after add-certificate: quota"):
        env.rotate()
    env.helm.failures.clear()
    assert env.rotate(NOT_YET).rotated


def test_an_abort_restores_the_old_key(env: RotationHarness) -> None:
    rotate_until_killed(env, CALLS_UNTIL_KEY_IS_REPLACED - 1)
    report = env.rotate(ABORT)
    assert (report.rotated, report.changed) == (False, True)
    assert (env.key, env.trusted, env.next_key) == (OLD, {OLD}, None)


def test_an_abort_is_refused_once_the_key_is_replaced(env: RotationHarness) -> None:
    rotate_until_killed(env, CALLS_UNTIL_KEY_IS_REPLACED)
    assert env.key == NEW
    with pytest.raises(RotationError, match="docker_auth already has the new key"):
        env.rotate(ABORT)
    with pytest.raises(RotationError, match="docker_auth already has the new key"):
        run(env.rotation(ABORT).plan())


def test_without_a_rotation_there_is_nothing_to_abort(env: RotationHarness) -> None:
    with pytest.raises(RotationError, match="no rotation is in progress"):
        env.rotate(ABORT)


def test_an_emergency_in_the_middle_of_a_rotation_trusts_neither_key(env: RotationHarness) -> None:
    rotate_until_killed(env, CALLS_UNTIL_KEY_IS_REPLACED)
    own = pair_of()
    env.rotate(with_options(mode=Mode.EMERGENCY, pair=own))
    assert env.key not in {OLD, NEW}
    assert env.trusted == {env.key}
    assert not any(env.cluster.accepted(env.token_of(samples.key_pair(2))))
    assert env.pull()


def company_authority(env: RotationHarness) -> KeyPair:
    """A key pair whose certificate may issue others; earlier versions of regmirror made such ones."""
    key, name = generate_private_key(2048), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "company")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(env.time.now - timedelta(days=1))
    builder = builder.not_valid_after(env.time.now + timedelta(days=90))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    formats = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return KeyPair(certificate, key.private_bytes(serialization.Encoding.PEM, *formats))


def test_a_certificate_authority_is_refused_with_the_command_that_makes_another(env: RotationHarness) -> None:
    with pytest.raises(RotationError, match="is a certificate authority") as caught:
        env.rotate(with_options(pair=company_authority(env)))
    assert "-addext basicConstraints=critical,CA:FALSE" in str(caught.value.hint)
    assert env.key == OLD


def test_an_authority_that_the_registries_trust_already_is_accepted(env: RotationHarness) -> None:
    own = company_authority(env)
    bundle = bundle_secret(samples.mirror(), own.certificate_pem + samples.key_pair().certificate_pem)
    env.cluster.apply(annotate_versions([bundle], {}, samples.NOW)[0])
    assert env.rotate(with_options(pair=own)).rotated


def test_an_emergency_rotation_cannot_be_aborted(env: RotationHarness) -> None:
    rotate_until_killed(env, 2, with_options(mode=Mode.EMERGENCY))
    assert env.key == OLD
    with pytest.raises(RotationError, match="the current key must not be trusted"):
        env.rotate(ABORT)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (samples.key_pair(1), "the key of --key is already in use"),
        (pair_of(1024), "has 1024 bits"),
        (pair_of(begins=samples.NOW - timedelta(days=100)), "not valid at this time"),
        (pair_of(begins=samples.NOW + timedelta(days=1)), "not valid at this time"),
    ],
)
def test_an_unsuitable_key_is_refused(env: RotationHarness, pair: KeyPair, message: str) -> None:
    with pytest.raises(RotationError, match=message):
        env.rotate(with_options(pair=pair))
    assert env.next_key is None


def test_a_certificate_that_is_due_already_is_refused_unless_forced(env: RotationHarness) -> None:
    nearly_over = pair_of(begins=samples.NOW - timedelta(days=80))
    with pytest.raises(RotationError, match="is due for rotation itself since 2026-11-02") as caught:
        env.rotate(with_options(pair=nearly_over, force=False))
    assert "--force" in str(caught.value.hint)
    assert env.rotate(with_options(pair=nearly_over)).rotated


def test_another_key_is_refused_while_a_rotation_is_in_progress(env: RotationHarness) -> None:
    rotate_until_killed(env, CALLS_UNTIL_KEY_IS_REPLACED)
    with pytest.raises(RotationError, match="a key other than that of --key"):
        env.rotate(with_options(pair=pair_of()))


def test_size_and_validity_come_from_the_options_or_from_the_file(env: RotationHarness) -> None:
    options = RotationOptions(NOT_YET.threshold, key_size=3072, validity=timedelta(days=30))
    pair = options.new_key_pair(env.mirror.auth, samples.NOW)
    assert pair.private_key.key_size == 3072
    assert pair.certificate.not_valid_after_utc - pair.certificate.not_valid_before_utc == timedelta(days=30)
    assert NOT_YET.new_key_pair(env.mirror.auth, samples.NOW).private_key.key_size == 2048
    assert load_key_pair(pair.certificate_pem, pair.key_pem) == pair


def test_values_of_the_releases_stay_as_they_are(env: RotationHarness) -> None:
    before = {name: run(env.helm.values(name)) for name in ("regmirror-auth", "regmirror-docker-hub")}
    env.rotate()
    for name, values in before.items():
        after = run(env.helm.values(name))
        assert after["secretVersions"] != values["secretVersions"]
        assert after | {"secretVersions": ""} == values | {"secretVersions": ""}


def test_redis_and_ingress_are_not_touched(env: RotationHarness) -> None:
    env.helm.upgraded.clear()
    env.rotate()
    assert env.helm.upgraded == ["regmirror-docker-hub", "regmirror-auth", "regmirror-docker-hub"]


def test_a_deployment_afterwards_changes_nothing(env: RotationHarness) -> None:
    env.rotate()
    assert env.deploy()["changed"] is False


def test_a_deployment_that_planned_before_a_rotation_does_not_restore_the_old_key(
    env: RotationHarness,
) -> None:
    apply = env.cluster.apply

    def rotate_first(manifest: Object) -> Applied:
        env.cluster.apply = apply  # type: ignore[method-assign]
        env.rotate()
        return apply(manifest)

    env.cluster.apply = rotate_first  # type: ignore[method-assign]
    with pytest.raises(ConflictError):
        env.deploy()
    assert (env.key, env.trusted) == (NEW, {NEW})
    assert env.deploy()["changed"] is False


def test_a_second_rotation_is_refused_while_the_first_renews_its_lease(env: RotationHarness) -> None:
    rotate_until_killed(env, CALLS_UNTIL_KEY_IS_REPLACED)
    renewals = iter(range(100))
    sleep = env.time.sleep

    async def renewed(seconds: float) -> None:
        lease = env.cluster.get(LEASE, "regmirror-change")
        assert lease is not None
        env.cluster.put({**lease, "spec": {**lease["spec"], "renewTime": f"renewed {next(renewals)}"}})
        await sleep(seconds)

    env.time.sleep = renewed  # type: ignore[method-assign]
    with pytest.raises(ChangeInProgressError, match="another command is changing this mirror: regmirror rotate-cert"):
        env.rotate(FORCED)
    assert env.next_key == NEW


def test_every_replica_of_every_registry_is_checked() -> None:
    env = RotationHarness(
        samples.mirror(
            auth={"keySize": 2048, "replicas": 2},
            registry={"replicas": 3, "ttl": "0"},
            upstreams=samples.TWO_UPSTREAMS,
            ingress={"className": "traefik", "tlsSecret": None},
        )
    )
    rotate_until_killed(env, 6)
    assert env.key == NEW
    pods = [pod for name in ("docker-hub", "quay") for pod in env.cluster.taking_requests(f"regmirror-{name}")]
    assert len(pods) == 6
    for pod in pods:
        assert env.cluster.asked[pod["metadata"]["name"]] == 1


def test_a_rotation_that_continues_after_the_key_was_replaced_has_rotated(env: RotationHarness) -> None:
    rotate_until_killed(env, CALLS_UNTIL_KEY_IS_REPLACED)
    assert env.key == NEW
    assert env.rotate(NOT_YET).rotated


def test_a_public_host_that_still_signs_with_the_old_key_is_reported(env: RotationHarness) -> None:
    old = env.token_of(samples.key_pair(1))
    env.public_host = lambda request: (  # type: ignore[method-assign]
        Answer(200, {}, json.dumps({"token": old}).encode())
        if request.path == "/auth"
        else Answer(200, {}, b"{}")
        if request.headers.get("Authorization")
        else RotationHarness.public_host(env, request)
    )
    with pytest.raises(
        RegistryError, match=f"every pod has the new key, but .*signs with the key {OLD} instead of {NEW}"
    ):
        env.rotate()
    assert (env.key, env.trusted, env.next_key) == (NEW, {NEW}, None)


def test_a_public_host_that_accepts_the_old_key_is_reported(env: RotationHarness) -> None:
    env.public_host = lambda request: (  # type: ignore[method-assign]
        Answer(200, {}, b"{}") if request.headers.get("Authorization") else RotationHarness.public_host(env, request)
    )
    with pytest.raises(RegistryError, match="answers 200 instead of 401 to a token of the old key"):
        env.rotate()


def quota(name: str, hard: dict[str, str], used: dict[str, str], **spec: object) -> Object:
    status = {"hard": hard, "used": used}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec, "status": status}


def test_a_quota_without_room_stops_a_rotation_before_anything_is_changed(env: RotationHarness) -> None:
    env.cluster.put(quota("small", {"pods": "3"}, {"pods": "3"}))
    before = env.cluster.select(SECRET)
    with pytest.raises(RolloutBlockedError, match=r"ResourceQuota small has no room for one more pod: pods 3 of 3"):
        env.rotate()
    with pytest.raises(RolloutBlockedError):
        run(env.rotation().plan())
    assert env.cluster.select(SECRET) == before


class FillsQuota(list[Action]):
    """Receives each action, and fills a quota before the key is replaced."""

    def __init__(self, env: RotationHarness) -> None:
        super().__init__()
        self.env = env

    def append(self, action: Action) -> None:
        super().append(action)
        if action is Action.REPLACE_KEY:
            self.env.cluster.put(quota("small", {"pods": "3"}, {"pods": "3"}))


def test_room_in_quotas_is_checked_before_each_change(env: RotationHarness) -> None:
    env.actions = FillsQuota(env)
    with pytest.raises(PartlyAppliedError, match="ResourceQuota small has no room for one more pod: pods 3 of 3"):
        env.rotate()
    assert env.key == OLD
    assert env.pull()


def test_room_that_appears_a_moment_later_is_waited_for(env: RotationHarness) -> None:
    """A quota counts pods that have ended with a delay."""
    env.actions = FillsQuota(env)
    sleep = env.time.sleep

    async def freed(seconds: float) -> None:
        env.cluster.put(quota("small", {"pods": "3"}, {"pods": "2"}))
        await sleep(seconds)

    env.time.sleep = freed  # type: ignore[method-assign]
    assert env.rotate().rotated
    assert "waiting Rollout: the ResourceQuota small has no room for one more pod: pods 3 of 3" in env.progress.events
