"""One download of a layer that breaks off, and goes on where it broke, as docker and containerd do it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from regmirror.adapters.http import Urllib3Http
from regmirror.errors import RegistryError

PARTIAL = 206


@dataclass
class Download:
    """The layer at ``url``; ``headers`` carry a token."""

    http: Urllib3Http
    url: str
    headers: dict[str, str]
    digest: str
    received: bytes = b""

    def read_until_broken(self, after: int, break_it: Callable[[], None]) -> None:
        """Read; when more than ``after`` bytes are there, break it, and take what still comes."""
        broken = False
        try:
            with self.http.stream(self.url, self.headers) as answer:
                assert answer.status == 200
                for chunk in answer.chunks:
                    self.received += chunk
                    if len(self.received) > after and not broken:
                        broken = True
                        break_it()
        except RegistryError:
            assert broken

    def goes_on(self) -> bool:
        """Ask for the rest; whether all of it came."""
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
    def is_sound(self) -> bool:
        """Whether what was received is what the digest says."""
        return self.digest == "sha256:" + hashlib.sha256(self.received).hexdigest()
