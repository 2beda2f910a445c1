"""Durations are parsed and formatted as Go does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regmirror.config.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", timedelta(0)),
        ("0s", timedelta(0)),
        ("90s", timedelta(seconds=90)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("250ms", timedelta(milliseconds=250)),
        ("1h1m1s1ms", timedelta(hours=1, minutes=1, seconds=1, milliseconds=1)),
        ("168h", timedelta(days=7)),
    ],
)
def test_go_durations_are_parsed(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "5", "-5s", "5 m", "m", "1d", "1h30", "5M", "1,5h", "½h", "5m\n", "٣s"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration: write a number and a unit, such as 90s"):
        parse_duration(text)


def test_a_duration_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="is out of range"):
        parse_duration("99999999999999h")


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(0), "0s"),
        (timedelta(days=7), "168h"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(seconds=61), "1m1s"),
        (timedelta(milliseconds=1500), "1.5s"),
        (timedelta(microseconds=10), "0.00001s"),
        (timedelta(hours=1_000_000), "1000000h"),
    ],
)
def test_durations_are_formatted_short(duration: timedelta, expected: str) -> None:
    assert format_duration(duration) == expected


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=36500)))
def test_a_formatted_duration_parses_to_the_same_value(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration
