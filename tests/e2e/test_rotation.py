"""A new signing key under a steady load of real pulls: none fails, and then the old key is worth nothing."""

import base64
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from regmirror.signing.bundle import key_id
from regmirror.signing.key_pair import KeyPair
from tests.e2e.deployed_mirror import Deployment, Outcome
from tests.e2e.load import Load
from tests.e2e.rotations import put_expired_key, short_lived, signing_key, status_of_forged

pytestmark = pytest.mark.lab

ROTATIONS = 10 if os.environ.get("REGMIRROR_LONG") else 1


@dataclass(frozen=True)
class Expired:
    """What each command said of a certificate that had ended."""

    deploy: str
    verify: str
    status: str
    check: int


@dataclass(frozen=True)
class Rotated:
    """A mirror after its rotations, with what was seen on the way."""

    mirror: Deployment
    replicas: int
    outcomes: list[Outcome]
    load: Load
    first_key: KeyPair
    warned: Expired


@pytest.fixture(scope="module")
def rotated(new_deployment: Callable[[], Deployment]) -> dict[int, Rotated]:
    """One mirror with one replica and one with three, rotated side by side: a rotation is mostly waiting."""
    mirrors = {1: short_lived(new_deployment()), 3: short_lived(new_deployment(), replicas=3)}
    put_expired_key(mirrors[1])
    for mirror in mirrors.values():
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.words
    with ThreadPoolExecutor() as pool:
        return dict(zip(mirrors, pool.map(rotate_under_load, mirrors.values(), mirrors), strict=True))


def rotate_under_load(mirror: Deployment, replicas: int) -> Rotated:
    first_key = signing_key(mirror)
    warned = said_of_expiry(mirror)
    # The first key of one of the mirrors has ended, which is reason enough.
    reasons = [[] if warned.check == 0 else ["--force"], *[["--force"]] * (ROTATIONS - 1)]
    with Load(mirror).running() as load:
        outcomes = [mirror.rotate("--debug", *reason) for reason in reasons]
    return Rotated(mirror, replicas, outcomes, load, first_key, warned)


def said_of_expiry(mirror: Deployment) -> Expired:
    resolve = mirror.setting.resolve(mirror.host)
    return Expired(
        mirror.deploy().words,
        mirror.verify("--check", "token-validity").output,
        mirror.regmirror("status", *resolve).output,
        mirror.regmirror("rotate-cert", "--check").code,
    )


def test_an_expired_certificate_is_warned_of_everywhere_and_rotated_like_any_other(rotated: dict[int, Rotated]) -> None:
    found = rotated[1]
    assert "The signing certificate ended on" in found.warned.deploy
    assert "regmirror rotate-cert" in found.warned.deploy
    assert "the signing certificate ended on" in found.warned.verify
    assert "regmirror rotate-cert" in found.warned.verify
    assert "regmirror rotate-cert" in found.warned.status
    assert (found.warned.check, rotated[3].warned.check) == (0, 1)
    assert "regmirror rotate-cert" not in rotated[3].warned.status
    assert found.outcomes[0].document["rotated"] is True
    assert signing_key(found.mirror).certificate.not_valid_after_utc > datetime.now(UTC) + timedelta(days=60)


@pytest.mark.parametrize("replicas", [1, 3])
def test_not_one_pull_fails(rotated: dict[int, Rotated], replicas: int, capsys: pytest.CaptureFixture[str]) -> None:
    found = rotated[replicas]
    with capsys.disabled():
        print(f"\n{ROTATIONS} rotation(s), {replicas} registry replica(s):\n{found.load.report()}")  # noqa: T201
    for outcome in found.outcomes:
        assert outcome.code == 0, outcome.words
        report = outcome.document
        assert report["rotated"] is True
        assert report["checkedHosts"] == [found.mirror.host]
        assert len(report["startedPods"]) == replicas + min(replicas, 2)
    assert found.load.failures == []
    assert min(found.load.counts.values()) >= 3 * ROTATIONS
    assert len(found.load.counts) == 4


@pytest.mark.parametrize("replicas", [1, 3])
def test_afterwards_one_key_is_left_and_the_mirror_is_whole(rotated: dict[int, Rotated], replicas: int) -> None:
    mirror = rotated[replicas].mirror
    names = {secret["metadata"]["name"] for secret in mirror.objects("secrets")}
    assert "regmirror-signing-next" not in names
    bundle = json.loads(mirror.kubectl("get", "secret", "regmirror-bundle", "-o", "json"))["data"]["bundle.crt"]
    assert base64.b64decode(bundle).count(b"BEGIN CERTIFICATE") == 1
    assert mirror.failures() == {}
    assert mirror.deploy("-o", "json").document["changed"] is False


@pytest.mark.parametrize("replicas", [1, 3])
def test_tokens_of_the_old_key_are_refused(rotated: dict[int, Rotated], replicas: int) -> None:
    found = rotated[replicas]
    assert status_of_forged(found.mirror, found.first_key) == 401
    assert status_of_forged(found.mirror, signing_key(found.mirror)) == 200


def test_a_quota_without_room_is_told_before_anything_is_changed(rotated: dict[int, Rotated]) -> None:
    mirror = rotated[1].mirror
    before = (mirror.pods(), signing_key(mirror))
    count = len(mirror.objects("pods"))
    mirror.kubectl("create", "quota", "small", f"--hard=pods={count}")
    try:
        mirror.kubectl("wait", "resourcequota/small", f"--for=jsonpath={{.status.used.pods}}={count}", "--timeout=30s")
        for options in ([], ["--dry-run"]):
            outcome = mirror.rotate("--force", *options)
            error = outcome.document["error"]
            assert (outcome.code, error["code"]) == (1, "RM612"), outcome.words
            assert f"the ResourceQuota small has no room for one more pod: pods {count} of {count}" in error["message"]
            assert "edit resourcequota small" in error["hint"]
    finally:
        mirror.kubectl("delete", "quota", "small")
    assert (mirror.pods(), signing_key(mirror)) == before
    assert mirror.regmirror("rotate-cert", "--check").code == 1


def test_what_is_not_due_is_left_alone(rotated: dict[int, Rotated]) -> None:
    mirror = rotated[1].mirror
    before = (mirror.pods(), signing_key(mirror))
    outcome = mirror.regmirror("rotate-cert")
    assert outcome.code == 0
    assert "Not due before" in outcome.words
    assert (mirror.pods(), signing_key(mirror)) == before
    assert mirror.regmirror("rotate-cert", "--check").code == 1
    assert mirror.regmirror("rotate-cert", "--check", "--expires-in", "9999d").code == 0
    assert mirror.regmirror("rotate-cert", "--check", "--namespace", "regmirror-is-not-here").code == 2
    assert mirror.regmirror("rotate-cert", "--check", "--context", "no-such-context").code == 255


def test_after_a_leak_the_old_key_is_worth_nothing_at_once(rotated: dict[int, Rotated]) -> None:
    mirror = rotated[3].mirror
    stolen = signing_key(mirror)
    assert status_of_forged(mirror, stolen) == 200
    outcome = mirror.rotate("--emergency")
    assert outcome.code == 0, outcome.words
    assert status_of_forged(mirror, stolen) == 401
    assert outcome.document["keyId"] == key_id(signing_key(mirror).private_key.public_key())
    assert [step["name"] for step in outcome.document["steps"]] == [
        "begin",
        "replace-key",
        "remove-old-certificates",
        "roll-out-all",
        "complete",
    ]
    assert mirror.failures() == {}
