"""One pod of a registry, behind its two ports, for one request a connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from socket import socket

from regmirror.stack import names
from tests.fakes.cluster import FakeCluster

_OK, _UNWELL = "200 OK", "503 Service Unavailable"


@dataclass
class RegistryPod:
    """Serves manifests, and on its debug port health and metrics as distribution does.

    ``hits`` tells how often the cache has answered. Each manifest costs two requests to the store, of
    ``store_seconds`` each.
    """

    hits: Callable[[], int]
    trouble: str = ""
    store_seconds: float = 0.02
    _store_requests: int = 0

    def listen(self, cluster: FakeCluster, name: str) -> None:
        """Be the pod of this name."""
        cluster.listeners[name, names.REGISTRY_PORT] = lambda connection: _serve(connection, self._registry)
        cluster.listeners[name, names.REGISTRY_DEBUG_PORT] = lambda connection: _serve(connection, self._debug)

    def _registry(self, path: str) -> tuple[str, str]:
        if "/manifests/" not in path:
            return "404 Not Found", "{}"
        self._store_requests += 2
        return _OK, "{}"

    def _debug(self, path: str) -> tuple[str, str]:
        if path == "/metrics":
            return _OK, self._metrics()
        return (_UNWELL, f'{{"storagedriver_s3aws": "{self.trouble}"}}') if self.trouble else (_OK, "{}")

    def _metrics(self) -> str:
        store, labels = "registry_storage_action_seconds", '{action="GetContent",driver="s3aws"}'
        return (
            f'registry_proxy_hits_total{{type="blob"}} {self.hits()}\n'
            f"{store}_count{labels} {self._store_requests}\n"
            f"{store}_sum{labels} {self._store_requests * self.store_seconds}\n"
        )


def _serve(connection: socket, answer: Callable[[str], tuple[str, str]]) -> None:
    with connection.makefile("rb") as stream:
        path = stream.readline().split()[1].decode()
        while stream.readline().strip():
            pass
    status, body = answer(path)
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + body.encode())
