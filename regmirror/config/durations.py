"""Durations as Go writes them ("90s", "1h30m"): the notation of Kubernetes, Helm and the registry."""

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def parse_duration(text: str) -> timedelta:
    """Read a Go duration such as ``90s`` or ``1h30m``; a bare ``0`` is the only number that needs no unit.

    Raises ValueError for anything else. Source: Go's ``time.ParseDuration``, without signs and microseconds.
    """
    if text == "0":
        return timedelta(0)
    if not re.fullmatch(f"(?:{_PART.pattern})+", text):
        raise ValueError(f'"{text}" is not a duration: write a number with a unit, as in 90s, 5m or 1h30m')
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


def format_duration(duration: timedelta) -> str:
    """Write a duration so that Go reads the same value back."""
    hours, seconds = divmod(duration.total_seconds(), 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = [(hours, "h"), (minutes, "m"), (seconds, "s")]
    return "".join(f"{value:g}{unit}" for value, unit in parts if value) or "0s"
