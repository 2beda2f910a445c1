"""Reads quantities as Kubernetes writes them."""

import re
from decimal import Decimal
from typing import Any

_UNITS = {
    **{unit: Decimal(10) ** power for unit, power in (("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6))},
    **{unit: Decimal(10) ** power for unit, power in (("G", 9), ("T", 12), ("P", 15), ("E", 18))},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", start=1)},
}
_FORM = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)")


def parse_quantity(value: Any) -> Decimal:
    """A quantity such as ``250m``, ``128Mi`` or ``1e3`` as a number of its base unit; raises ValueError.

    Source: k8s.io/apimachinery ``pkg/api/resource/quantity.go``.
    """
    found = _FORM.fullmatch(str(value))
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"{value!r} is no quantity")
    return Decimal(found[1]) * _UNITS[found[2]]
