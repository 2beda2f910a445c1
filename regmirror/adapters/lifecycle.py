"""Which lifecycle rules of a bucket affect a registry's objects, which have no tags and no versions."""

from collections.abc import Sequence
from typing import Any

_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}
"""Storage classes that cannot be read immediately (Amazon S3 User Guide, "Understanding storage classes")."""


def taking_rules(rules: Sequence[dict[str, Any]], prefix: str) -> list[str]:
    """The names of the rules that delete or archive objects below ``prefix``."""
    return [
        str(rule.get("ID") or "a rule without a name")
        for rule in rules
        if rule.get("Status") == "Enabled" and _reaches(rule, prefix) and _takes(rule)
    ]


def _reaches(rule: dict[str, Any], prefix: str) -> bool:
    narrowed = rule.get("Filter") or {}
    narrowed = narrowed.get("And") or narrowed
    if "Tag" in narrowed or "Tags" in narrowed:
        return False
    beginning = narrowed.get("Prefix") or rule.get("Prefix") or ""
    return bool(beginning.startswith(prefix) or prefix.startswith(beginning))


def _takes(rule: dict[str, Any]) -> bool:
    classes = {transition.get("StorageClass") for transition in rule.get("Transitions") or []}
    return bool({"Days", "Date"} & set(rule.get("Expiration") or {}) or classes & _ARCHIVES)
