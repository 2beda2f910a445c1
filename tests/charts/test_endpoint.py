"""The public endpoint without an Ingress controller: its Service, and what its nginx does, run by a real nginx."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests import samples

from .cases import FULL
from .front import configuration
from .helm import Helm
from .manifests import one, pod
from .nginx import await_listening, free_port, running_nginx
from .test_front import Program, serving

HUB, QUAY = "hub.example.com", "quay.example.com"
HOSTS = [
    {"host": HUB, "registryService": "hub", "tlsSecretName": "hub-tls"},
    {"host": QUAY, "registryService": "quay", "tlsSecretName": "quay-tls"},
]


def test_the_service_is_as_the_values_say(helm: Helm) -> None:
    service = one(helm.render("endpoint", FULL["endpoint"]), "Service")
    assert service["metadata"]["annotations"] == {"example.com/note": "on"}
    spec = {key: value for key, value in service["spec"].items() if key not in {"selector", "ipFamilyPolicy"}}
    assert spec == {
        "type": "LoadBalancer",
        "loadBalancerClass": "example.com/balancer",
        "loadBalancerSourceRanges": ["10.0.0.0/8"],
        "externalTrafficPolicy": "Local",
        "ports": [{"name": "https", "port": 8443, "targetPort": "http", "nodePort": 30443}],
    }
    plain = one(helm.render("endpoint"), "Service")["spec"]
    assert not {"loadBalancerClass", "loadBalancerSourceRanges"} & plain.keys()
    assert "nodePort" not in plain["ports"][0]


def test_each_certificate_is_mounted_once_at_the_path_that_nginx_reads(helm: Helm) -> None:
    spec = pod(helm, "endpoint", FULL["endpoint"])["spec"]
    secrets = {volume["name"]: volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume}
    mounted = {mount["mountPath"]: secrets.get(mount["name"]) for mount in spec["containers"][0]["volumeMounts"]}
    text = configuration(helm, "endpoint", FULL["endpoint"])
    for host, secret in {HUB: "wildcard-tls", QUAY: "quay-tls", "ghcr.example.com": "wildcard-tls"}.items():
        assert mounted[f"/etc/regmirror/tls/{secret}"] == secret
        assert f"{host} /etc/regmirror/tls/{secret};" in text
    assert sorted(secrets.values()) == ["quay-tls", "wildcard-tls"]


def test_a_host_is_listed_once(helm: Helm) -> None:
    done = helm.template("endpoint", {"hosts": [HOSTS[0], {**HOSTS[0], "registryService": "other"}]})
    assert done.returncode != 0
    assert f"{HUB} is listed twice" in done.stderr


@dataclass(frozen=True)
class Endpoint:
    """A running nginx, the directory of its certificates, and the programs behind it."""

    port: int
    tls: Path
    programs: dict[str, Program]

    def ask(
        self, path: str, host: str = HUB, server_name: str | None = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        """One request on a connection of its own; the body of the answer is read."""
        with closing(self._connect(server_name or host)) as connection:
            connection.request("GET", path, headers={"Host": f"{host}:30443", **(headers or {})})
            answer = connection.getresponse()
            answer.read()
            return answer

    def certificate(self, server_name: str) -> bytes | None:
        """What a client of this host gets to see."""
        with closing(self._connect(server_name)) as connection:
            connection.connect()
            return connection.sock.getpeercert(binary_form=True)

    def _connect(self, server_name: str) -> http.client.HTTPSConnection:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        # http.client has no parameter for the name, which is that of the address otherwise.
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sock = context.wrap_socket(plain, server_hostname=server_name)
        connection.connect = lambda: None  # type: ignore[method-assign]
        return connection


@pytest.fixture
def endpoint(helm3: Helm, tmp_path: Path) -> Iterator[Endpoint]:
    with run(configuration(helm3, "endpoint", {"hosts": HOSTS}), tmp_path) as running:
        yield running


@contextmanager
def run(text: str, directory: Path) -> Iterator[Endpoint]:
    """Run nginx with another port and directory, in front of programs of ours."""
    programs, port, tls = {name: Program() for name in ("auth", "hub", "quay")}, free_port(), directory / "tls"
    with ExitStack() as stack:
        upstreams = []
        for name, program in programs.items():
            server = stack.enter_context(serving(program))
            upstreams.append(f"upstream {name} {{ server 127.0.0.1:{server.server_port}; keepalive 4; }}")
        (directory / "upstreams.conf").write_text("\n".join(upstreams))
        (directory / "listen.conf").write_text(f"listen 127.0.0.1:{port} ssl backlog=4096 sndbuf=64k;")
        for host, secret in {HUB: "hub-tls", QUAY: "quay-tls"}.items():
            write_certificate(tls / secret, host)
        text = text.replace("/run/metrics", str(directory))
        text = text.replace("/var/cache/nginx", str(directory)).replace("/etc/regmirror/tls", str(tls))
        (directory / "nginx.conf").write_text(text)
        await_listening(port, stack.enter_context(running_nginx(directory / "nginx.conf")))
        yield Endpoint(port, tls, programs)


def write_certificate(directory: Path, host: str, days: int = 90) -> bytes:
    """A Secret's files; returns the certificate as DER."""
    directory.mkdir(parents=True, exist_ok=True)
    certificate = samples.public_certificate(host, days)
    key = samples.key_pair().private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "tls.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (directory / "tls.key").write_bytes(key)
    return certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("host", "path", "reached"),
    [
        (HUB, "/auth?service=x", "auth"),
        (QUAY, "/auth?service=x", "auth"),
        (HUB, "/v2/", "hub"),
        (HUB, "/v2", "hub"),
        (QUAY, "/v2/a/manifests/1", "quay"),
        (HUB, "/auth/x", None),
        (HUB, "/v2x", None),
        (HUB, "/", None),
        (HUB, "/alive", None),
        ("other.example.com", "/v2/", None),
        ("other.example.com", "/auth", None),
    ],
)
def test_host_and_path_decide_where_a_request_leads(
    endpoint: Endpoint, host: str, path: str, reached: str | None
) -> None:
    answer = endpoint.ask(path, host)
    assert {name for name, program in endpoint.programs.items() if program.asked} == ({reached} if reached else set())
    if reached is None:
        assert answer.status == 404


def test_each_host_has_its_certificate_and_an_unknown_one_that_of_the_first(endpoint: Endpoint) -> None:
    expected = {host: samples.public_certificate(host).public_bytes(Encoding.DER) for host in (HUB, QUAY)}
    assert {host: endpoint.certificate(host) for host in expected} == expected
    assert endpoint.certificate("other.example.com") == expected[HUB]


def test_a_renewed_certificate_is_served_at_once_by_the_same_workers(endpoint: Endpoint) -> None:
    assert endpoint.certificate(HUB) != (renewed := write_certificate(endpoint.tls / "hub-tls", HUB, days=180))
    assert endpoint.certificate(HUB) == renewed


def test_a_program_learns_the_address_of_the_client_and_nothing_that_the_client_claims(endpoint: Endpoint) -> None:
    endpoint.ask("/v2/", headers={"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "http"})
    ((_, _, sent),) = endpoint.programs["hub"].asked
    assert (sent["x-forwarded-for"], sent["x-forwarded-proto"]) == ("127.0.0.1", "https")
    assert sent["host"] == f"{HUB}:30443"


def test_plain_http_is_refused(endpoint: Endpoint) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=20)) as connection:
        connection.request("GET", "/v2/", headers={"Host": HUB})
        assert connection.getresponse().status == 400
    assert not any(program.asked for program in endpoint.programs.values())


def test_a_client_that_does_not_complete_its_handshake_is_disconnected(helm3: Helm, tmp_path: Path) -> None:
    text = configuration(helm3, "endpoint", {"hosts": HOSTS}).replace(
        "client_header_timeout 10s", "client_header_timeout 1s"
    )
    with run(text, tmp_path) as running, closing(socket.create_connection(("127.0.0.1", running.port))) as client:
        client.settimeout(20)
        client.sendall(b"\x16\x03\x01")
        assert client.recv(1000) == b""


@pytest.mark.parametrize(("policy", "refused"), [("Local", True), ("Cluster", False)])
def test_requests_for_tokens_are_limited_for_each_client_whose_address_is_known(
    helm3: Helm, tmp_path: Path, policy: str, refused: bool
) -> None:
    values: dict[str, Any] = {"hosts": HOSTS, "service": {"externalTrafficPolicy": policy}}
    text = re.sub(r"burst=\d+", "burst=1", configuration(helm3, "endpoint", values))
    with run(text, tmp_path) as running:
        answers = [running.ask("/auth?service=x") for _ in range(8)]
    assert ({answer.status for answer in answers} == {200, 429}) is refused
    assert {answer.headers["Retry-After"] for answer in answers if answer.status == 429} <= {"5"}
