"""The last step of deploy sends the requests of a client to every host, until it serves or the time is over."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from regmirror.deploy import public_check
from regmirror.deploy.public_check import PublicCheckStep, check_public_host
from regmirror.errors import DeadlineError, RegistryError, UntrustedCertificateError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.http import Answer
from regmirror.steps.runner import run_steps
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.http import FakeHttp, Request
from tests.fakes.progress import RecordedProgress, RecordedWaiting
from tests.fakes.registry_host import RegistryHost


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_check, "_POLL", 0)


def break_realm(host: RegistryHost) -> None:
    host.realm = "https://elsewhere.example.com/auth"


def break_trust(host: RegistryHost) -> None:
    host.bundle = samples.key_pair(2).certificate_pem


def break_issuer(host: RegistryHost) -> None:
    host.expects_issuer = "other"


def break_token_server(host: RegistryHost) -> None:
    host.answers["/auth"] = Answer(502, {}, b"Bad Gateway")


def break_ingress(host: RegistryHost) -> None:
    host.answers["/v2/"] = Answer(404, {}, b"404 page not found")


def test_a_host_that_serves_passes() -> None:
    check_public_host(FakeHttp({"https://mirror.example.com": RegistryHost()}), "mirror.example.com")


@pytest.mark.parametrize(
    ("break_", "words"),
    [
        (
            break_realm,
            "/v2/ answered 401 with the realm https://elsewhere.example.com/auth instead of 401 with the realm https://mirror",
        ),
        (break_ingress, "/v2/ answered 404 instead of 401 with the realm https://mirror.example.com/auth"),
        (break_token_server, "the token endpoint https://mirror.example.com/auth answered 502: Bad Gateway"),
        (break_trust, "/v2/ answered 401 to a token from https://mirror.example.com/auth"),
        (break_issuer, "/v2/ answered 401 to a token from https://mirror.example.com/auth"),
    ],
)
def test_a_host_that_does_not_serve_says_which_answer_was_wrong(
    break_: Callable[[RegistryHost], None], words: str
) -> None:
    host = RegistryHost()
    break_(host)
    with pytest.raises(RegistryError) as caught:
        check_public_host(FakeHttp({"https://mirror.example.com": host}), "mirror.example.com")
    assert words in caught.value.message


def step(http: FakeHttp, cluster: FakeCluster | None = None, **options: Any) -> PublicCheckStep:
    hosts = options.pop("hosts", ("mirror.example.com", "quay.example.com"))
    return PublicCheckStep(hosts, http, AsyncCluster(cluster or FakeCluster()), needs=(), **options)


def test_every_host_is_tried_until_it_serves() -> None:
    quay = RegistryHost(host="quay.example.com")
    starting = [Answer(503, {}, b""), Answer(503, {}, b"")]

    def slow(request: Request) -> Answer:
        return starting.pop() if starting else quay(request)

    http = FakeHttp({"https://mirror.example.com": RegistryHost(), "https://quay.example.com": slow})
    progress = RecordedWaiting()
    done = asyncio.run(step(http).apply(progress))
    assert done.detail == "https://mirror.example.com, quay.example.com issues and accepts tokens"
    assert not done.changed
    assert len(progress.reasons) == 2
    assert progress.reasons[0].startswith(
        "a valid answer from https://quay.example.com\n  RM500: https://quay.example.com/v2/ answered 503"
    )


def test_a_timeout_has_the_last_reason() -> None:
    with pytest.raises(DeadlineError) as caught:
        asyncio.run(run_steps([step(FakeHttp())], RecordedProgress(), time.monotonic() + 0.5))
    assert caught.value.message.startswith(
        "Public check: timed out waiting for a valid answer from https://mirror.example.com\n  RM500: "
    )
    assert "mirror.example.com does not resolve" in caught.value.message


HOST = "mirror.example.com"


class UntrustedHttp(FakeHttp):
    """A host whose certificate no client trusts."""

    def __init__(self, certificate: x509.Certificate) -> None:
        super().__init__(certificates={HOST: certificate.public_bytes(Encoding.DER)})

    def request(self, *_: Any, **__: Any) -> Answer:
        raise UntrustedCertificateError(f"the TLS certificate of {HOST} is not trusted", hint="pass --ca-file")


class LoadingHttp(FakeHttp):
    """A host whose certificate is not trusted in the first two requests; a look at it finds `certificate`."""

    def __init__(self, certificate: x509.Certificate) -> None:
        self._untrusted = UntrustedHttp(certificate)
        self._failures = 2
        super().__init__({f"https://{HOST}": RegistryHost()}, certificates=self._untrusted.certificates)

    def request(self, method: str, url: str, headers: Any = None) -> Answer:
        if self._failures:
            self._failures -= 1
            return self._untrusted.request(method, url)
        return super().request(method, url, headers)


def with_tls_secret(certificate: x509.Certificate) -> FakeCluster:
    pem = base64.b64encode(certificate.public_bytes(Encoding.PEM)).decode()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "regmirror-tls"}, "data": {"tls.crt": pem}}
    return FakeCluster([secret])


def check_certificate(served: x509.Certificate, cluster: FakeCluster | None = None) -> RegistryError:
    checked = step(
        UntrustedHttp(served), cluster, hosts=(HOST,), tls_secrets={HOST: "regmirror-tls"} if cluster else {}
    )
    with pytest.raises(RegistryError) as caught:
        asyncio.run(asyncio.wait_for(checked.apply(RecordedWaiting()), 5))
    return caught.value


def test_an_untrusted_certificate_of_the_secret_fails_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A private CA is recognized in seconds, not when the time is over."""
    monkeypatch.setattr(public_check, "_SETTLING", 0.1)
    certificate = samples.public_certificate()
    error = check_certificate(certificate, with_tls_secret(certificate))
    assert "the certificate is that of Secret regmirror-tls" in error.message
    assert error.hint == "pass --ca-file"


def test_another_untrusted_certificate_fails_after_a_short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_check, "_CERTIFICATE_GRACE", 0.1)
    default = samples.public_certificate("default.example.com")
    error = check_certificate(default, with_tls_secret(samples.public_certificate()))
    assert "it is not the certificate of Secret regmirror-tls" in error.message
    assert "describe ingress" in (error.hint or "")
    assert check_certificate(default).hint == "pass --ca-file"


def test_an_ingress_controller_may_serve_its_default_certificate_for_a_moment() -> None:
    http = LoadingHttp(samples.public_certificate("default.example.com"))
    cluster = with_tls_secret(samples.public_certificate())
    checked = step(http, cluster, hosts=(HOST,), tls_secrets={HOST: "regmirror-tls"})
    assert asyncio.run(checked.apply(RecordedWaiting())).detail


def test_a_certificate_that_is_loaded_between_the_request_and_the_look_is_no_failure() -> None:
    """The request met the default certificate of the Ingress controller; the look at the certificate comes later."""
    certificate = samples.public_certificate()
    http = LoadingHttp(certificate)
    checked = step(http, with_tls_secret(certificate), hosts=(HOST,), tls_secrets={HOST: "regmirror-tls"})
    assert asyncio.run(checked.apply(RecordedWaiting())).detail


def test_a_certificate_that_is_still_to_be_issued_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_check, "_CERTIFICATE_GRACE", 0)
    http = UntrustedHttp(samples.public_certificate("default.example.com"))
    checked = step(http, hosts=(HOST,), tls_secrets={HOST: "regmirror-tls"})
    with pytest.raises(DeadlineError):
        asyncio.run(run_steps([checked], RecordedProgress(), time.monotonic() + 0.5))


def test_the_ca_of_a_self_signed_mirror_is_trusted_before_its_host_is_asked() -> None:
    http = FakeHttp({f"https://{HOST}": RegistryHost()})
    pem = samples.key_pair().certificate_pem
    asyncio.run(step(http, hosts=(HOST,), authority=pem).apply(RecordedWaiting()))
    assert http.trusted == [pem]
    asyncio.run(step(http, hosts=(HOST,)).apply(RecordedWaiting()))
    assert http.trusted == [pem]
