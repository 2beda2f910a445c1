"""Bills of materials in the CycloneDX format: what the package and the image consist of.

The same sources make the same bytes: no time, and a serial number that follows from the content. Hatchling calls
`SbomHook` when it builds the wheel, also from the sdist, so this module imports nothing else of the repository.

Sources: the JSON schema of CycloneDX 1.6, the types `pypi` and `golang` of the package URL specification, and PEP 770.
"""

import json
import re
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_NAMESPACE = uuid.UUID("5f0a52c4-5c6e-5f9c-9a55-7f2d0c6b5e0d")
"""The namespace of the serial numbers: equal contents have equal numbers."""
_MODULE = re.compile(r"^\s*(?:require )?([\w./~-]+\.[\w./~-]+) (v\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Pin:
    """One requirement of a file that `make lock` writes: a version, where it applies, and the hashes of its files."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def pins(requirements: str) -> list[Pin]:
    """The pins of a requirements file."""
    lines = requirements.replace("\\\n", " ").splitlines()
    return [_pin(line) for line in lines if line.strip() and not line.startswith("#")]


def _pin(line: str) -> Pin:
    requirement, _, _ = line.partition(" --hash=")
    name_and_version, _, marker = requirement.partition(";")
    name, _, version = name_and_version.strip().partition("==")
    return Pin(name, version, marker.strip(), tuple(re.findall(r"--hash=sha256:(\w+)", line)))


def python_component(pin: Pin) -> dict[str, Any]:
    """A package of the package index, with the hashes of all its files; optional if only some platforms need it."""
    url = f"pkg:pypi/{pin.name}@{pin.version}"
    hashes = [{"alg": "SHA-256", "content": content} for content in pin.hashes]
    return {
        "type": "library",
        "bom-ref": url,
        "name": pin.name,
        "version": pin.version,
        "purl": url,
        **({"scope": "optional"} if pin.marker else {}),
        "externalReferences": [{"type": "distribution", "url": url, "hashes": hashes, "comment": "any of its files"}],
    }


def go_components(go_mod: str) -> list[dict[str, Any]]:
    """The modules of a go.mod, which lists all that its programs consist of."""
    found = sorted(set(_MODULE.findall(go_mod)))
    return [_go_component(name, version) for name, version in found]


def _go_component(name: str, version: str) -> dict[str, Any]:
    url = f"pkg:golang/{name.lower()}@{version.replace('+', '%2B')}"
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def document(
    subject: dict[str, Any],
    direct: list[str],
    components: list[dict[str, Any]],
    other_dependencies: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The bill of materials of `subject`, which depends directly on the components with the references `direct`."""
    content = [subject, direct, components]
    serial = uuid.uuid5(_NAMESPACE, json.dumps(content, sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": subject},
        "components": components,
        "dependencies": [{"ref": subject["bom-ref"], "dependsOn": direct}, *other_dependencies],
    }


def of_package(name: str, version: str, dependencies: list[str], requirements: str) -> dict[str, Any]:
    """The bill of materials of the package: the versions of its dependencies that the tests ran with.

    `dependencies` are the requirements of its metadata; `requirements` is the text of requirements/runtime.txt.
    """
    url = f"pkg:pypi/{name}@{version}"
    subject = {
        "type": "application",
        "bom-ref": url,
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "purl": url,
    }
    found = pins(requirements)
    required = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in dependencies}
    direct = [f"pkg:pypi/{pin.name}@{pin.version}" for pin in found if pin.name in required]
    return document(subject, direct, [python_component(pin) for pin in found])


def of_image(package: dict[str, Any], python: str, go_mod: str) -> dict[str, Any]:
    """The bill of materials of the image: the package with its dependencies, Helm with its modules, and the base.

    `package` is the bill of materials of the package, `python` the reference of the base image, `go_mod` Helm's go.mod.
    What Debian's packages in the base image are, only the base image knows.
    """
    application = package["metadata"]["component"]
    repository, _, tag = python.rpartition(":")
    base = f"pkg:oci/{repository.rpartition('/')[2]}?repository_url={repository}&tag={tag}"
    modules = go_components(go_mod)
    (helm,) = (module["bom-ref"] for module in modules if module["name"].startswith("helm.sh/helm/"))
    subject = {"type": "container", "bom-ref": "image", "name": "regmirror", "version": application["version"]}
    parts = [
        application,
        {"type": "container", "bom-ref": base, "name": repository, "version": tag, "purl": base},
        *package["components"],
        *modules,
    ]
    return document(subject, [application["bom-ref"], base, helm], parts, package["dependencies"])


def text(content: dict[str, Any]) -> str:
    """A document as it is written to a file."""
    return json.dumps(content, indent=1) + "\n"


class SbomHook(BuildHookInterface[Any]):
    """Adds the bill of materials to the wheel, in .dist-info/sboms (PEP 770)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (Hatchling's)
        """Hatchling calls this before it writes the wheel; `version` is "standard" or "editable"."""
        core = self.metadata.core
        requirements = (Path(self.root) / "requirements" / "runtime.txt").read_text()
        made = of_package(core.raw_name, self.metadata.version, core.dependencies, requirements)
        self._directory = tempfile.TemporaryDirectory()
        file = Path(self._directory.name) / "regmirror.cdx.json"
        file.write_text(text(made))
        build_data["sbom_files"].append(str(file))

    def finalize(self, *_: Any) -> None:
        """Hatchling calls this after it has written the wheel."""
        self._directory.cleanup()
