"""Quantities of Kubernetes as numbers, and back in the unit that people use."""

import re
from decimal import Decimal
from math import ceil
from typing import Any

_UNITS = {
    **{unit: Decimal(10) ** power for unit, power in (("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6))},
    **{unit: Decimal(10) ** power for unit, power in (("G", 9), ("T", 12), ("P", 15), ("E", 18))},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")
_IN_BYTES = ("memory", "storage", "hugepages-")


def parse_quantity(value: Any) -> Decimal:
    """A quantity such as ``250m``, ``128Mi`` or ``1e3`` as a number of its base unit; raises ValueError.

    Source: k8s.io/apimachinery ``pkg/api/resource/quantity.go``.
    """
    parts = _QUANTITY.fullmatch(str(value))
    if parts is None or parts[2] not in _UNITS:
        raise ValueError(f"{value!r} is not a quantity")
    return Decimal(parts[1]) * _UNITS[parts[2]]


def format_quantity(resource: str, value: Decimal) -> str:
    """A number of a resource's base unit, rounded up: ``350m`` processors, ``512Mi`` bytes, ``3`` pods."""
    if any(word in resource for word in _IN_BYTES):
        return f"{ceil(value / _UNITS['Mi'])}Mi"
    if value == value.to_integral_value():
        return str(int(value))
    return f"{ceil(value * 1000)}m"
