"""A download of a layer that is interrupted and resumed, as docker and containerd do it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from regmirror.adapters.http import Urllib3Http
from regmirror.errors import RegistryError

PARTIAL = 206


@dataclass
class Download:
    """The download of the layer at ``url``; ``headers`` contain a token."""

    http: Urllib3Http
    url: str
    headers: dict[str, str]
    digest: str
    received: bytes = b""

    def read_until_broken(self, after: int, interrupt_server: Callable[[], None]) -> None:
        """Read more than ``after`` bytes, interrupt the server, and read what it still sends."""
        broken = False
        try:
            with self.http.stream(self.url, self.headers) as answer:
                assert answer.status == 200
                for chunk in answer.chunks:
                    self.received += chunk
                    if len(self.received) > after and not broken:
                        broken = True
                        interrupt_server()
        except RegistryError:
            assert broken

    def resume(self) -> bool:
        """Request the rest; returns whether the download is complete."""
        try:
            with self.http.stream(self.url, self.headers | {"Range": f"bytes={len(self.received)}-"}) as answer:
                if answer.status != PARTIAL:
                    return False
                for chunk in answer.chunks:
                    self.received += chunk
        except RegistryError:
            return False
        return True

    @property
    def is_intact(self) -> bool:
        """Whether the received content matches the digest."""
        return self.digest == "sha256:" + hashlib.sha256(self.received).hexdigest()
