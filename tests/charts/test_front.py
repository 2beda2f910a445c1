"""What the front answers itself, and what it passes on: the charts' nginx.conf, run by a real nginx."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from .front import configuration
from .helm import DIRECTORY, Helm
from .nginx import await_listening, free_port, running_nginx

TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
MANIFEST = "/v2/library/a/manifests/1"
PULL = {"Authorization": "Bearer good"}
BIG = bytes(5_000_000)


@dataclass
class Program:
    """The program behind a front: it keeps what it was asked, and answers with ``status``."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str]]:
        """As the registry: 401 without a token, and 304 for a digest that the client has."""
        headers = {name.lower(): value for name, value in handler.headers.items()}
        if "if-none-match" in headers:
            return (304 if headers.get("authorization") == PULL["Authorization"] else 401), {}
        self.asked.append((handler.command, handler.path, headers))
        if handler.path.startswith("/v2/") and headers.get("authorization") != PULL["Authorization"]:
            return 401, {"WWW-Authenticate": "Bearer"}
        return self.status, self.headers


@dataclass(frozen=True)
class Front:
    """A running nginx and the program behind it."""

    port: int
    program: Program

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None, *, chunked: bool = False
    ) -> http.client.HTTPResponse:
        """One request on a connection of its own; the body of the answer is read."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as connection:
            connection.request(method, path, body, headers or {}, encode_chunked=chunked)
            answer = connection.getresponse()
            answer.read()
            return answer


@pytest.fixture(params=["auth", "registry"])
def chart(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def front(helm3: Helm, chart: str, tmp_path: Path) -> Iterator[Front]:
    with run(configuration(helm3, chart), chart, tmp_path) as running:
        yield running


@pytest.fixture
def auth(helm3: Helm, tmp_path: Path) -> Iterator[Front]:
    with run(configuration(helm3, "auth"), "auth", tmp_path) as running:
        yield running


@pytest.fixture
def registry(helm3: Helm, tmp_path: Path) -> Iterator[Front]:
    with run(configuration(helm3, "registry"), "registry", tmp_path) as running:
        yield running


@contextmanager
def run(text: str, chart: str, directory: Path, program: Program | None = None, *options: str) -> Iterator[Front]:
    """Run nginx with another port and directory, in front of a program of ours, with more options of the fetcher."""
    program, port = program or Program(), free_port()
    with ExitStack() as stack:
        server = stack.enter_context(serving(program))
        behind = {"auth": "127.0.0.1:5001", "registry": "127.0.0.1:5000"}[chart]
        layers = directory / "layers"
        layers.mkdir()
        sockets = stack.enter_context(TemporaryDirectory(prefix="front"))
        for there, here in {
            "/var/cache/nginx": str(directory),
            "/run/regmirror": sockets,
            "/run/metrics": str(directory),
            "/var/lib/regmirror/layers": str(layers),
            behind: f"127.0.0.1:{server.server_port}",
        }.items():
            text = text.replace(there, here)
        if chart == "registry":
            stack.enter_context(fetcher(Path(sockets), layers, server.server_port, *options))
        (directory / "nginx.conf").write_text(text)
        (directory / "listen.conf").write_text(f"listen 127.0.0.1:{port} backlog=4096 sndbuf=64k;")
        await_listening(port, stack.enter_context(running_nginx(directory / "nginx.conf")))
        yield Front(port, program)


@contextmanager
def fetcher(sockets: Path, layers: Path, registry_port: int, *options: str) -> Iterator[None]:
    """The fetcher of a registry's pod; a path of a socket must be short."""
    size = ["--registry-port", str(registry_port), "--size", "1000000000"]
    command = [sys.executable, "-m", "fetcher", str(sockets), str(layers), *size, *options]
    environment = {**os.environ, "PYTHONPATH": str(DIRECTORY / "registry/files"), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, env=environment) as process:
        try:
            while not (sockets / "fetcher.sock").exists():
                assert process.poll() is None
                time.sleep(0.02)
            yield
        finally:
            process.terminate()


@contextmanager
def serving(program: Program) -> Iterator[ThreadingHTTPServer]:
    """A server for the program; it answers every method."""

    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        status, headers = program.answer(handler)
        handler.send_response(status)
        body = program.body if status == 200 and handler.command != "HEAD" else b""
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        # A front that gives up closes the connection.
        with suppress(ConnectionError):
            handler.wfile.write(body)

    methods = {f"do_{method}": serve for method in ("GET", "HEAD", "POST", "PUT", "DELETE")}
    quiet = {"log_message": lambda *_: None, "protocol_version": "HTTP/1.1"}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (BaseHTTPRequestHandler,), methods | quiet))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def pieces() -> Iterator[bytes]:
    yield from (BIG[:100_000] for _ in range(50))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused_and_reaches_no_program(
    front: Front, chart: str, method: str, *, chunked: bool
) -> None:
    path = {"auth": "/auth?service=x", "registry": "/v2/library/a/blobs/uploads/"}[chart]
    headers = {"Content-Type": "multipart/form-data; boundary=x"} | (
        {"Transfer-Encoding": "chunked"} if chunked else {}
    )
    answer = front.ask(method, path, headers, pieces() if chunked else BIG, chunked=chunked)
    # The registry's own 401; docker_auth knows no method but GET.
    assert answer.status in {"auth": {413, 405}, "registry": {401}}[chart]
    assert all("content-length" not in sent and "content-type" not in sent for _, _, sent in front.program.asked)


def test_a_large_body_for_a_manifest_gets_the_answer_of_the_registry(registry: Front) -> None:
    for chunked in (False, True):
        headers = {"Transfer-Encoding": "chunked"} if chunked else {}
        answer = registry.ask("PUT", MANIFEST, headers, pieces() if chunked else BIG, chunked=chunked)
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_small_body_is_dropped(front: Front, chart: str) -> None:
    path = {"auth": "/auth?service=x", "registry": "/v2/"}[chart]
    front.ask("GET", path, {"Content-Type": "application/x-www-form-urlencoded"}, b"account=x")
    ((_, _, sent),) = front.program.asked
    assert not {"content-length", "content-type", "transfer-encoding"} & sent.keys()


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/auth?service=x", 200),
        ("HEAD", "/auth?service=x", 200),
        ("POST", "/auth", 405),
        ("PUT", "/auth", 405),
        ("DELETE", "/auth", 405),
        ("GET", "/auth/", 404),
        ("GET", "/google_auth", 404),
        ("GET", "/auth?scope=" + "+".join(f"repository:b/{number}:pull" for number in range(40_000)), 414),
        ("GET", "/auth?service=x" + "&scope=repository%3Alibrary%2Fabcdefgh%3Apull" * 350, 200),
        ("GET", "/", 200),
    ],
)
def test_docker_auth_gets_only_questions_for_tokens(auth: Front, method: str, path: str, expected: int) -> None:
    assert auth.ask(method, path).status == expected
    assert len(auth.program.asked) == (expected == 200)


def test_requests_with_many_scopes_are_limited_apart_from_all_others(auth: Front) -> None:
    many = "/auth?service=x" + "&scope=repository%3Alibrary%2Fabcdefgh%3Apull" * 30
    answers = [auth.ask("GET", many) for _ in range(100)]
    assert {answer.status for answer in answers} == {200, 429}
    assert {answer.headers["Retry-After"] for answer in answers if answer.status == 429} == {"5"}
    assert auth.ask("GET", "/auth?service=x&scope=repository%3Alibrary%2Fabcdefgh%3Apull").status == 200


@pytest.mark.parametrize(("name", "number"), [("auth", 1920), ("registry", 1920)])
def test_a_burst_of_one_trusted_address_is_served(helm3: Helm, tmp_path: Path, name: str, number: int) -> None:
    """64 nodes behind a NAT gateway, each of which pulls 30 images."""
    text = configuration(helm3, name, {"front": {"trustedProxies": ["127.0.0.0/8"]}})
    path = {"auth": "/auth?service=x", "registry": "/v2/"}[name]
    with run(text, name, tmp_path) as front, ThreadPoolExecutor(8) as clients:
        address = {"X-Forwarded-For": "192.0.2.7"}
        answers = clients.map(lambda _: front.ask("GET", path, address).status, range(number))
        assert set(answers) == {{"auth": 200, "registry": 401}[name]}


LOGIN = {"Authorization": "Basic YWxpY2U6Y2FuYXJ5"}
TOKEN = "/auth?service=x&scope=repository%3Alibrary%2Fa%3Apull"


def statuses(front: Front, number: int, path: str, headers: dict[str, str]) -> list[int]:
    """The statuses of requests at the same time; what nginx delays is at least sent."""
    with ThreadPoolExecutor(number) as clients:
        return list(clients.map(lambda _: front.ask("GET", path, headers).status, range(number)))


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (TOKEN, LOGIN),
        (TOKEN, {"Authorization": "basic x"}),
        (f"{TOKEN}&account=alice", {}),
        (f"/auth?account=alice&{TOKEN}", {}),
        (f"{TOKEN}&%61ccount=alice", {}),
        (f"{TOKEN}&accoun%74", {}),
    ],
)
def test_every_way_to_try_a_password_is_limited_in_total(
    helm3: Helm, tmp_path: Path, path: str, headers: dict[str, str]
) -> None:
    # Faster, so that the test waits less for what is delayed.
    text = configuration(helm3, "auth").replace("zone=logins:1m rate=10r/s", "zone=logins:1m rate=100r/s")
    with run(text, "auth", tmp_path) as front:
        assert set(statuses(front, 300, path, headers)) == {200, 429}
        assert statuses(front, 100, TOKEN, {}) == [200] * 100


def test_who_does_not_log_in_is_not_limited_as_a_login(auth: Front) -> None:
    path = f"{TOKEN}&client_id=account&offline_token=true&scope=repository%3Aaccount%2Faccount%3Apull"
    assert statuses(auth, 200, path, {}) == [200] * 200


def test_one_address_cannot_use_up_the_logins_of_others(helm3: Helm, tmp_path: Path) -> None:
    text = configuration(helm3, "auth", {"front": {"trustedProxies": ["127.0.0.0/8"]}})
    text = text.replace("zone=logins_of_client:8m rate=2r/s", "zone=logins_of_client:8m rate=20r/s")
    with run(text, "auth", tmp_path) as front:
        attacker, other = ({"X-Forwarded-For": f"192.0.2.{number}", **LOGIN} for number in (7, 8))
        refused = statuses(front, 300, TOKEN, attacker).count(429)
        assert refused >= 150
        # Its delayed requests have ended; what was refused has not counted for anybody else.
        begun = time.monotonic()
        assert statuses(front, 10, TOKEN, other) == [200] * 10
        assert time.monotonic() - begun < 5


def test_a_token_for_many_repositories_reaches_the_registry(registry: Front) -> None:
    assert registry.ask("GET", "/v2/", {"Authorization": f"Bearer {'x' * 31_000}"}).status == 401
    assert registry.ask("GET", "/v2/", {"Authorization": f"Bearer {'x' * 40_000}"}).status == 400
    assert len(registry.program.asked) == 1


@pytest.mark.parametrize("part", ["a/", "a-_", "ab"])
@pytest.mark.parametrize("end", ["manifests/1", f"blobs/sha256:{'0' * 64}", "nothing"])
def test_a_path_that_is_longer_than_any_of_a_pull_is_refused(registry: Front, part: str, end: str) -> None:
    """nginx answers 500, and writes a line to its log, if a regular expression takes too much memory."""
    for length in (1_100, 10_000, 30_000):
        path = f"/v2/{part * (length // len(part))}/{end}"
        assert [registry.ask("GET", path, headers).status for headers in ({}, PULL)] == [414, 414]
    assert registry.program.asked == []


def test_the_longest_names_can_be_pulled(registry: Front) -> None:
    assert registry.ask("GET", f"/v2/{'a/' * 127}a/manifests/{'x' * 128}?ns=docker.io", PULL).status == 200


@pytest.mark.parametrize("part", ["a%;", "account", "a&b=%"])
def test_a_long_query_that_looks_like_a_login_is_answered(auth: Front, part: str) -> None:
    assert auth.ask("GET", f"{TOKEN}&{part * (15_000 // len(part))}").status == 200


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_what_the_registry_does_not_have_is_asked_once(registry: Front, status: int) -> None:
    registry.program.status = status
    assert [registry.ask("GET", MANIFEST, PULL).status for _ in range(5)] == [status] * 5
    assert len(registry.program.asked) == 1
    assert registry.ask("GET", MANIFEST).status == 401


def test_a_refusal_of_the_registry_itself_is_not_kept(registry: Front) -> None:
    registry.program.status, registry.program.headers = 401, {"WWW-Authenticate": "Bearer"}
    assert [registry.ask("GET", MANIFEST, PULL).status for _ in range(2)] == [401, 401]
    assert len(registry.program.asked) == 2


def test_only_media_types_that_can_change_the_answer_are_passed_on_and_tell_answers_apart(registry: Front) -> None:
    ask_for(registry, f"{TYPES[1]};q=0.5, text/plain ,{TYPES[0].upper()}, x/{'y' * 7000}", "*/*", f"x{TYPES[2]}")
    ask_for(registry, TYPES[0], TYPES[1])
    ((_, _, sent),) = registry.program.asked
    assert [kind for kind in sent["accept"].split(",") if kind] == [TYPES[0], TYPES[1]]
    ask_for(registry, TYPES[0])
    assert len(registry.program.asked) == 2


def ask_for(front: Front, *accepted: str) -> None:
    """Ask for a manifest, with one Accept header for each argument."""
    with closing(http.client.HTTPConnection("127.0.0.1", front.port, timeout=20)) as connection:
        connection.putrequest("GET", MANIFEST)
        for name, value in [*PULL.items(), *(("Accept", kinds) for kinds in accepted)]:
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("head", ["", "GET /v2/ HT", "GET /v2/ HTTP/1.1\r\nHost: x\r\n"])
def test_a_client_that_does_not_complete_its_headers_is_disconnected(
    helm3: Helm, chart: str, tmp_path: Path, head: str
) -> None:
    text = configuration(helm3, chart).replace("client_header_timeout 10s", "client_header_timeout 1s")
    with run(text, chart, tmp_path) as front, closing(socket.create_connection(("127.0.0.1", front.port))) as client:
        client.settimeout(20)
        client.sendall(head.encode())
        with suppress(ConnectionResetError):
            assert client.recv(1000) == b""


def test_a_client_that_does_not_read_is_disconnected_and_one_that_reads_slowly_is_not(
    helm3: Helm, tmp_path: Path
) -> None:
    text = configuration(helm3, "registry").replace("send_timeout 2m", "send_timeout 2s")
    with run(text, "registry", tmp_path) as front, ThreadPoolExecutor(2) as clients:
        front.program.body = bytes(20_000_000)
        idle, slow = (clients.submit(read_at, front.port, pause) for pause in (6.0, 0.05))
        assert slow.result() > len(front.program.body)
        assert idle.result() < len(front.program.body)


def read_at(port: int, pause: float) -> int:
    """The number of bytes that a client gets which pauses between reads of half a megabyte."""
    read = 0
    with closing(socket.create_connection(("127.0.0.1", port))) as client, suppress(ConnectionError):
        client.settimeout(20)
        client.sendall(f"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{bearer()}\r\n\r\n".encode())
        pausing = threading.Event()
        while piece := client.recv(500_000):
            read += len(piece)
            pausing.wait(pause)
    return read


def bearer() -> str:
    (header,) = PULL.items()
    return ": ".join(header)


def test_requests_in_progress_are_limited_in_total(helm3: Helm, chart: str, tmp_path: Path) -> None:
    text = configuration(helm3, chart).replace("limit_conn connections 2", "limit_conn connections 2;#")
    check_limit(text, chart, tmp_path, 503, {})


def test_requests_of_a_client_behind_a_trusted_proxy_are_limited(helm3: Helm, chart: str, tmp_path: Path) -> None:
    text = configuration(helm3, chart, {"front": {"trustedProxies": ["127.0.0.0/8"]}})
    text = text.replace("connections_of_client 1024", "connections_of_client 2")
    check_limit(text, chart, tmp_path, 429, {"X-Forwarded-For": "192.0.2.7"})


def check_limit(text: str, chart: str, directory: Path, refused: int, headers: dict[str, str]) -> None:
    """With two requests in progress, the third is refused; another client's is served if addresses are known."""
    path = {"auth": "/auth?service=x", "registry": "/v2/"}[chart]
    with run(text, chart, directory) as front, ThreadPoolExecutor(2) as clients:
        slow = Slow(front.program)
        pending = [clients.submit(front.ask, "GET", path, headers) for _ in range(2)]
        assert all(slow.arrived.acquire(timeout=20) for _ in pending)
        third = front.ask("GET", path, headers)
        slow.released.set()
        assert (third.status, third.headers["Retry-After"]) == (refused, "5")
        assert {found.result().status for found in pending} <= {200, 401}
        assert front.ask("GET", "/").status == 200
        if headers:
            assert front.ask("GET", path, {"X-Forwarded-For": "192.0.2.8"}).status in {200, 401}


class Slow:
    """Makes a program wait with its answers until ``released`` is set."""

    def __init__(self, program: Program) -> None:
        self.arrived, self.released = threading.Semaphore(0), threading.Event()
        self._answer = program.answer
        program.answer = self._wait  # type: ignore[method-assign]

    def _wait(self, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str]]:
        self.arrived.release()
        self.released.wait(20)
        return self._answer(handler)


def test_clients_without_a_token_cost_the_registry_one_request_in_a_while(registry: Front) -> None:
    """It writes two lines to its log for each."""
    answers = [registry.ask("GET", MANIFEST) for _ in range(5)]
    assert {(answer.status, answer.headers["WWW-Authenticate"]) for answer in answers} == {(401, "Bearer")}
    assert len(registry.program.asked) == 1
    assert registry.ask("GET", MANIFEST, PULL).status == 200


def test_a_layer_is_asked_for_once_and_then_served_from_the_disk(registry: Front) -> None:
    registry.program.body = BIG
    layer = f"/v2/library/a/blobs/sha256:{hashlib.sha256(BIG).hexdigest()}"
    for path in (layer, layer, layer.replace("library/a", "library/b")):
        answer = registry.ask("GET", path, PULL)
        assert (answer.status, int(answer.headers["Content-Length"])) == (200, len(BIG))
    assert [path for _, path, _ in registry.program.asked] == [layer]
    part = registry.ask("GET", layer, {**PULL, "Range": "bytes=10-19"})
    assert (part.status, part.headers["Content-Range"]) == (206, f"bytes 10-19/{len(BIG)}")
    assert registry.ask("GET", layer).status == 401
    assert registry.ask("GET", layer, {"Authorization": "Bearer bad"}).status == 401


@pytest.mark.parametrize("shared", [True, False])
def test_layers_are_sent_from_the_disk_without_being_copied(helm3: Helm, shared: bool) -> None:
    """Which location decides is in nginx's source only: ngx_http_update_location_config runs for every location."""
    text = configuration(helm3, "registry", {"layerCache": {"shared": shared}})
    locations = dict(re.findall(r"^    location (?:[=~] )?(\S+) \{\n(.*?)^    \}", text, re.MULTILINE | re.DOTALL))
    senders = [body for body in locations.values() if "/var/lib/regmirror/layers" in body]
    assert len(senders) == (2 if shared else 1)
    checks = [locations[check] for body in senders for check in re.findall(r"auth_request (\S+);", body)]
    assert len(checks) == (1 if shared else 0)
    assert all("sendfile on;" in body for body in (*senders, *checks))
