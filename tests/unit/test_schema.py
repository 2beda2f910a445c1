"""The published JSON Schema has the keys as they stand in the file, each with its meaning."""

from __future__ import annotations

from typing import Any

from regmirror.config.schema import mirror_schema
from tests import samples

SCHEMA = mirror_schema()
PARTS: dict[str, dict[str, Any]] = {"Mirror": SCHEMA, **SCHEMA["$defs"]}


def test_it_says_which_schema_it_is() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"] == "https://regmirror.dev/v1alpha1/mirror.schema.json"


def test_every_key_has_its_meaning_and_no_other_is_allowed() -> None:
    for name, part in PARTS.items():
        assert part["additionalProperties"] is False, name
        assert [key for key, value in part["properties"].items() if not described(value)] == [], name


def described(value: dict[str, Any]) -> bool:
    """Whether a key says what it means, itself or in the part that it refers to."""
    return bool(value.get("description") or PARTS[value["$ref"].rpartition("/")[2]].get("description"))


def test_keys_are_those_of_the_file() -> None:
    assert set(samples.MINIMAL) <= set(SCHEMA["properties"])
    assert {"pathStyle", "accessKey", "createBucket"} <= set(PARTS["S3Storage"]["properties"])
    assert SCHEMA["required"] == ["apiVersion", "kind", "host", "storage", "upstreams"]


def test_a_duration_of_zero_needs_no_quotes() -> None:
    ttl = PARTS["RegistryComponent"]["properties"]["ttl"]
    assert ttl["anyOf"] == [{"type": "string"}, {"const": 0}]
    assert ttl["default"] == "168h"
