"""The charts as Helm's packages, and as OCI artifacts that Helm, Flux and Argo CD install from a registry.

Helm's own `package` and `push` write the time of their call. Here the same sources make the same bytes. Sources: Helm's
documentation of the chart archive and of registries (media types), and the OCI image layout.
"""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.oci import INDEX, MANIFEST

CONFIGURATION = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
_IGNORED = {"__pycache__", ".helmignore"}


@dataclass(frozen=True)
class Chart:
    """One packaged chart."""

    name: str
    version: str
    metadata: dict[str, Any]
    archive: bytes

    @property
    def file_name(self) -> str:
        """The name that Helm gives such a file."""
        return f"{self.name}-{self.version}.tgz"


def package(directory: Path, seconds: int) -> Chart:
    """The chart of a directory as Helm packages it, with one time stamp for everything."""
    metadata: dict[str, Any] = yaml.safe_load((directory / "Chart.yaml").read_text())
    files = [path for path in directory.rglob("*") if path.is_file() and not _IGNORED & set(path.parts)]
    # Helm reads Chart.yaml first; its own packages begin with it.
    ordered = sorted(files, key=lambda path: (path.name != "Chart.yaml", str(path)))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in ordered:
            content = path.read_bytes()
            header = tarfile.TarInfo(f"{metadata['name']}/{path.relative_to(directory)}")
            header.size, header.mtime, header.mode = len(content), seconds, 0o644
            archive.addfile(header, io.BytesIO(content))
    return Chart(metadata["name"], metadata["version"], metadata, gzip.compress(buffer.getvalue(), mtime=0))


def layout(charts: list[Chart]) -> dict[str, bytes]:
    """The files of an OCI image layout with all charts; each is named NAME-VERSION in its index."""
    files: dict[str, bytes] = {}
    manifests = [_add_chart(files, chart) for chart in charts]
    files["oci-layout"] = _json({"imageLayoutVersion": "1.0.0"})
    files["index.json"] = _json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    return files


def _add_chart(files: dict[str, bytes], chart: Chart) -> dict[str, Any]:
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _add(files, CONFIGURATION, _json(chart.metadata)),
        "layers": [_add(files, CONTENT, chart.archive)],
        "annotations": {
            "org.opencontainers.image.title": chart.name,
            "org.opencontainers.image.version": chart.version,
            "org.opencontainers.image.description": chart.metadata["description"],
        },
    }
    name = {"org.opencontainers.image.ref.name": f"{chart.name}-{chart.version}"}
    return {**_add(files, MANIFEST, _json(manifest)), "annotations": name}


def _add(files: dict[str, bytes], media_type: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    files[f"blobs/sha256/{digest}"] = content
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
