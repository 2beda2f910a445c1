"""`make release`: every artifact but the image, in one directory."""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

from lab.oci import Layout
from release import charts, checksums, containerfile, distributions, provenance, sbom
from release.distributions import ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME: str = PROJECT["name"]
VERSION: str = PROJECT["version"]


def build(target: Path, signing_key: Path | None = None, *, allow_uncommitted: bool = False) -> None:
    """Replaces the directory `target` with the artifacts of the checked-out commit.

    The same commit makes the same bytes, except for the signature. Raises ReleaseError if something cannot be built, or
    if files differ from the commit and `allow_uncommitted` is not set.
    """
    source = provenance.source()
    if not allow_uncommitted:
        provenance.require_unchanged(source)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    packages = distributions.build(target, source.seconds)
    runtime = (ROOT / "requirements" / "runtime.txt").read_text()
    (target / "constraints.txt").write_text(distributions.constraints(NAME, VERSION, packages, runtime))
    _write_charts(target, source.seconds)
    _write_bills_of_materials(target, runtime)
    statement = provenance.statement(source, list(target.iterdir()), PROJECT["urls"]["Documentation"])
    (target / "provenance.json").write_text(json.dumps(statement, indent=1) + "\n")
    sums = checksums.write(target)
    if signing_key:
        checksums.sign(sums, signing_key)


def _write_charts(target: Path, seconds: int) -> None:
    found = [charts.package(file.parent, seconds) for file in sorted((ROOT / "charts").glob("*/Chart.yaml"))]
    for chart in found:
        (target / f"chart-{chart.file_name}").write_bytes(chart.archive)
    Layout(charts.layout(found), "").write_archive(target / f"charts-{VERSION}.oci.tar")


def _write_bills_of_materials(target: Path, runtime: str) -> None:
    package = sbom.of_package(NAME, VERSION, PROJECT["dependencies"], runtime)
    (target / f"regmirror-{VERSION}.cdx.json").write_text(sbom.text(package))
    python = containerfile.arguments(ROOT / "Containerfile")["PYTHON"]
    go_mod = (ROOT / "release" / "helm" / "go.mod").read_text()
    image = sbom.of_image(package, python, go_mod)
    (target / f"regmirror-image-{VERSION}.cdx.json").write_text(sbom.text(image))
