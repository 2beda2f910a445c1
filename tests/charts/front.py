"""The fronts of the charts: their nginx.conf, as the pods get it."""

from __future__ import annotations

import re
from typing import Any

from .helm import Helm, Manifest
from .manifests import one

FRONTS = ("auth", "registry", "endpoint")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "Mi": 1 << 20, "Gi": 1 << 30}


def configuration(helm: Helm, chart: str, values: dict[str, Any] | None = None) -> str:
    """The rendered nginx.conf."""
    return str(one(helm.render(chart, values), "ConfigMap")["data"]["nginx.conf"])


def container(spec: Manifest) -> dict[str, Any]:
    """The container of nginx in a pod."""
    (found,) = [one for one in spec["containers"] if one["name"] == "front"]
    return dict(found)


def size(text: str) -> int:
    """A size of nginx or Kubernetes, in bytes."""
    number, unit = re.fullmatch(r"(\d+)([a-zA-Z]*)", text).groups()  # type: ignore[union-attr]
    return int(number) * _UNITS[unit]


def directives(text: str, name: str) -> list[list[str]]:
    """The arguments of every directive of this name."""
    return [words.split() for words in re.findall(rf"^\s*{name}\s+([^;]+);", text, re.MULTILINE)]
