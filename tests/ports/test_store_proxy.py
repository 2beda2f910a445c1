"""A store that only pods reach is used through the program of a pod, over plain HTTP and through CONNECT."""

from __future__ import annotations

import inspect
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from regmirror.adapters.object_store import S3ObjectStore
from regmirror.adapters.tunnel import tunnel
from regmirror.config.model import S3Storage
from regmirror.desired.mirror_secrets import Account
from regmirror.errors import StorageUnreachableError
from regmirror.workloads import store_proxy
from tests.fakes.cluster import FakeCluster
from tests.ports.s3_stub import S3Stub

POD = "regmirror-store-proxy"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def program(host: str, port: int) -> Iterator[int]:
    """The program as the pod runs it; yields the port on which it listens."""
    listen = free_port()
    command = [sys.executable, "-c", inspect.getsource(store_proxy), host, str(port), str(listen)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == store_proxy.READY
            yield listen
        finally:
            process.terminate()


class ForwardingCluster(FakeCluster):
    """Connects ports of pods to the same ports of this machine."""

    @contextmanager
    def connect(self, pod: str, port: int) -> Iterator[socket.socket]:
        assert pod == POD
        with socket.create_connection(("127.0.0.1", port)) as connection:
            yield connection


def open_store(endpoint: str, local: int) -> S3ObjectStore:
    storage = S3Storage(bucket="layers", region="us-east-1", endpoint=endpoint)
    account = Account(SecretStr("id"), SecretStr("canary"))
    return S3ObjectStore(storage, account, 5.0, proxy=f"http://127.0.0.1:{local}")


def test_every_request_reaches_the_store_through_the_pod() -> None:
    stub = S3Stub()
    with (
        stub.serving() as endpoint,
        program("localhost", int(endpoint.rpartition(":")[2])) as listen,
        tunnel(ForwardingCluster(), POD, listen) as local,
    ):
        store = open_store(endpoint.replace("127.0.0.1", "localhost"), local)
        store.check_bucket()
        store.write("hub/.owner", b"x" * 300_000)
        assert store.read("hub/.owner") == b"x" * 300_000
    assert {path for _, path, _ in stub.requests if path.startswith("http")} == set()


def test_encrypted_connections_pass_through_as_they_are() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        program("localhost", server.getsockname()[1]) as listen,
        socket.create_connection(("127.0.0.1", listen)) as client,
    ):
        client.sendall(f"CONNECT localhost:{server.getsockname()[1]} HTTP/1.1\r\n\r\n".encode())
        server.accept()[0].close()
        with server.accept()[0] as connection:
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            client.sendall(b"\x16\x03")
            assert connection.recv(100) == b"\x16\x03"
            connection.sendall(b"\x00\xff")
            assert client.recv(100) == b"\x00\xff"


def test_no_other_host_can_be_reached_through_the_pod() -> None:
    stub = S3Stub()
    with (
        stub.serving() as endpoint,
        program("localhost", int(endpoint.rpartition(":")[2])) as listen,
        pytest.raises(StorageUnreachableError),
    ):
        open_store(endpoint, listen).check_bucket()
    assert stub.requests == []


def test_a_pod_that_cannot_reach_the_store_says_why() -> None:
    command = [sys.executable, "-c", inspect.getsource(store_proxy), "localhost", str(free_port()), "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Connect call failed" in done.stderr
