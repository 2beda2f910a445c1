"""A new layer at the upstream, and clients that pull it through a mirror."""

import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regmirror.adapters.http import Urllib3Http
from regmirror.distribution.client import RegistryClient
from regmirror.errors import RegistryError
from regmirror.ports.http import StreamedAnswer
from regmirror.verify.sample_pull import parse_image
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_hub import layers_fetched, published
from tests.e2e.load import Load
from tests.e2e.pod_resources import volume_directory

REGISTRY = "app.kubernetes.io/name=registry"


@dataclass
class Received:
    """What one client received; seconds are since its request."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    first_byte: float = 0.0
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Layer:
    """A layer of an image that only this test pulls. The mirror has been asked for its manifest, but not for it."""

    mirror: DeployedMirror
    repository: str
    digest: str
    size: int
    token: str = field(repr=False)

    @property
    def path(self) -> str:
        """Its path at the mirror."""
        return f"/v2/{self.repository}/blobs/{self.digest}"

    @property
    def downloads(self) -> int:
        """How often the upstream was asked for it."""
        return layers_fetched(self.mirror.target, self.repository)

    def in_repository(self, repository: str) -> "Layer":
        """The same layer as a client sees it that may pull another repository, which contains it."""
        return Layer(self.mirror, repository, self.digest, self.size, token_for(self.mirror, repository))

    @contextmanager
    def opened(self, **headers: str) -> Iterator[StreamedAnswer]:
        """A request for it whose answer has not been read."""
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        with http_of(self.mirror).stream(f"https://{self.mirror.host}{self.path}", sent) as answer:
            yield answer

    def pull(self, **headers: str) -> Received:
        """Download it, or a part of it."""
        began, found, parts = time.monotonic(), Received(), []
        try:
            with self.opened(**headers) as answer:
                found.status, found.headers = answer.status, answer.headers
                for chunk in answer.chunks:
                    found.first_byte = found.first_byte or time.monotonic() - began
                    parts.append(chunk)
        except RegistryError as error:
            found.error = error.message
        found.body, found.seconds = b"".join(parts), time.monotonic() - began
        return found

    def is_intact(self, found: Received) -> bool:
        """Whether a client has received the whole layer."""
        return not found.error and found.status == 200 and self.is_content(found.body)

    def can_be_taken_for_complete(self, found: Received) -> bool:
        """Whether a client has received as many bytes as the layer has."""
        return not found.error and len(found.body) >= self.size

    def is_content(self, content: bytes) -> bool:
        """Whether these bytes are the layer."""
        return self.digest == "sha256:" + hashlib.sha256(content).hexdigest()

    def files(self) -> list[Path]:
        """The files on the volumes of the registry's pods that contain it."""
        return [file for file in cached_files(self.mirror) if self._is_in(file)]

    def _is_in(self, file: Path) -> bool:
        try:
            return file.stat().st_size == self.size and self.is_content(file.read_bytes())
        except FileNotFoundError:
            # A file of a cache may be removed at any time.
            return False


def offered(mirror: DeployedMirror, directory: Path, size: int) -> Layer:
    """Push an image with one layer of ``size`` bytes to the upstream, in a repository of its own."""
    image = parse_image(published(f"library/layer-{secrets.token_hex(4)}", directory, size))
    token = token_for(mirror, image.repository)
    layer: dict[str, Any] = client_of(mirror).manifest(image, token).blobs[-1]
    return Layer(mirror, image.repository, layer["digest"], layer["size"], token)


def token_for(mirror: DeployedMirror, repository: str) -> str:
    """A token that allows to pull a repository."""
    token = client_of(mirror).pull_token(repository)
    assert token is not None
    return token


def client_of(mirror: DeployedMirror) -> RegistryClient:
    """A client of the mirror."""
    return RegistryClient(http_of(mirror), f"https://{mirror.host}")


def cached_files(mirror: DeployedMirror) -> list[Path]:
    """All files on the emptyDir volumes of the registry's pods."""
    return [
        file
        for pod in mirror.objects("pods", "-l", REGISTRY)
        for volume in pod["spec"]["volumes"]
        if "emptyDir" in volume
        for file in volume_directory(mirror, pod, volume["name"]).rglob("*")
        if file.is_file()
    ]


def http_of(mirror: DeployedMirror) -> Urllib3Http:
    return Load(mirror).http()
