"""Which lifecycle rules of a bucket take objects away from a registry."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.adapters.lifecycle import taking_rules

EXPIRES = {"Expiration": {"Days": 30}}


@pytest.mark.parametrize(
    "rule",
    [
        EXPIRES,
        {"Expiration": {"Date": "2027-01-01"}, "Filter": {}},
        {**EXPIRES, "Filter": {"Prefix": ""}},
        {**EXPIRES, "Filter": {"Prefix": "mirrors/"}},
        {**EXPIRES, "Filter": {"Prefix": "mirrors/docker-hub/docker/registry"}},
        {**EXPIRES, "Filter": {"And": {"Prefix": "mirrors/", "ObjectSizeGreaterThan": 1000}}},
        {**EXPIRES, "Prefix": "mirrors/"},
        {"Transitions": [{"Days": 1, "StorageClass": "STANDARD_IA"}, {"Days": 30, "StorageClass": "GLACIER"}]},
    ],
)
def test_a_rule_that_deletes_or_archives_is_named(rule: dict[str, Any]) -> None:
    assert taking_rules([{"ID": "old", "Status": "Enabled", **rule}], "mirrors/docker-hub/") == ["old"]


@pytest.mark.parametrize(
    "rule",
    [
        {**EXPIRES, "Status": "Disabled"},
        {**EXPIRES, "Filter": {"Prefix": "logs/"}},
        {**EXPIRES, "Filter": {"Tag": {"Key": "a", "Value": "b"}}},
        {**EXPIRES, "Filter": {"And": {"Prefix": "", "Tags": [{"Key": "a", "Value": "b"}]}}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
        {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
        {"Transitions": [{"Days": 1, "StorageClass": "GLACIER_IR"}]},
    ],
)
def test_a_rule_that_leaves_the_registry_its_objects_is_not(rule: dict[str, Any]) -> None:
    assert taking_rules([{"ID": "other", "Status": "Enabled", **rule}], "mirrors/docker-hub/") == []


def test_a_rule_may_have_no_name() -> None:
    assert taking_rules([{"Status": "Enabled", **EXPIRES}], "x/") == ["a rule without a name"]
