"""Servers outside of the pod are reached through the proxy and with private CAs, and cannot fill the memory."""

import asyncio
from pathlib import Path

import pytest
from fetcher import no_proxy
from fetcher.messages import Answer, MessageError
from fetcher.way_out import WayOut, way_out

from regmirror.config import no_proxy as no_proxy_of_the_command
from tests.e2e.company_network import Authority, CompanyProxy, CompanyRegistry
from tests.fetcher.setting import WAY_OUT

HOST = "registry.company.test"
LIMIT = 1000


def test_no_proxy_means_the_same_as_for_the_command() -> None:
    """One text in two places: the program in the pod has no packages."""
    first, second = (Path(str(module.__file__)).read_text() for module in (no_proxy, no_proxy_of_the_command))
    assert first == second


@pytest.mark.parametrize(("entry", "expected"), [("", 401), (HOST, None), (".svc", 401)])
def test_a_registry_behind_a_proxy_with_a_private_ca(tmp_path: Path, entry: str, expected: int | None) -> None:
    """Only the proxy resolves its name."""
    authority = Authority()
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    registry = CompanyRegistry("127.0.0.1:1", authority.context(HOST, tmp_path), ("a", "b"))
    with registry.serving("127.0.0.1"):
        proxy = CompanyProxy({f"{HOST}:443": ("127.0.0.1", registry.port)}, ("user", "pass/word"))
        with proxy.serving("127.0.0.1"):
            (tmp_path / "proxy-url").write_text(f"http://user:pass%2Fword@127.0.0.1:{proxy.port}")
            way = way_out(tmp_path / "ca.crt", tmp_path / "proxy-url", entry)
            if expected is None:
                with pytest.raises(MessageError, match=HOST):
                    request(way, f"https://{HOST}/v2/")
            else:
                assert request(way, f"https://{HOST}/v2/").status == expected
            untrusting = way_out(tmp_path / "missing", tmp_path / "proxy-url", "")
            with pytest.raises(MessageError, match="SSLCertVerificationError"):
                request(untrusting, f"https://{HOST}/v2/")
            with pytest.raises(MessageError, match=r"the proxy refuses a connection to other\.test:443: 403") as error:
                request(way, "https://other.test/")
            assert "pass" not in str(error.value)


def request(way: WayOut, url: str, method: str = "GET") -> Answer:
    async def run() -> Answer:
        async with asyncio.timeout(10):
            return await way.request(method, url, {}, LIMIT)

    return asyncio.run(run())


def answer_of(raw: bytes, method: str = "GET") -> Answer:
    """What is understood of a server's bytes; the server never closes the connection by itself."""

    async def run() -> Answer:
        done = asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(raw)
            if raw.endswith(b"EOF"):
                writer.write_eof()
            await done.wait()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, asyncio.timeout(10):
            port = server.sockets[0].getsockname()[1]
            try:
                return await WAY_OUT.request(method, f"http://127.0.0.1:{port}", {}, LIMIT)
            finally:
                done.set()

    return asyncio.run(run())


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (HEAD + b"Content-Length: 5\r\n\r\nhello", b"hello"),
        (CHUNKED + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", b"hello"),
        (HEAD + b"\r\nto the EOF", b"to the EOF"),
        (b"HTTP/1.1 204 -\r\n\r\n", b""),
    ],
)
def test_all_forms_of_a_body_are_read(raw: bytes, body: bytes) -> None:
    assert answer_of(raw).body == body


def test_the_answer_to_head_has_no_body() -> None:
    assert answer_of(HEAD + b"Content-Length: 5\r\n\r\n", "HEAD").status == 200


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Length: 1001\r\n\r\n",
        CHUNKED + b"3e9\r\n",
        CHUNKED + b"1f4\r\n" + b"x" * 500 + b"\r\n1f5\r\n",
        CHUNKED + b"-1\r\n",
        CHUNKED + b"zz\r\n",
        HEAD + b"\r\n" + b"x" * 2000,
        HEAD + b"X: " + b"y" * 400_000,
        b"HTTP/1.1 abc\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
)
def test_what_is_too_large_or_not_http_is_refused(raw: bytes) -> None:
    with pytest.raises(MessageError):
        answer_of(raw)
