"""The types of values that Kubernetes has a grammar for, checked here before the API server would reject them.

Sources: k8s.io/apimachinery ``pkg/util/validation/validation.go`` and ``pkg/api/resource/quantity.go``, without signs;
core/v1 Toleration.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_WORD = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_QUALIFIED_NAME = re.compile(rf"([A-Za-z0-9]([A-Za-z0-9.-]{{0,251}}[A-Za-z0-9])?/)?{_WORD}")
_LABEL_VALUE = re.compile(rf"({_WORD})?")
OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_QUANTITY = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?")
_DECIMAL_SUFFIXES = ("n", "u", "m", "", "k", "M", "G", "T", "P", "E")
_TOLERATION = {"key": str, "operator": str, "value": str, "effect": str, "tolerationSeconds": int}


def _matching(grammar: re.Pattern[str], what: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if isinstance(value, dict | list):
            raise ValueError("expected a string")
        if not isinstance(value, str):
            raise ValueError(f"expected a string, not {value!r}: put it in quotes")
        if not grammar.fullmatch(value):
            raise ValueError(f"{value!r} is not {what}")
        return value

    return check


_qualified_name = _matching(
    _QUALIFIED_NAME, "a valid name such as kubernetes.io/arch (at most 63 characters after the /)"
)
_label_value = _matching(_LABEL_VALUE, 'a valid label value: use at most 63 letters, digits, "-", "_" and "."')
checked_object_name = _matching(OBJECT_NAME, 'a valid object name: use lowercase letters, digits, "-" and "."')


def _quantity(value: object) -> str | int | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not _QUANTITY.fullmatch(str(value)):
        raise ValueError(f"{value!r} is not a quantity such as 250m, 0.5 or 128Mi")
    return value


def _toleration(value: object) -> dict[str, str | int]:
    if not isinstance(value, dict):
        raise ValueError("expected a mapping of keys to values")
    unknown = [str(key) for key in value if key not in _TOLERATION]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]}; a toleration has {', '.join(_TOLERATION)}")
    for key, inner in value.items():
        if type(inner) is not _TOLERATION[key]:
            wanted = "a string: put it in quotes" if _TOLERATION[key] is str else "a whole number"
            raise ValueError(f"{key}: expected {wanted}")
    if value.get("key"):
        _qualified_name(value["key"])
    _label_value(value.get("value", ""))
    return value


def checked_labels(value: object) -> dict[str, str]:
    """Labels that pods or namespaces may have; raises ValueError for anything else."""
    if not isinstance(value, dict):
        raise ValueError("expected a mapping of labels to values")
    return {_qualified_name(key): _label_value(inner) for key, inner in value.items()}


QualifiedName = Annotated[str, BeforeValidator(_qualified_name), WithJsonSchema({"type": "string"})]
"""The key of a label or annotation, or the name of a resource."""
LabelValue = Annotated[str, BeforeValidator(_label_value), WithJsonSchema({"type": "string"})]
"""The value of a label."""
ObjectName = Annotated[str, BeforeValidator(checked_object_name), WithJsonSchema({"type": "string"})]
"""The name of a Secret, an IngressClass or an issuer."""
Toleration = Annotated[
    dict[str, str | int],
    BeforeValidator(_toleration),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {key: {"type": "integer" if kind is int else "string"} for key, kind in _TOLERATION.items()},
            "additionalProperties": False,
        }
    ),
]
"""A toleration of a pod."""
Quantity = Annotated[str | int | float, BeforeValidator(_quantity)]
"""An amount of a resource."""


def quantity_value(quantity: str | int | float) -> int:
    """A quantity in its base unit, such as bytes; fractions are rounded down."""
    match = _QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity")
    number, _, suffix = match.groups()
    return int(Decimal(number) * _factor(suffix or ""))


def _factor(suffix: str) -> Decimal:
    if suffix.endswith("i"):
        return Decimal(1024) ** ("KMGTPE".index(suffix[0]) + 1)
    if suffix[1:]:
        return Decimal(10) ** int(suffix[1:])
    return Decimal(1000) ** (_DECIMAL_SUFFIXES.index(suffix) - _DECIMAL_SUFFIXES.index(""))
