"""The Helm programs that the charts are tested with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DIRECTORY = Path(__file__).parents[2] / "charts"

Manifest = dict[str, Any]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Helm:
    """One Helm program; it reads values from standard input, as regmirror sends them."""

    program: str
    major: int

    def run(self, *words: str, values: Values | None = None) -> subprocess.CompletedProcess[str]:
        """Run Helm with the values; does not check the exit code."""
        return subprocess.run(
            [self.program, *words, "--values", "-"],
            input=json.dumps(values or {}),
            env={**os.environ, "KUBECONFIG": os.devnull},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def lint(self, chart: str, values: Values | None = None) -> subprocess.CompletedProcess[str]:
        """Lint a chart with --strict."""
        return self.run("lint", "--strict", str(DIRECTORY / chart), values=values)

    def template(
        self, chart: str, values: Values | None = None, release: str = "mirror"
    ) -> subprocess.CompletedProcess[str]:
        """Render a chart; does not check the exit code."""
        return self.run("template", release, str(DIRECTORY / chart), values=values)

    def render(self, chart: str, values: Values | None = None, release: str = "mirror") -> list[Manifest]:
        """The chart's manifests in Helm's order; fails the test if Helm fails."""
        text = _rendered(self, chart, json.dumps(values or {}), release)
        return [manifest for manifest in yaml.safe_load_all(text) if manifest]


@cache
def _rendered(helm: Helm, chart: str, values: str, release: str) -> str:
    done = helm.template(chart, json.loads(values), release)
    assert done.returncode == 0, done.stderr
    return done.stdout


def find_helm(major: int) -> Helm | None:
    """Helm of this major version: the path in LAB_HELM3 or LAB_HELM4, or `helm3`, `helm4` or `helm` on PATH."""
    named = os.environ.get(f"LAB_HELM{major}") or shutil.which(f"helm{major}")
    if named:
        return Helm(named, major)
    found = shutil.which("helm")
    if found and _version(found).startswith(f"v{major}."):
        return Helm(found, major)
    return None


def _version(program: str) -> str:
    words = [program, "version", "--template", "{{.Version}}"]
    return subprocess.run(words, capture_output=True, text=True, timeout=600, check=True).stdout
