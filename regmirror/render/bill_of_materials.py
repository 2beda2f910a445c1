"""The images of a mirror as a CycloneDX bill of materials.

Sources: the JSON schema of CycloneDX 1.6, and the type ``oci`` of the package URL specification.
"""

import json
import uuid
from typing import Any
from urllib.parse import quote

from regmirror import __version__
from regmirror.render.images import DeployedImage

_NAMESPACE = uuid.UUID("5f0a52c4-5c6e-5f9c-9a55-7f2d0c6b5e0d")
"""The namespace of the serial numbers: equal contents have equal numbers."""


def bill_of_materials(host: str, images: list[DeployedImage]) -> dict[str, Any]:
    """The document; the same images give the same bytes, so it has no time."""
    components = [_component(image) for image in images]
    serial = uuid.uuid5(_NAMESPACE, json.dumps([host, __version__, components], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "regmirror", "version": __version__}]},
            "component": {"type": "application", "bom-ref": host, "name": host},
        },
        "components": components,
        "dependencies": [{"ref": host, "dependsOn": [component["bom-ref"] for component in components]}],
    }


def _component(image: DeployedImage) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": image.digest.removeprefix("sha256:")}] if image.digest else []
    return {
        "type": "container",
        "bom-ref": image.reference,
        "name": image.repository,
        **({"version": image.tag or image.digest} if image.tag or image.digest else {}),
        "description": " ".join(image.uses.values()),
        **({"hashes": hashes} if hashes else {}),
        "purl": _package_url(image),
        "properties": [
            *({"name": "regmirror:key", "value": key} for key in image.uses),
            {"name": "regmirror:source", "value": image.source},
        ],
    }


def _package_url(image: DeployedImage) -> str:
    """``pkg:oci/NAME@DIGEST?repository_url=...&tag=...``, with the qualifiers in the order of their names."""
    name = image.repository.rpartition("/")[2]
    version = f"@{quote(image.digest, safe='')}" if image.digest else ""
    qualifiers = [f"repository_url={quote(image.repository, safe='/:')}"]
    qualifiers += [f"tag={image.tag}"] if image.tag else []
    return f"pkg:oci/{name}{version}?{'&'.join(qualifiers)}"
