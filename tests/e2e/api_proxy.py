"""A proxy for the API server that counts the changes of a command, and can kill the command after one of them."""

import base64
import json
import re
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from tests.e2e.deployed_mirror import DeployedMirror

Boundary = tuple[int, str, int]
"""After a change: the number of own Secrets written before, the change, and its number among equal changes."""

LAST_CHANGE = "Lease given back"
"""The change with which deploy and rotate-cert end, as a boundary names it."""
_OWN_SECRET = re.compile(r" secrets/regmirror-(signing|signing-next|bundle)$")
_NO_CHANGE = re.compile(r"authorization\.k8s\.io|/portforward|dryRun=All")


@dataclass
class ApiProxy:
    """Forwards every request; calls ``after`` for each change before the command gets the answer.

    Renewals of a Lease are not counted, because their times vary. When ``is_down``, all connections are closed.
    """

    server: str
    authority: Path
    token: str
    has_stages: bool
    """False for a command that writes all Secrets in each run, where the number of a stage is meaningless."""
    after: Callable[[Boundary], None] = lambda _: None
    made: list[Boundary] = field(default_factory=list)
    """Every change of the current run of the command."""
    stage: int = 0
    is_down: bool = False
    holder: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, client: socket.socket) -> None:
        """Handle the one request of a connection."""
        with client, suppress(OSError):
            method, path, head, body = self._read(client)
            if self.is_down:
                return
            with self._connect() as api:
                if method == "GET" or _NO_CHANGE.search(path):
                    api.sendall(head + body)
                    threading.Thread(target=_relay, args=(client, api), daemon=True).start()
                    _relay(api, client)
                    return
                with self.lock:
                    if self.is_down:
                        return
                    api.sendall(head + body)
                    answer = _all_of(api)
                    if re.match(rb"HTTP/1.1 2", answer):
                        self._count(method, f"{method} {_object(path, body)}", body)
                    if self.is_down:
                        return
            client.sendall(answer)

    def begin(self) -> None:
        """Forward requests again, for the next run."""
        with self.lock:
            self.is_down = False
            self.made.clear()

    def _count(self, method: str, change: str, body: bytes) -> None:
        stage = self.stage
        if "leases/" in change and method != "DELETE":
            holder = json.loads(body)["spec"].get("holderIdentity", "")
            if holder == self.holder:
                return
            self.holder, change, stage = holder, "Lease taken" if holder else LAST_CHANGE, 0
        if self.has_stages and _OWN_SECRET.search(change):
            self.stage += 1
        counted = Counter((stage, change) for stage, change, _ in self.made)
        boundary = (stage, change, counted[stage, change] + 1)
        self.made.append(boundary)
        self.after(boundary)

    def _read(self, client: socket.socket) -> tuple[str, str, bytes, bytes]:
        """The request, in the form for the API server."""
        received = b""
        while b"\r\n\r\n" not in received:
            if not (piece := client.recv(65536)):
                raise ConnectionError
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = [line for line in lines if line.split(":")[0].lower() not in {"host", "authorization", "connection"}]
        by_name = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in lines}
        headers += [f"Host: {urlsplit(self.server).netloc}", f"Authorization: Bearer {self.token}"]
        headers.append("Connection: " + ("Upgrade" if "upgrade" in by_name else "close"))
        assert "transfer-encoding" not in by_name
        while len(body) < int(by_name.get("content-length", 0)):
            body += client.recv(65536)
        return method, path, "\r\n".join([first, *headers, "", ""]).encode("latin-1"), body

    def _connect(self) -> ssl.SSLSocket:
        parts = urlsplit(self.server)
        context = ssl.create_default_context(cafile=str(self.authority))
        plain = socket.create_connection((parts.hostname or "", parts.port or 443))
        return context.wrap_socket(plain, server_hostname=parts.hostname)


@contextmanager
def api_proxy(mirror: DeployedMirror, *, has_stages: bool = True) -> Iterator[tuple[ApiProxy, list[str]]]:
    """A proxy for the mirror's API server, and the options with which a command uses it."""
    shown = json.loads(mirror.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    cluster, user = shown["clusters"][0]["cluster"], shown["users"][0]["user"]
    authority = mirror.directory / "api-authority.crt"
    authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    proxy = ApiProxy(cluster["server"], authority, user["token"], has_stages)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kubeconfig = mirror.directory / "proxy.kubeconfig"
        shown["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{listener.getsockname()[1]}"}
        kubeconfig.write_text(yaml.safe_dump(shown))
        threading.Thread(target=_accept, args=(listener, proxy), daemon=True).start()
        yield proxy, ["--kubeconfig", str(kubeconfig)]
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, proxy: ApiProxy) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=proxy.serve, args=(client,), daemon=True).start()


def _relay(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError, ValueError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


def _all_of(source: socket.socket) -> bytes:
    return b"".join(iter(lambda: source.recv(65536), b""))


def _object(path: str, body: bytes) -> str:
    """The object of a request, such as ``secrets/regmirror-bundle``; Helm's records without their number."""
    parts = urlsplit(path).path.split("/namespaces/")[-1].split("/")[1:]
    if len(parts) == 1:
        with suppress(ValueError):
            parts.append(json.loads(body)["metadata"]["name"])
    return re.sub(r"\.v\d+$", "", "/".join(parts))
