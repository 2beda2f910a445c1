"""Pushes artifacts of any shape to the lab's stand-in for Docker Hub, byte by byte."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import urllib3

from lab import addresses
from lab.oci import CONFIGURATION, INDEX, LAYER, MANIFEST

EMPTY = "application/vnd.oci.empty.v1+json"
Descriptor = dict[str, Any]


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest of a content."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@dataclass(frozen=True)
class Repository:
    """A repository of the upstream, filled past the program that plays Docker Hub."""

    name: str
    storage: str = addresses.HUB_STORAGE
    """Host and port of the registry behind the program."""

    def blob(self, content: bytes, kind: str = LAYER, algorithm: str = "sha256") -> Descriptor:
        """Push a blob."""
        digest = digest_of(content, algorithm)
        begun = self._send("POST", "blobs/uploads/", b"", "")
        target = begun.headers["Location"]
        separator = "&" if "?" in target else "?"
        done = urllib3.request("PUT", f"{target}{separator}digest={digest}", body=content)
        assert done.status == 201, done.data
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def manifest(self, document: Any, tag: str = "", kind: str = MANIFEST) -> Descriptor:
        """Push a manifest, given as bytes or as what becomes JSON; without a tag by its digest."""
        content = document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
        pushed = self._send("PUT", f"manifests/{tag or digest_of(content)}", content, kind)
        assert pushed.status == 201, pushed.data
        return {"mediaType": kind, "digest": digest_of(content), "size": len(content)}

    def image(self, tag: str = "", *, number: int = 1, **fields: Any) -> Descriptor:
        """Push an image with layers that no other one has; ``fields`` replace those of its manifest."""
        layers = [self.blob(f"{self.name}:{tag}:{layer}".encode()) for layer in range(number)]
        config = self.blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {}}).encode(), CONFIGURATION)
        document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, **fields}
        kept = {key: value for key, value in document.items() if value is not None}
        return self.manifest(kept, tag, str(fields.get("mediaType") or MANIFEST))

    def index(self, manifests: list[Descriptor], tag: str, kind: str = INDEX) -> Descriptor:
        """Push an index of manifests."""
        return self.manifest({"schemaVersion": 2, "mediaType": kind, "manifests": manifests}, tag, kind)

    def attach(self, subject: Descriptor, artifact_type: str) -> Descriptor:
        """Push an artifact that refers to a manifest, and list it as clients do at a registry without the API."""
        empty = self.blob(b"{}", EMPTY)
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": artifact_type,
            "config": empty,
            "layers": [self.blob(artifact_type.encode(), "text/plain")],
            "subject": subject,
        }
        attached = self.manifest(document) | {"artifactType": artifact_type}
        tag = subject["digest"].replace(":", "-")
        listed = self._send("GET", f"manifests/{tag}", b"", "").json().get("manifests", [])
        self.index([*listed, attached], tag)
        return attached

    def _send(self, method: str, path: str, body: bytes, kind: str) -> urllib3.BaseHTTPResponse:
        headers = {"Content-Type": kind} if kind else {"Accept": INDEX}
        return urllib3.request(
            method, f"http://{self.storage}/v2/{self.name}/{path}", body=body or None, headers=headers
        )
