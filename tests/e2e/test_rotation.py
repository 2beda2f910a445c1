"""Rotations under a continuous load of real pulls: none fails, and afterwards the old key is not accepted."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from regmirror.signing.bundle import key_id
from regmirror.signing.key_pair import KeyPair
from tests.e2e.deployed_mirror import DeployedMirror, Outcome
from tests.e2e.load import Load
from tests.e2e.long_runs import LONG
from tests.e2e.rotations import forged_token_status, put_expired_key, short_lived, signing_key

pytestmark = pytest.mark.lab

ROTATIONS = 10 if LONG else 1


@dataclass(frozen=True)
class Expired:
    """The output of each command about an expired certificate; ``check`` is an exit code."""

    deploy: str
    verify: str
    status: str
    check: int


@dataclass(frozen=True)
class Rotated:
    """A mirror after its rotations, with the outcomes and the load."""

    mirror: DeployedMirror
    replicas: int
    outcomes: list[Outcome]
    load: Load
    first_key: KeyPair
    warned: Expired


@pytest.fixture(scope="module")
def rotated(new_mirror: Callable[[], DeployedMirror]) -> dict[int, Rotated]:
    """Mirrors with one and with three replicas, rotated in parallel: a rotation is mostly waiting."""
    mirrors = {1: short_lived(new_mirror()), 3: short_lived(new_mirror(), replicas=3)}
    put_expired_key(mirrors[1])
    for mirror in mirrors.values():
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.stderr
    with ThreadPoolExecutor() as pool:
        return dict(zip(mirrors, pool.map(rotate_under_load, mirrors.values(), mirrors), strict=True))


def rotate_under_load(mirror: DeployedMirror, replicas: int) -> Rotated:
    first_key = signing_key(mirror)
    warned = expiry_messages(mirror)
    # The key of one mirror is expired, so its first rotation is due.
    reasons = [[] if warned.check == 0 else ["--force"], *[["--force"]] * (ROTATIONS - 1)]
    with Load(mirror).running() as load:
        outcomes = [mirror.rotate("--debug", *reason) for reason in reasons]
    return Rotated(mirror, replicas, outcomes, load, first_key, warned)


def expiry_messages(mirror: DeployedMirror) -> Expired:
    resolve = mirror.target.resolve(mirror.host)
    return Expired(
        mirror.deploy().stderr,
        mirror.verify("--check", "token-validity").stdout,
        mirror.regmirror("status", *resolve).stdout,
        mirror.regmirror("rotate-cert", "--check").code,
    )


def test_every_command_warns_of_an_expired_certificate_and_rotation_replaces_it(rotated: dict[int, Rotated]) -> None:
    found = rotated[1]
    assert "the signing certificate expired on" in found.warned.deploy
    assert "regmirror rotate-cert" in found.warned.deploy
    assert "the signing certificate expired on" in found.warned.verify
    assert "regmirror rotate-cert" in found.warned.verify
    assert "regmirror rotate-cert" in found.warned.status
    assert (found.warned.check, rotated[3].warned.check) == (0, 1)
    assert "regmirror rotate-cert" not in rotated[3].warned.status
    assert found.outcomes[0].document["rotated"] is True
    assert signing_key(found.mirror).certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=60)


@pytest.mark.parametrize("replicas", [1, 3])
def test_no_pull_fails(rotated: dict[int, Rotated], replicas: int, capsys: pytest.CaptureFixture[str]) -> None:
    found = rotated[replicas]
    with capsys.disabled():
        print(f"\n{ROTATIONS} rotation(s), {replicas} registry replica(s):\n{found.load.report()}")  # noqa: T201
    for outcome in found.outcomes:
        assert outcome.code == 0, outcome.stderr
        report = outcome.document
        assert report["rotated"] is True
        assert report["checkedHosts"] == [found.mirror.host]
        assert len(report["startedPods"]) == replicas + min(replicas, 2)
    assert found.load.failures == []
    assert min(found.load.counts.values()) >= 3 * ROTATIONS
    assert len(found.load.counts) == 4


@pytest.mark.parametrize("replicas", [1, 3])
def test_afterwards_only_the_new_key_remains_and_the_mirror_is_healthy(
    rotated: dict[int, Rotated], replicas: int
) -> None:
    mirror = rotated[replicas].mirror
    names = {secret["metadata"]["name"] for secret in mirror.objects("secrets")}
    assert "regmirror-signing-next" not in names
    bundle = json.loads(mirror.kubectl("get", "secret", "regmirror-bundle", "-o", "json"))["data"]["bundle.crt"]
    assert base64.b64decode(bundle).count(b"BEGIN CERTIFICATE") == 1
    mirror.await_healthy()
    assert mirror.deploy("-o", "json").document["changed"] is False


@pytest.mark.parametrize("replicas", [1, 3])
def test_tokens_of_the_old_key_are_rejected(rotated: dict[int, Rotated], replicas: int) -> None:
    found = rotated[replicas]
    assert forged_token_status(found.mirror, found.first_key) == 401
    assert forged_token_status(found.mirror, signing_key(found.mirror)) == 200


def test_a_quota_without_room_is_reported_before_any_change(rotated: dict[int, Rotated]) -> None:
    mirror = rotated[1].mirror
    before = (mirror.pods(), signing_key(mirror))
    count = len(mirror.objects("pods"))
    mirror.kubectl("create", "quota", "small", f"--hard=pods={count}")
    try:
        mirror.kubectl("wait", "resourcequota/small", f"--for=jsonpath={{.status.used.pods}}={count}", "--timeout=600s")
        for options in ([], ["--dry-run"]):
            outcome = mirror.rotate("--force", *options)
            error = outcome.document["error"]
            assert (outcome.code, error["code"]) == (1, "RM612"), outcome.stderr
            assert f"the ResourceQuota small has no room for one more pod: pods {count} of {count}" in error["message"]
            assert "edit resourcequota small" in error["hint"]
    finally:
        mirror.kubectl("delete", "quota", "small")
    assert (mirror.pods(), signing_key(mirror)) == before
    assert mirror.regmirror("rotate-cert", "--check").code == 1


def test_a_key_that_is_not_due_is_not_rotated(rotated: dict[int, Rotated]) -> None:
    mirror = rotated[1].mirror
    before = (mirror.pods(), signing_key(mirror))
    outcome = mirror.regmirror("rotate-cert")
    assert outcome.code == 0
    assert "Not due before" in outcome.stderr
    assert (mirror.pods(), signing_key(mirror)) == before
    assert mirror.regmirror("rotate-cert", "--check").code == 1
    assert mirror.regmirror("rotate-cert", "--check", "--expires-in", "9999d").code == 0
    assert mirror.regmirror("rotate-cert", "--check", "--namespace", "regmirror-is-not-here").code == 2
    assert mirror.regmirror("rotate-cert", "--check", "--context", "no-such-context").code == 255


def test_an_emergency_rotation_revokes_the_old_key_at_once(rotated: dict[int, Rotated]) -> None:
    mirror = rotated[3].mirror
    stolen = signing_key(mirror)
    assert forged_token_status(mirror, stolen) == 200
    outcome = mirror.rotate("--emergency")
    assert outcome.code == 0, outcome.stderr
    assert forged_token_status(mirror, stolen) == 401
    assert outcome.document["keyId"] == key_id(signing_key(mirror).private_key.public_key())
    assert [step["name"] for step in outcome.document["steps"]] == [
        "begin",
        "replace-key",
        "remove-old-certificates",
        "roll-out-all",
        "complete",
    ]
    mirror.await_healthy()
