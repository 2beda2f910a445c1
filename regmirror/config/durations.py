"""Durations in the notation of Go ("90s", "1h30m"), which Kubernetes, Helm and the registry use too."""

import re
from datetime import timedelta
from fractions import Fraction

_MICROSECONDS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")


def parse_duration(text: str) -> timedelta:
    """Parse a Go duration such as ``90s`` or ``1h30m``; only ``0`` may omit the unit.

    Raises ValueError for anything else. Source: Go's ``time.ParseDuration``, without signs and microseconds.
    """
    if text == "0":
        return timedelta(0)
    if not re.fullmatch(f"(?:{_PART.pattern})+", text):
        raise ValueError(f'"{text}" is not a duration: write a number and a unit, such as 90s, 5m or 1h30m')
    parts = [Fraction(number) * _MICROSECONDS[unit] for number, unit in _PART.findall(text)]
    try:
        return timedelta(microseconds=round(sum(parts)))
    except OverflowError:
        raise ValueError(f'"{text}" is out of range') from None


def format_duration(duration: timedelta) -> str:
    """Format a duration so that Go parses the same value."""
    minutes, seconds = divmod(duration, timedelta(minutes=1))
    hours, minutes = divmod(minutes, 60)
    decimals = f"{seconds.seconds}.{seconds.microseconds:06d}".rstrip("0").rstrip(".")
    parts = [(str(hours), "h"), (str(minutes), "m"), (decimals, "s")]
    return "".join(value + unit for value, unit in parts if value != "0") or "0s"
