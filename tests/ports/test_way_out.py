"""The upstream and the store are reached as the registries reach them, whatever this machine's environment says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from regmirror.adapters.http import Urllib3Http, parse_resolve
from regmirror.adapters.object_store import S3ObjectStore
from regmirror.config.model import S3Storage
from regmirror.desired.mirror_secrets import Account
from regmirror.desired.way_out import WayOut
from regmirror.errors import (
    BucketMissingError,
    RegistryError,
    StorageError,
    StorageUnreachableError,
    UntrustedCertificateError,
)
from regmirror.ports.http import Answer
from tests.e2e.company_network import Authority, CompanyProxy
from tests.fakes.http import Request
from tests.ports.web_server import serving, write_certificate

HOST = "store.example.com"
MISSING = b"<Error><Code>NoSuchBucket</Code></Error>"
KEY = Account(SecretStr("id"), SecretStr("secret"))
VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def serve(authority: Authority, tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Serves a missing bucket for a host with a certificate of the company's CA; returns the port."""
    with ExitStack() as stack:

        def start(host: str) -> int:
            def answer(request: Request) -> Answer:
                return Answer(404, {}, b"" if request.method == "HEAD" else MISSING)

            authority.context(host, tmp_path)
            return stack.enter_context(serving(answer, tmp_path / f"{host}.pem"))

        yield start


def store_at(port: int, way_out: WayOut = WayOut(), host: str = "localhost") -> S3ObjectStore:  # noqa: B008 - frozen
    storage = S3Storage(bucket="layers", region="us-east-1", endpoint=f"https://{host}:{port}")
    return S3ObjectStore(storage, KEY, 5.0, way_out=way_out)


def test_a_store_with_a_private_ca_needs_the_key(serve: Callable[[str], int], authority: Authority) -> None:
    port = serve("localhost")
    with pytest.raises(StorageError) as refused:
        store_at(port).check_bucket()
    assert refused.value.hint == "for a private CA, set storage.caBundle"
    with pytest.raises(BucketMissingError):
        store_at(port, WayOut(authority.pem)).check_bucket()


def test_a_bundle_of_another_ca_is_named(serve: Callable[[str], int]) -> None:
    with pytest.raises(StorageError) as refused:
        store_at(serve("localhost"), WayOut(Authority().pem)).check_bucket()
    assert str(refused.value.hint).startswith("storage.caBundle does not verify the store's certificate")


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_a_ca_bundle_of_this_machine_is_not_used_and_named(
    serve: Callable[[str], int], authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The pods would not have it, and would fail after the deployment."""
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    with pytest.raises(StorageError) as refused:
        store_at(serve("localhost")).check_bucket()
    assert f"{name} of this machine is not used" in str(refused.value.hint)


def test_an_upstream_with_a_private_ca_needs_the_key(serve: Callable[[str], int], authority: Authority) -> None:
    port = serve(HOST)
    resolve = parse_resolve([f"{HOST}:443:127.0.0.1:{port}"])
    with pytest.raises(UntrustedCertificateError) as refused:
        Urllib3Http(resolve, trust_hint="set caBundle").request("GET", f"https://{HOST}/v2/")
    assert refused.value.hint == "set caBundle"
    http = Urllib3Http(resolve, way_out=WayOut(authority.pem))
    assert http.request("GET", f"https://{HOST}/v2/").status == 404


def test_a_bundle_is_trusted_in_addition_to_other_certificates(tmp_path: Path, authority: Authority) -> None:
    other = write_certificate(tmp_path / "public.pem", HOST)
    with serving(lambda _: Answer(200, {}, b""), other) as port:
        http = Urllib3Http(parse_resolve([f"{HOST}:443:127.0.0.1:{port}"]), other, way_out=WayOut(authority.pem))
        assert http.request("GET", f"https://{HOST}/v2/").status == 200


@pytest.fixture
def proxy(serve: Callable[[str], int]) -> Iterator[CompanyProxy]:
    """A proxy that alone knows where the store's host is."""
    with CompanyProxy({f"{HOST}:443": ("127.0.0.1", serve(HOST))}, ("user", "p@ss")).serving("127.0.0.1") as found:
        yield found


def way(proxy: CompanyProxy, authority: Authority, *direct: str, user: str = "user:p%40ss") -> WayOut:
    return WayOut(authority.pem, SecretStr(f"http://{user}@127.0.0.1:{proxy.port}"), direct)


def test_a_host_that_only_the_proxy_knows_is_reached(proxy: CompanyProxy, authority: Authority) -> None:
    http = Urllib3Http(way_out=way(proxy, authority))
    assert http.request("GET", f"https://{HOST}/v2/?a=b").status == 404
    with pytest.raises(BucketMissingError):
        store_at(443, way(proxy, authority), HOST).check_bucket()
    assert set(proxy.targets) == {f"{HOST}:443"}


def test_what_is_listed_is_reached_directly(proxy: CompanyProxy, authority: Authority) -> None:
    with pytest.raises(RegistryError, match="does not resolve"):
        Urllib3Http(way_out=way(proxy, authority, HOST)).request("GET", f"https://{HOST}/v2/")
    with pytest.raises(StorageUnreachableError):
        store_at(443, way(proxy, authority, ".example.com"), HOST).check_bucket()
    assert proxy.targets == []


def test_a_refused_proxy_is_named_without_its_password(proxy: CompanyProxy, authority: Authority) -> None:
    refused = way(proxy, authority, user="user:canary")
    with pytest.raises(RegistryError) as of_upstream:
        Urllib3Http(way_out=refused).request("GET", f"https://{HOST}/v2/")
    with pytest.raises(StorageError) as of_store:
        store_at(443, refused, HOST).check_bucket()
    for error in (of_upstream.value, of_store.value):
        assert "proxy" in error.message
        assert "egress.httpsProxy" in str(error.hint)
        assert "canary" not in f"{error.message} {error.hint}"


def test_a_proxy_of_this_machine_is_used_by_neither(
    serve: Callable[[str], int], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    port = serve("localhost")
    assert Urllib3Http(way_out=WayOut(authority.pem)).request("GET", f"https://localhost:{port}/v2/").status == 404
    with pytest.raises(BucketMissingError):
        store_at(port, WayOut(authority.pem)).check_bucket()
    with pytest.raises(StorageUnreachableError) as refused:
        store_at(1).check_bucket()
    assert "HTTPS_PROXY of this machine is not used" in str(refused.value.hint)
