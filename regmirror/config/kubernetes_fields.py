"""The kinds of value that Kubernetes has a grammar for: the file is refused, before the API server would.

Sources: k8s.io/apimachinery ``pkg/util/validation/validation.go`` and ``pkg/api/resource/quantity.go``, without signs;
core/v1 Toleration.
"""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_WORD = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_QUALIFIED_NAME = re.compile(rf"([A-Za-z0-9]([A-Za-z0-9.-]{{0,251}}[A-Za-z0-9])?/)?{_WORD}")
_LABEL_VALUE = re.compile(rf"({_WORD})?")
_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_QUANTITY = re.compile(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?")
_TOLERATION = {"key": str, "operator": str, "value": str, "effect": str, "tolerationSeconds": int}


def _written_as(grammar: re.Pattern[str], what: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str):
            raise ValueError(f"a string was expected, not {value!r}: put it in quotes")
        if not grammar.fullmatch(value):
            raise ValueError(f"{value!r} is not {what}")
        return value

    return check


_qualified_name = _written_as(_QUALIFIED_NAME, "a name such as kubernetes.io/arch, with 63 characters after the /")
_label_value = _written_as(_LABEL_VALUE, "the value of a label: 63 letters, digits, - _ or .")
_object_name = _written_as(_OBJECT_NAME, "the name of an object: lower-case letters, digits, - and .")


def _quantity(value: object) -> str | int | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not _QUANTITY.fullmatch(str(value)):
        raise ValueError(f"{value!r} is not a quantity such as 250m, 0.5 or 128Mi")
    return value


def _toleration(value: object) -> dict[str, str | int]:
    if not isinstance(value, dict):
        raise ValueError("keys and values were expected here")
    unknown = [str(key) for key in value if key not in _TOLERATION]
    if unknown:
        raise ValueError(f"a toleration has no {unknown[0]}; known here: {', '.join(_TOLERATION)}")
    for key, found in value.items():
        if type(found) is not _TOLERATION[key]:
            raise ValueError(f"{key} is no {'string: put it in quotes' if _TOLERATION[key] is str else 'whole number'}")
    if value.get("key"):
        _qualified_name(value["key"])
    _label_value(value.get("value", ""))
    return value


QualifiedName = Annotated[str, BeforeValidator(_qualified_name), WithJsonSchema({"type": "string"})]
"""The key of a label or annotation, or a resource."""
LabelValue = Annotated[str, BeforeValidator(_label_value), WithJsonSchema({"type": "string"})]
"""What a label says."""
ObjectName = Annotated[str, BeforeValidator(_object_name), WithJsonSchema({"type": "string"})]
"""The name of a Secret, an IngressClass, an Issuer."""
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
"""A taint that pods put up with, as in a pod."""
Quantity = Annotated[str | int | float, BeforeValidator(_quantity)]
"""An amount of a resource."""
