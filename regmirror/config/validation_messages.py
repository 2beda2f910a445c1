"""Pydantic's errors in the words of this program; none repeats a secret."""

import re
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from regmirror.config.ca_bundle import CA_BUNDLE_KINDS
from regmirror.config.key_paths import KeyPath
from regmirror.config.problem import AT_KEY
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference

# Pydantic puts the class that it tried, and a mark for a mapping's key, into an error's location; the file has neither.
_REFERENCES = (ClusterReference, EnvironmentReference, FileReference, *CA_BUNDLE_KINDS.values())
_LABELS = {"[key]", "ProxyUrl", *(kind.__name__ for kind in _REFERENCES)}
_MESSAGES = {
    "missing": "required key is missing",
    "model_type": "expected a mapping of keys to values",
    "dict_type": "expected a mapping of keys to values",
    "list_type": "expected a list",
    "string_type": "expected a string: put it in quotes",
    "path_type": "expected a path",
    "int_type": "expected a whole number, without quotes",
    "bool_type": "expected true or false, without quotes",
    "string_too_short": "must not be empty",
    "too_short": "must have at least one entry",
    "invalid_key": "keys must be strings",
}
_ACCOUNT = re.compile(r"""[^\s"']*:[^\s"']*@(?!sha[0-9]+:)""")
"""What precedes the host in https://USER:PASSWORD@HOST; the @ of a digest is none."""
_MESSAGES_WITH_LIMITS: dict[str, Callable[[dict[str, Any]], str]] = {
    "literal_error": lambda context: f"must be {context['expected']}",
    "greater_than_equal": lambda context: f"must be at least {context['ge']}",
    "less_than_equal": lambda context: f"must be at most {context['le']}",
    "too_long": lambda context: f"must have at most {context['max_length']} entries",
}


def path_of(detail: ErrorDetails) -> KeyPath:
    """The path of the key that an error is about."""
    below = detail["ctx"]["path"] if detail["type"] == AT_KEY else ()
    return (*(part for part in detail["loc"] if part not in _LABELS), *below)


def validation_message(detail: ErrorDetails) -> str:
    """What is wrong, for a reader of the file."""
    kind = detail["type"]
    if kind in _MESSAGES_WITH_LIMITS:
        return _MESSAGES_WITH_LIMITS[kind](detail["ctx"])
    message = _MESSAGES.get(kind, detail["msg"].removeprefix("Value error, "))
    return _ACCOUNT.sub("***@", message)


def value_problem(kind: Any, value: object) -> str | None:
    """What is wrong with a value of one of the model's types; None if it is valid."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        return validation_message(error.errors()[0])
    return None
