"""More of the lab's Docker Hub: an image with attestations, a chart, and an artifact that another one refers to."""

import hashlib
import json
import subprocess
from pathlib import Path

from lab import addresses
from lab.oci import INDEX, Entry, Image, layout

CHART = "apiVersion: v2\nname: chart\nversion: 1.0.0\n"


def publish_artifacts(directory: Path) -> None:
    """Push acme/attested:1, acme/chart:1.0.0 and acme/artifact:1, the last two only if Helm and oras exist."""
    _write_attested_image(directory / "attested")
    _run(directory, "crane", "push", "--insecure", "attested", f"{addresses.HUB_STORAGE}/acme/attested:1")
    (directory / "chart").mkdir()
    (directory / "chart" / "Chart.yaml").write_text(CHART)
    _run(directory, "helm", "package", "chart")
    _run(directory, "helm", "push", "--plain-http", "chart-1.0.0.tgz", f"oci://{addresses.HUB_STORAGE}/acme")
    artifact = f"{addresses.HUB_STORAGE}/acme/artifact:1"
    (directory / "file.txt").write_text("content\n")
    _run(directory, "oras", "push", "--plain-http", artifact, "file.txt")
    _run(directory, "oras", "attach", "--plain-http", "--artifact-type=example/signature", artifact, "file.txt")


def _write_attested_image(directory: Path) -> None:
    """An image as BuildKit pushes it: an index of the image and of the manifest with its attestations.

    Source: BuildKit's docs/attestations/attestation-storage.md.
    """
    made = layout([Image((Entry(name, b"content"),), {}) for name in ("program", "attestation")])
    index = json.loads(made.files[f"blobs/{made.digest.replace(':', '/')}"])
    image, attestation = index["manifests"]
    attestation["platform"] = {"os": "unknown", "architecture": "unknown"}
    attestation["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image["digest"],
    }
    content = json.dumps(index).encode()
    digest = hashlib.sha256(content).hexdigest()
    made.write_directory(directory)
    (directory / "blobs/sha256" / digest).write_bytes(content)
    top = {"mediaType": INDEX, "digest": f"sha256:{digest}", "size": len(content)}
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [top]}))


def _run(directory: Path, *words: str) -> None:
    subprocess.run(words, cwd=directory, capture_output=True, check=True)
