"""A registry's debug port: health and metrics, for one request a connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from socket import socket


@dataclass
class DebugPort:
    """Answers /debug/health and /metrics as distribution does; ``hits`` tells how often the cache has answered.

    Between two looks at its metrics it has asked its store ten times, for ``store_seconds`` each.
    """

    hits: Callable[[], int]
    trouble: str = ""
    store_seconds: float = 0.02
    _looks: int = 0

    def __call__(self, connection: socket) -> None:
        with connection.makefile("rb") as stream:
            path = stream.readline().split()[1].decode()
            while stream.readline().strip():
                pass
        status, body = self._answer(path)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body.encode())

    def _answer(self, path: str) -> tuple[str, str]:
        if path == "/metrics":
            return "200 OK", self._metrics()
        if self.trouble:
            return "503 Service Unavailable", f'{{"storagedriver_s3aws": "{self.trouble}"}}'
        return "200 OK", "{}"

    def _metrics(self) -> str:
        self._looks += 1
        store, labels = "registry_storage_action_seconds", '{action="GetContent",driver="s3aws"}'
        return (
            f'registry_proxy_hits_total{{type="blob"}} {self.hits()}\n'
            f"{store}_count{labels} {10 * self._looks}\n"
            f"{store}_sum{labels} {10 * self._looks * self.store_seconds}\n"
        )
