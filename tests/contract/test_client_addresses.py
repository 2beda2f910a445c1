"""Rules about networks, through the real nginx of docker_auth's pod: no client can choose its address."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from regmirror.config.model import Mirror
from regmirror.desired.access_rules import access_rules
from regmirror.desired.auth_config import auth_config
from regmirror.desired.releases import build_stack
from tests import samples
from tests.charts.front import configuration
from tests.charts.helm import Helm, find_helm
from tests.charts.nginx import await_listening, free_port, running_nginx

from .configurations import token_section
from .programs import Program, Server, running
from .signing_keys import KeyPair
from .test_rules_for_clients import Account, granted

ANYONE = Account("", {})
INSIDE, OUTSIDE = "10.1.2.3", "203.0.113.9"
UPSTREAM = {
    "name": "hub",
    "anonymousPull": ["library/*"],
    "rules": [
        {"deny": ["library/internal"], "from": ["203.0.113.0/24"]},
        {"allow": ["acme/*"], "from": ["10.0.0.0/8", "2001:db8::/32"]},
    ],
}
ALL = ["library/internal", "library/alpine", "acme/tool"]
FOR_INSIDE, FOR_OTHERS, FOR_OUTSIDE = ALL, ALL[:2], ALL[1:2]
LISTENING = ["127.0.0.1:{port}", "[::]:{port} ipv6only=off"]


@pytest.fixture(scope="module")
def helm() -> Helm:
    return find_helm(3) or find_helm(4) or pytest.skip("no Helm: set LAB_HELM3 or LAB_HELM4")


def mirror_with(**ingress: Any) -> Mirror:
    return samples.mirror(upstreams=[UPSTREAM], ingress=ingress)


@contextmanager
def front(
    mirror: Mirror, helm: Helm, program: Program, key_pair: KeyPair, directory: Path, listen: str = LISTENING[0]
) -> Iterator[Server]:
    """docker_auth behind its front, as a mirror deploys both; a server whose port is that of the front."""
    server = {key: value for key, value in auth_config(mirror)["server"].items() if key != "addr"}
    settings = {"server": server, "users": {"": {}}, "acl": access_rules(mirror), "token": token_section(key_pair)}
    releases = build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW).releases
    values = next(release.values for release in releases if release.component == "auth")
    port = free_port()
    with running(program, settings, directory / "auth_config.yml") as behind:
        text = configuration(helm, "auth", values)
        text = text.replace("/var/cache/nginx", str(directory)).replace("/run/metrics", str(directory))
        (directory / "nginx.conf").write_text(text.replace("127.0.0.1:5001", f"127.0.0.1:{behind.port}"))
        (directory / "listen.conf").write_text(f"listen {listen.format(port=port)};")
        with running_nginx(directory / "nginx.conf") as nginx:
            await_listening(port, nginx)
            yield Server(program, behind.process, behind.log, port, None)


def allowed(server: Server, *headers: tuple[str, str]) -> list[str]:
    """What a client gets that sends these headers; several may have one name."""
    return granted(server, samples.HOST, ANYONE, headers, ALL)


@pytest.mark.parametrize("listen", LISTENING)
def test_a_trusted_proxy_reports_the_address(
    helm: Helm, program: Program, key_pair: KeyPair, tmp_path: Path, listen: str
) -> None:
    """nginx in a pod listens on IPv6, where an IPv4 peer has an address in IPv6 form."""
    mirror = mirror_with(trustedProxies=["127.0.0.0/8"])
    with front(mirror, helm, program, key_pair, tmp_path, listen) as server:
        for address, expected in {
            INSIDE: FOR_INSIDE,
            f"{INSIDE}:4711": FOR_INSIDE,
            f"::ffff:{INSIDE}": FOR_INSIDE,
            "2001:db8::7": FOR_INSIDE,
            "[2001:db8::7]:4711": FOR_INSIDE,
            "::a01:203": FOR_OTHERS,
            "fe80::1": FOR_OTHERS,
            OUTSIDE: FOR_OUTSIDE,
            f"::ffff:{OUTSIDE}": FOR_OUTSIDE,
        }.items():
            assert allowed(server, ("X-Forwarded-For", address)) == expected, address


def attacks(address: str) -> list[list[tuple[str, str]]]:
    """What a client sends to be taken for one with another address; its proxy adds its real one, OUTSIDE."""
    real = ("X-Forwarded-For", OUTSIDE)
    return [
        [("X-Forwarded-For", f"{address}, {OUTSIDE}")],
        [("X-Forwarded-For", address), real],
        [("X-Real-IP", address), real],
        [("X-Real-IP", address), ("X-Real-IP", address), real],
        [("x-real-ip", f"{address}, {address}"), real],
        [("X_Real_IP", address), ("X_Forwarded_For", address), real],
        [("X-Real-IP", ""), ("Connection", "X-Real-IP"), real],
        [("Forwarded", f"for={address}"), ("X-Client-IP", address), ("True-Client-IP", address), real],
        [("X-Forwarded-For", f"unknown, {address}:99999, {OUTSIDE}")],
        [("X-Forwarded-For", f"{address} {OUTSIDE}"), real],
        [("X-Forwarded-For", ", " * 500 + f"{address}, {OUTSIDE}")],
        [("X-Forwarded-For", f"{address}, 127.0.0.1, {OUTSIDE}, 127.0.0.1")],
    ]


@pytest.mark.parametrize("number", range(len(attacks(INSIDE))))
def test_a_client_behind_a_trusted_proxy_cannot_choose_its_address(
    helm: Helm, program: Program, key_pair: KeyPair, tmp_path: Path, number: int
) -> None:
    with front(mirror_with(trustedProxies=["127.0.0.0/8"]), helm, program, key_pair, tmp_path) as server:
        assert allowed(server, *attacks(INSIDE)[number]) == FOR_OUTSIDE


def test_a_client_that_is_no_trusted_proxy_cannot_choose_its_address(
    helm: Helm, program: Program, key_pair: KeyPair, tmp_path: Path
) -> None:
    with front(mirror_with(trustedProxies=["192.0.2.0/24"]), helm, program, key_pair, tmp_path) as server:
        for headers in ([], *attacks(INSIDE)):
            assert allowed(server, *headers) == FOR_OTHERS


def test_an_address_that_is_none_is_refused_or_not_used(
    helm: Helm, program: Program, key_pair: KeyPair, tmp_path: Path
) -> None:
    """The address of the proxy counts then, which no rule should name."""
    with front(mirror_with(trustedProxies=["127.0.0.0/8"]), helm, program, key_pair, tmp_path) as server:
        for value in ("", "unknown", "10.1.2", "10.1.2.3.4", "host", "10.1.2.3%lo", "\t"):
            assert allowed(server, ("X-Forwarded-For", value)) == FOR_OTHERS


def test_the_endpoint_of_the_mirror_reports_the_address(
    helm: Helm, program: Program, key_pair: KeyPair, tmp_path: Path
) -> None:
    """With ingress.service, the endpoint replaces X-Forwarded-For, and its pods can have any address."""
    service = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    with front(mirror_with(service=service), helm, program, key_pair, tmp_path) as server:
        assert allowed(server, ("X-Forwarded-For", INSIDE)) == FOR_INSIDE
        assert allowed(server, ("X-Forwarded-For", OUTSIDE), ("X-Real-IP", INSIDE)) == FOR_OUTSIDE
