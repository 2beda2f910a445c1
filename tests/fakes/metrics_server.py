"""The scrape port of a registry's pod."""

from __future__ import annotations

from dataclasses import dataclass
from socket import socket


@dataclass(frozen=True)
class MetricsServer:
    """Answers one request with metrics of a cache; ``status`` and ``body`` replace them."""

    hits: int = 0
    misses: int = 0
    fetched: int = 0
    served: int = 0
    status: int = 200
    body: str | None = None
    path: str = "/metrics"

    def __call__(self, connection: socket) -> None:
        question = b""
        while not question.endswith(b"\r\n\r\n"):
            question += connection.recv(1024)
        found = question.startswith(f"GET {self.path} ".encode())
        body = (self._metrics() if self.body is None else self.body).encode()
        head = f"HTTP/1.1 {self.status if found else 404} \r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)

    def _metrics(self) -> str:
        return (
            f'regmirror_requests_total{{kind="tag",result="hit"}} {self.hits}\n'
            f'regmirror_requests_total{{kind="layer",result="miss"}} {self.misses}\n'
            f'regmirror_upstream_fetches_total{{kind="layer"}} {self.misses}\n'
            f'regmirror_upstream_bytes_total{{kind="layer"}} {self.fetched}\n'
            f'regmirror_response_bytes_total{{kind="layer"}} {self.served}\n'
        )
