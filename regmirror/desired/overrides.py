"""Merges the ``overrides`` of the configuration file into the values of a Helm release, as Helm merges two files."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired import names


@dataclass(frozen=True, slots=True)
class OverriddenValue:
    """A Helm value that is not the one of regmirror."""

    release: str
    path: str
    value: Any
    instead_of: Any
    """None if regmirror leaves this value to the chart."""
    source: str
    """The key of the configuration file, such as ``overrides.redis``."""

    def __str__(self) -> str:
        theirs = "the chart's default" if self.instead_of is None else json.dumps(self.instead_of)
        return f"{self.release}: {self.path} is {json.dumps(self.value)} ({self.source}) instead of {theirs}"


_SECTIONS = {"redis": "redis", "auth": "auth", "registry": "registry", "ingress": "ingress", "endpoint": "ingress"}
"""By component: the key of the file with its overrides."""


def override(
    mirror: Mirror, release: str, component: str, values: dict[str, Any]
) -> tuple[dict[str, Any], list[OverriddenValue]]:
    """The values of a release with the overrides of the file merged in, and which those are; the last one wins."""
    merged = values
    overridden: dict[str, OverriddenValue] = {}
    for source, layer in _layers(mirror, release, component):
        for path, value in _changes(merged, layer):
            before = _value_at(values, path)
            overridden[".".join(path)] = OverriddenValue(release, ".".join(path), value, before, source)
        merged = _merge(merged, layer)
    return merged, list(overridden.values())


def _layers(mirror: Mirror, release: str, component: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if section := _SECTIONS.get(component):
        yield f"overrides.{section}", getattr(mirror.overrides, section)
    if component == "registry":
        for index, upstream in enumerate(mirror.upstreams):
            if names.registry(upstream.name) == release:
                yield f"upstreams[{index}].overrides", upstream.overrides


def _merge(values: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in layer.items():
        inner = merged.get(key)
        merged[key] = _merge(inner if isinstance(inner, dict) else {}, value) if isinstance(value, dict) else value
    return merged


def _changes(
    values: Mapping[str, Any], layer: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of the layer that differs, with its path."""
    for key, value in layer.items():
        here, before = (*path, key), values.get(key)
        if isinstance(value, dict) and (value or isinstance(before, dict)):
            yield from _changes(before if isinstance(before, dict) else {}, value, here)
        elif key not in values or value != before:
            yield here, value


def _value_at(values: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values
