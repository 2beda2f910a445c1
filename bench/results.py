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
    missing,
    new_tag,
    pulls,
    redirect,
    shared_base,
    startup,
    warm_layer,
)
from bench.comparison import Comparison

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

    measure: Callable[[Comparison], dict[str, Any]]
    report: Callable[[dict[str, Any]], str]


def _of(module: ModuleType) -> Measurement:
    return Measurement(module.measure, module.report)


MEASUREMENTS = {
    "startup": _of(startup),
    "deploy": _of(deploying),
    "commands": _of(commands),
    "pulls": _of(pulls),
    "cold": _of(cold),
    "redirect": _of(redirect),
    "herd": _of(herd),
    "new-tag": _of(new_tag),
    "missing": _of(missing),
    "warm-layer": _of(warm_layer),
    "manifests": _of(manifests),
    "shared-base": _of(shared_base),
    "memory": _of(memory),
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
    return HEAD + "\n".join(_section(name, content) for name, content in found.items())


def _section(name: str, content: dict[str, Any]) -> str:
    return f"## {name}\n\n{MEASUREMENTS[name].report(content['result'])}\n{content['machine']}\n"


def _file(name: str) -> Path:
    return DIRECTORY / f"{name}.json"


def _machine() -> str:
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"Measured with {os.cpu_count()} cores, {system}."
