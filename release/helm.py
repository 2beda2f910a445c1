"""Helm for the image, from its sources: Go compares them with release/helm/go.sum."""

from pathlib import Path

from lab import cache, locks, toolchain
from lab.components import GO_MODULES
from lab.images import CACHE_NAME
from release.distributions import ROOT
from release.processes import output_of

SOURCES = ROOT / "release" / "helm"


def build(architecture: str, cache_directory: Path) -> Path:
    """The program for amd64 or arm64, from the build cache; raises ReleaseError if it cannot be built."""
    cache_directory.mkdir(parents=True, exist_ok=True)
    with locks.held(cache_directory, "is building the lab's programs"):
        go = toolchain.find(GO_MODULES, cache_directory)
        key = cache.content_key(SOURCES, ["helm", architecture, go.version])
        return cache.fill(cache_directory / CACHE_NAME / key, lambda target: _make(go, architecture, target)) / "helm"


def _make(go: toolchain.GoToolchain, architecture: str, target: Path) -> None:
    path = {"PATH": f"{go.program.parent}:/usr/bin:/bin", "GOARCH": architecture}
    environment = {**toolchain.build_environment(), **path}
    output_of(["./build.sh", target / "helm"], "building Helm", directory=SOURCES, environment=environment)
