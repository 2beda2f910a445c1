"""The results: a JSON file for each measurement, and one Markdown file with all tables."""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import (
    cold,
    commands,
    deploying,
    herd,
    manifests,
    memory,
    metrics,
    missing,
    new_tag,
    pulls,
    redirect,
    shared_base,
    startup,
    warm_layer,
)
from bench.comparison import Comparison
from bench.goals import goals_table

DIRECTORY = Path(__file__).parent / "results"
HEAD = """\
# Results

Written by `make bench`. All parts run in the lab on one machine: load generator, Ingress controller, mirror, S3 server
and upstream share its cores, so ratios are more meaningful than absolute values. The compared programs are measured in
turns. Values are medians, with minimum and maximum in parentheses.
[Performance](../../docs/explanation/performance.md) describes the programs and explains the results.

"""


@dataclass(frozen=True)
class Measurement:
    """What is measured; `report` makes a Markdown table of the result."""

    title: str
    measure: Callable[[Comparison], dict[str, Any]]
    report: Callable[[dict[str, Any]], str]


def _of(title: str, module: ModuleType) -> Measurement:
    return Measurement(title, module.measure, module.report)


MEASUREMENTS = {
    "startup": _of("Start of the command line", startup),
    "deploy": _of("Deployment", deploying),
    "commands": _of("Commands on a mirror that is up to date", commands),
    "pulls": _of("Cached images and tokens, against the recipe of 2020", pulls),
    "cold": _of("Images that are not cached", cold),
    "redirect": _of("Layers straight from the store", redirect),
    "herd": _of("Many clients, one new layer", herd),
    "new-tag": _of("Many clients, one new tag", new_tag),
    "missing": _of("Many clients, a tag that cannot be had", missing),
    "warm-layer": _of("Cached layers, against other caches", warm_layer),
    "manifests": _of("Cached manifests, against other caches", manifests),
    "shared-base": _of("Images that share a base", shared_base),
    "memory": _of("Memory", memory),
    "metrics": _of("What metrics cost", metrics),
}
"""By the name of the result's file."""


def write(name: str, result: dict[str, Any]) -> None:
    """Write the file of one measurement, with the machine, and the tables of all."""
    DIRECTORY.mkdir(exist_ok=True)
    _file(name).write_text(json.dumps({"machine": _machine(), "result": result}, indent=2) + "\n")
    (DIRECTORY / "README.md").write_text(document())


def document() -> str:
    """The tables of all measurements that have a file."""
    found = {name: json.loads(_file(name).read_text()) for name in MEASUREMENTS if _file(name).exists()}
    goals = f"## Goals\n\n{goals_table({name: content['result'] for name, content in found.items()})}"
    return HEAD + "\n".join([goals, *(_section(MEASUREMENTS[name], content) for name, content in found.items())])


def _section(measurement: Measurement, content: dict[str, Any]) -> str:
    return f"## {measurement.title}\n\n{measurement.report(content['result'])}\n{content['machine']}\n"


def _file(name: str) -> Path:
    return DIRECTORY / f"{name}.json"


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"Measured with {os.cpu_count()} cores, {system}."
