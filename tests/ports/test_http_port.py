"""Tests of every implementation of the Http port; the real one connects to a server on the loopback interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from regmirror.adapters.http import Address, Urllib3Http, parse_resolve
from regmirror.deploy.self_signed import find_self_signed
from regmirror.errors import ConfigurationError, RegistryError, UntrustedCertificateError
from regmirror.ports.http import Answer, Http
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.http import FakeHttp, Host, Request
from tests.ports.web_server import serving, write_certificate

CONTENT = bytes(range(256)) * 1000
Served = Callable[[Host], tuple[Http, str]]


@pytest.fixture(params=["fake", "real"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """Returns an Http, and the base URL of a server that a function implements."""
    with ExitStack() as stack:

        def serve(host: Host) -> tuple[Http, str]:
            if request.param == "fake":
                return FakeHttp({"http://fake.example.com": host}), "http://fake.example.com"
            return Urllib3Http(), f"http://127.0.0.1:{stack.enter_context(serving(host))}"

        yield serve


def always(status: int, body: bytes = b"", **headers: str) -> Host:
    return lambda _: Answer(status, headers, body)


def test_an_answer_is_complete_with_its_headers_in_lower_case(served: Served) -> None:
    http, base = served(always(404, CONTENT, Location="/x", **{"X-Mixed-Case": "ForeignField"}))
    answer = http.request("GET", f"{base}/v2/")
    assert (answer.status, answer.body) == (404, CONTENT)
    assert (answer.headers["location"], answer.headers["x-mixed-case"]) == ("/x", "ForeignField")


def test_a_request_is_sent_unchanged(served: Served) -> None:
    asked: list[Request] = []

    def host(request: Request) -> Answer:
        asked.append(request)
        return Answer(202, {}, b"")

    http, base = served(host)
    http.request("POST", f"{base}/v2/a/b/?scope=repository%3Aa%2Fb%3Apull&scope=x", {"Authorization": "Bearer t"})
    (request,) = asked
    assert (request.method, request.path) == ("POST", "/v2/a/b/")
    assert request.query == {"scope": ["repository:a/b:pull", "x"]}
    assert request.headers["Authorization"] == "Bearer t"


def test_a_head_has_headers_and_no_body(served: Served) -> None:
    def host(request: Request) -> Answer:
        return Answer(200, {"Docker-Content-Digest": "sha256:1"}, b"" if request.method == "HEAD" else b"body")

    http, base = served(host)
    answer = http.request("HEAD", f"{base}/v2/")
    assert (answer.body, answer.headers["docker-content-digest"]) == (b"", "sha256:1")


@pytest.mark.parametrize("status", [301, 302, 307])
def test_no_redirect_is_followed(served: Served, status: int) -> None:
    http, base = served(always(status, Location="/elsewhere"))
    assert http.request("GET", base).status == status
    with http.stream(base) as answer:
        assert answer.status == status


def test_a_body_is_streamed_piece_by_piece(served: Served) -> None:
    http, base = served(always(200, CONTENT * 20))
    with http.stream(f"{base}/blob") as answer:
        chunks = list(answer.chunks)
    assert len(chunks) > 1
    assert b"".join(chunks) == CONTENT * 20


def test_a_body_above_the_limit_is_an_error(served: Served) -> None:
    http, base = served(always(200, b"x" * (16 * 2**20 + 1)))
    with pytest.raises(RegistryError, match="answered more than 16 MiB"):
        http.request("GET", base)


def test_several_requests_are_answered_in_sequence(served: Served) -> None:
    http, base = served(always(200, b"again"))
    assert [http.request("GET", base).body for _ in range(3)] == [b"again"] * 3
    with http.stream(base):
        pass
    assert http.request("GET", base).body == b"again"


@pytest.mark.parametrize("http", [FakeHttp(), Urllib3Http()], ids=["fake", "real"])
def test_an_unknown_host_is_an_error_that_names_it(http: Http) -> None:
    with pytest.raises(RegistryError, match=r"the host name absent\.invalid does not resolve"):
        http.request("GET", "https://absent.invalid/v2/?canary=1")


def test_a_refused_connection_is_reported_without_the_query() -> None:
    with pytest.raises(RegistryError) as caught:
        Urllib3Http().request("GET", "http://127.0.0.1:1/blob?signature=canary")
    assert "no answer from http://127.0.0.1:1/blob: " in caught.value.message
    assert "Connection refused" in caught.value.message
    assert "canary" not in caught.value.message


@pytest.mark.parametrize("whole", [True, False])
def test_an_answer_that_ends_early_is_an_error(whole: bool) -> None:
    with serving(always(200, b"short", **{"Content-Length": "100", "Connection": "close"})) as port:
        http, url = Urllib3Http(timeout=0.5), f"http://127.0.0.1:{port}/blob?signature=canary"
        with pytest.raises(RegistryError) as caught:
            if whole:
                http.request("GET", url)
            else:
                with http.stream(url) as answer:
                    list(answer.chunks)
    assert (
        caught.value.message == f"the answer of http://127.0.0.1:{port}/blob ended early: 95 of 100 bytes are missing"
    )


def test_a_missing_answer_is_an_error() -> None:
    with serving(always(200, b"", **{"Content-Length": "10"})) as port:
        http = Urllib3Http(timeout=0.2)
        with pytest.raises(RegistryError, match="did not answer in time"):
            http.request("GET", f"http://127.0.0.1:{port}/")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_certificate(tmp_path_factory.mktemp("tls") / "both.pem", "mirror.example.com")


def test_a_host_is_reached_at_another_address_with_its_own_name(certificate: Path) -> None:
    def host(request: Request) -> Answer:
        return Answer(200, {}, request.headers["Host"].encode())

    with serving(host, certificate) as port:
        resolve = parse_resolve([f"mirror.example.com:443:127.0.0.1:{port}"])
        http = Urllib3Http(resolve, certificate)
        assert http.request("GET", "https://mirror.example.com/v2/").body == b"mirror.example.com"


def test_an_untrusted_certificate_is_reported(certificate: Path) -> None:
    with serving(always(200), certificate) as port:
        http = Urllib3Http(parse_resolve([f"mirror.example.com:443:127.0.0.1:{port}"]))
        with pytest.raises(
            RegistryError, match=r"the TLS certificate of mirror\.example\.com is not trusted: self"
        ) as caught:
            http.request("GET", "https://mirror.example.com/v2/")
    assert "--ca-file" in str(caught.value.hint)


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_a_certificate_is_returned_even_if_it_is_not_trusted(certificate: Path, kind: str) -> None:
    der = x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(serialization.Encoding.DER)
    with serving(always(200), certificate) as port:
        real = Urllib3Http(parse_resolve([f"mirror.example.com:443:127.0.0.1:{port}"]))
        http: Http = real if kind == "real" else FakeHttp(certificates={"mirror.example.com": der})
        assert http.certificate("mirror.example.com") == der
        with pytest.raises(RegistryError, match=r"absent\.invalid"):
            http.certificate("absent.invalid")


def test_a_port_that_speaks_no_tls_has_no_certificate() -> None:
    with serving(always(200)) as port:
        http = Urllib3Http(parse_resolve([f"mirror.example.com:443:127.0.0.1:{port}"]), timeout=2.0)
        with pytest.raises(RegistryError, match=r"no answer from https://mirror\.example\.com: "):
            http.certificate("mirror.example.com")


def test_a_certificate_for_another_name_is_reported(certificate: Path) -> None:
    with serving(always(200), certificate) as port:
        http = Urllib3Http(parse_resolve([f"other.example.com:443:127.0.0.1:{port}"]), certificate)
        with pytest.raises(RegistryError, match=r"other\.example\.com is not trusted: Hostname mismatch"):
            http.request("GET", "https://other.example.com/v2/")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_file_without_certificates_is_rejected(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.crt"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=r"--ca-file .*ca\.crt cannot be read as PEM certificates"):
        Urllib3Http(ca_file=path)


@pytest.mark.parametrize(
    ("entry", "host", "address"),
    [
        ("mirror.example.com:443:192.0.2.7", ("mirror.example.com", 443), Address("192.0.2.7", 443)),
        ("Mirror.Example.com:443:192.0.2.7:8443", ("mirror.example.com", 443), Address("192.0.2.7", 8443)),
        ("mirror.example.com:443:[2001:db8::7]", ("mirror.example.com", 443), Address("2001:db8::7", 443)),
        ("mirror.example.com:443:[2001:db8::7]:8443", ("mirror.example.com", 443), Address("2001:db8::7", 8443)),
        ("mirror.example.com:443:localhost", ("mirror.example.com", 443), Address("localhost", 443)),
    ],
)
def test_an_address_is_parsed_like_curl(entry: str, host: tuple[str, int], address: Address) -> None:
    assert parse_resolve([entry]) == {host: address}


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "a",
        "a:443",
        "a:b:192.0.2.7",
        "a:443:",
        "a:443:192.0.2.7:x",
        ":443:192.0.2.7",
        "a:99999:192.0.2.7",
        "a:443:[::1",
    ],
)
def test_an_invalid_address_is_rejected(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="is not HOST:PORT:ADDR"):
        parse_resolve([entry])


def test_a_ca_can_be_trusted_after_a_host_was_not(tmp_path: Path) -> None:
    """As deploy does with the CA that it has just created; the whole chain is verified, as by any client."""
    mirror = samples.mirror(ingress={"selfSigned": True})
    self_signed = find_self_signed(FakeCluster(), mirror, datetime.now(UTC))
    pair = self_signed.hosts["regmirror-tls"]
    (tmp_path / "pair.pem").write_bytes(pair.certificate_pem + pair.key_pem)
    with serving(always(200, b"trusted"), tmp_path / "pair.pem") as port:
        http = Urllib3Http({(samples.HOST, port): Address("127.0.0.1", port)})
        with pytest.raises(UntrustedCertificateError):
            http.request("GET", f"https://{samples.HOST}:{port}/")
        http.trust(self_signed.authority.certificate_pem)
        assert http.request("GET", f"https://{samples.HOST}:{port}/").body == b"trusted"


def test_only_certificates_can_be_trusted() -> None:
    with pytest.raises(ValueError, match="no PEM certificate"):
        Urllib3Http().trust(b"none")
