"""A "#" in a URL: nginx ends the query there, and docker_auth does not, so a limit would see only a part of it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from .front import configuration
from .helm import Helm
from .test_endpoint import HOSTS, HUB
from .test_endpoint import run as run_endpoint
from .test_front import LOGIN, MANIFEST, PULL, TOKEN, run

_SCOPES = "&scope=repository%3Alibrary%2Fabcdefgh%3Apull" * 60
_TOKENS = [
    "/auth?service=x#&account=alice",
    "/auth?#account=alice",
    "/auth#?account=alice",
    f"/auth?z=#{_SCOPES}",
    f"http://{HUB}/auth?service=x#&account=alice",
    f"{TOKEN}#",
]
_SIGN_INS = ["/github_auth?#&code=x", "/github_auth#?code=x"]
_PULLS = [f"{MANIFEST}#", f"/v2/#/../..{MANIFEST}", f"{MANIFEST}?#x", f"http://{HUB}{MANIFEST}#"]
_PROBES = ["/#", "/alive#", "/#/v2/"]
_SIGN_IN = {"provider": "github"}
_PAGE = {"host": HUB, "path": "/github_auth"}


def _status(connection: socket.socket, target: str) -> int:
    """Of a request that is sent as it is: a library would cut the URL or encode it."""
    headers = {"Host": HUB, "Connection": "close", **PULL}
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    with closing(connection):
        connection.settimeout(20)
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(connection.makefile("rb").readline().split()[1])


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


def _refused(connect: Callable[[], socket.socket], targets: list[str]) -> None:
    assert {target: _status(connect(), target) for target in targets} == dict.fromkeys(targets, 400)


def test_docker_auth_gets_none(helm3: Helm, tmp_path: Path) -> None:
    values = {"signIn": _SIGN_IN, "front": {"trustedProxies": ["127.0.0.0/8"]}}
    with run(configuration(helm3, "auth", values), "auth", tmp_path) as front:
        _refused(lambda: _connected(front.port), [*_TOKENS, *_SIGN_INS, *_PROBES])
        assert front.program.asked == []
        # A client that means the character encodes it.
        assert front.ask("GET", "/auth?service=x&client_id=a%23b", LOGIN).status == 200


def test_a_registry_gets_none(helm3: Helm, tmp_path: Path) -> None:
    with run(configuration(helm3, "registry"), "registry", tmp_path) as front:
        _refused(lambda: _connected(front.port), [*_PULLS, *_PROBES])
        assert front.program.asked == []
        assert front.ask("GET", f"{MANIFEST}?x=%23", PULL).status == 200


@pytest.mark.parametrize("policy", ["Local", "Cluster"])
def test_the_public_endpoint_passes_none_on(helm3: Helm, tmp_path: Path, policy: str) -> None:
    values = {"hosts": HOSTS, "signIn": _PAGE, "service": {"externalTrafficPolicy": policy}}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with run_endpoint(configuration(helm3, "endpoint", values), tmp_path) as endpoint:

        def connect() -> socket.socket:
            return context.wrap_socket(_connected(endpoint.port), server_hostname=HUB)

        _refused(connect, [*_TOKENS, *_SIGN_INS, *_PULLS])
        assert not any(program.asked for program in endpoint.programs.values())
