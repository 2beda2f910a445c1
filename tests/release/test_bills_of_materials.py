"""The bills of materials are valid, and list each part with its version."""

from __future__ import annotations

import json
import re
import zipfile
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from release import sbom
from release.build import NAME, PROJECT, VERSION
from release.distributions import ROOT
from tests.release.conftest import Artifacts

pytestmark = pytest.mark.wheel
PINS = sbom.pins((ROOT / "requirements" / "runtime.txt").read_text())


def document(artifacts: Artifacts, name: str) -> dict[str, Any]:
    """A valid bill of materials."""
    text = (artifacts.directory / f"{name}-{VERSION}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    content: dict[str, Any] = json.loads(text)
    return content


def versions(content: dict[str, Any]) -> dict[str, str]:
    """The version of each component, by name."""
    return {component["name"]: component["version"] for component in content["components"]}


def test_the_package_lists_every_pinned_dependency_with_the_hashes_of_its_files(artifacts: Artifacts) -> None:
    content = document(artifacts, "regmirror")
    assert versions(content) == {pin.name: pin.version for pin in PINS}
    by_name = {component["name"]: component for component in content["components"]}
    for pin in PINS:
        (distribution,) = by_name[pin.name]["externalReferences"]
        assert tuple(found["content"] for found in distribution["hashes"]) == pin.hashes != ()


def test_the_package_depends_directly_on_what_its_metadata_requires(artifacts: Artifacts) -> None:
    (dependencies,) = document(artifacts, "regmirror")["dependencies"]
    assert dependencies["ref"] == f"pkg:pypi/{NAME}@{VERSION}"
    names = [found.removeprefix("pkg:pypi/").partition("@")[0] for found in dependencies["dependsOn"]]
    assert sorted(names) == sorted(re.split(r"[^\w-]", requirement)[0] for requirement in PROJECT["dependencies"])


def test_the_wheel_carries_the_same_document(artifacts: Artifacts) -> None:
    with zipfile.ZipFile(artifacts.only("*.whl")) as wheel:
        inside = wheel.read(f"regmirror_kube-{VERSION}.dist-info/sboms/regmirror.cdx.json")
    assert inside == (artifacts.directory / f"regmirror-{VERSION}.cdx.json").read_bytes()


def test_the_image_adds_helm_with_its_modules_and_the_base(artifacts: Artifacts) -> None:
    found = versions(document(artifacts, "regmirror-image"))
    assert {pin.name for pin in PINS} < set(found)
    assert found[NAME] == VERSION
    assert found["helm.sh/helm/v4"].startswith("v4.")
    assert "k8s.io/client-go" in found
    base = found["docker.io/library/python"]
    assert f"ARG PYTHON=docker.io/library/python:{base}\n" in (ROOT / "Containerfile").read_text()
