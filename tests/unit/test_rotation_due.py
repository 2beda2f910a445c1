"""When a certificate is due, and what deploy warns of without replacing the key."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regmirror.deploy.warnings import signing_key_warnings
from regmirror.rotate.due import Threshold, parse_days, parse_threshold
from tests import samples
from tests.unit.rotating import pair_of

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "threshold"),
    [
        ("30d", Threshold(left=30 * DAY)),
        ("36h", Threshold(left=timedelta(hours=36))),
        ("66%", Threshold(elapsed=0.66)),
        ("100%", Threshold(elapsed=1.0)),
    ],
)
def test_a_threshold_is_the_remaining_time_or_the_elapsed_share(text: str, threshold: Threshold) -> None:
    assert parse_threshold(text) == threshold


@pytest.mark.parametrize("text", ["", "30", "101%", "x%", "-3d", "3w"])
def test_other_texts_are_not_thresholds(text: str) -> None:
    with pytest.raises(ValueError):
        parse_threshold(text)


def test_days_are_durations() -> None:
    assert (parse_days("365d"), parse_days("90m")) == (365 * DAY, timedelta(minutes=90))


@pytest.mark.parametrize(("text", "day"), [("66%", 66), ("30d", 70), ("100%", 100), ("0d", 100)])
def test_a_certificate_becomes_due_at_a_moment(text: str, day: int) -> None:
    certificate = pair_of(days=100).certificate
    due = certificate.not_valid_before_utc + day * DAY
    threshold = parse_threshold(text)
    assert threshold.due_at(certificate) == due
    assert not threshold.is_due(certificate, due - timedelta(seconds=1))
    assert threshold.is_due(certificate, due)


def auth(**changes: object) -> object:
    return samples.mirror(auth={"keySize": 2048, "certificateDays": 90, **changes}).auth


@pytest.mark.parametrize(
    ("changes", "days_later", "words"),
    [
        ({}, 0, []),
        ({}, 29, []),
        ({}, 31, ["the signing certificate expires in 58 days: regmirror rotate-cert --force"]),
        ({}, 91, ["the signing certificate expired on 2027-02-21: regmirror rotate-cert"]),
        ({"keySize": 4096}, 0, ["auth.keySize is 4096 in the file, but 2048 in the current signing key"]),
        ({"certificateDays": 365}, 0, ["auth.certificateDays is 365 in the file, but 90 in the current signing key"]),
    ],
)
def test_deploy_warns_of_a_key_to_rotate(changes: dict[str, object], days_later: int, words: list[str]) -> None:
    advice = signing_key_warnings(auth(**changes), pair_of(), samples.NOW + days_later * DAY)  # type: ignore[arg-type]
    assert len(advice) == len(words)
    for sentence, start in zip(advice, words, strict=True):
        assert sentence.startswith(start)
        assert "regmirror rotate-cert" in sentence
