"""One pod of a registry, behind its two ports, for one request a connection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Set
from dataclasses import dataclass
from socket import socket

from regmirror.desired import names
from tests.fakes.cluster import FakeCluster

_OK, _UNWELL = "200 OK", "503 Service Unavailable"


@dataclass
class RegistryPod:
    """Serves manifests and a catalog, and on its debug port metrics, as distribution does.

    Each request for a blob is a hit if ``caches``, and a lookup in Redis, which fails unless ``redis_answers``; the
    first ``late_lookups`` fail always. Unless the client has the manifest already, the store takes ``store_seconds``.
    """

    caches: bool = True
    trouble: str = ""
    store_seconds: float = 0.0
    redis_answers: bool = True
    late_lookups: int = 0
    asks_redis: bool = True
    accepts_token: bool = True
    _hits: int = 0
    _lookups: int = 0
    _errors: int = 0

    def listen(self, cluster: FakeCluster, name: str) -> None:
        """Be the pod of this name."""
        cluster.listeners[name, names.REGISTRY_PORT] = lambda connection: _serve(connection, self._registry)
        cluster.listeners[name, names.REGISTRY_DEBUG_PORT] = lambda connection: _serve(connection, self._debug)

    def _registry(self, path: str, headers: Set[str]) -> tuple[str, str]:
        if "/blobs/" in path:
            self._hits += self.caches
            self._lookups += self.asks_redis
            self._errors += not self.redis_answers or self._lookups <= self.late_lookups
            return _OK, "layer"
        if not self.accepts_token:
            return "401 Unauthorized", _unauthorized()
        if path.startswith("/v2/_catalog"):
            return (_UNWELL, _store_error(self.trouble)) if self.trouble else (_OK, '{"repositories": []}')
        if "/manifests/" not in path:
            return "404 Not Found", "{}"
        if "if-none-match" in headers:
            return "304 Not Modified", ""
        time.sleep(self.store_seconds)
        return _OK, "{}"

    def _debug(self, path: str, _: Set[str]) -> tuple[str, str]:
        if path == "/metrics":
            metrics = {
                'registry_proxy_hits_total{type="blob"}': self._hits,
                "registry_storage_cache_requests_total": self._lookups,
                "registry_storage_cache_errors_total": self._errors,
            }
            return _OK, "".join(f"{name} {value}\n" for name, value in metrics.items())
        return "404 Not Found", ""


def _store_error(reason: str) -> str:
    """As distribution 3.1.2 answers if its driver fails."""
    return json.dumps({"errors": [{"code": "UNKNOWN", "detail": {"driver": "s3aws", "detail": reason}}]})


def _unauthorized() -> str:
    """As distribution 3.1.2 answers if it does not accept the token."""
    catalog = {"Type": "registry", "Class": "", "Name": "catalog", "Action": "*"}
    return json.dumps({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required", "detail": [catalog]}]})


def _serve(connection: socket, answer: Callable[[str, Set[str]], tuple[str, str]]) -> None:
    with connection.makefile("rb") as stream:
        path = stream.readline().split()[1].decode()
        headers = {line.partition(b":")[0].decode().lower() for line in iter(stream.readline, b"\r\n")}
    status, body = answer(path, headers)
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + body.encode())
