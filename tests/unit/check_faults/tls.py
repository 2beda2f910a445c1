"""Faults of the public host and its certificate."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding

from regmirror.ports.cluster import SECRET
from regmirror.ports.http import Answer, Detour
from tests import samples
from tests.unit.check_faults.table import FaultTable, InjectFault, answer
from tests.unit.deployed import Deployed
from tests.unit.issued import certificate_object

fault = FaultTable()


@fault("tls-secret", "there is no Secret regmirror-tls with the certificate of mirror.example.com")
def no_certificate(mirror: Deployed) -> None:
    mirror.cluster.delete(SECRET, "regmirror-tls")


@fault("tls-secret", "tls.crt in Secret regmirror-tls is not a certificate")
def not_a_certificate(mirror: Deployed) -> None:
    mirror.replace("regmirror-tls", **{"tls.crt": b"x"})


def certificate(host: str, days: int) -> InjectFault:
    pem = samples.public_certificate(host, days).public_bytes(Encoding.PEM)
    return lambda mirror: mirror.replace("regmirror-tls", **{"tls.crt": pem})


fault("tls-secret", "the certificate in Secret regmirror-tls is not for mirror.example.com")(
    certificate("*.mirror.example.com", 90)
)
fault("tls-secret", "the certificate in Secret regmirror-tls expired on 2026-11-22")(certificate(samples.HOST, -1))


@fault("tls-secret", "is not for mirror.example.com")
def certificate_without_names(mirror: Deployed) -> None:
    mirror.replace("regmirror-tls", **{"tls.crt": samples.key_pair().certificate_pem})


@fault("tls-secret", "tls.key in Secret regmirror-tls is not the key of its certificate")
def another_key(mirror: Deployed) -> None:
    mirror.replace("regmirror-tls", **{"tls.key": samples.key_pair(2).key_pem})


@fault("tls-issued", "cert-manager has not issued the certificate regmirror-tls: no such issuer")
def not_issued(mirror: Deployed) -> None:
    mirror.mirror = samples.mirror(ingress={"issuer": {"name": "le"}})
    mirror.cluster.put(certificate_object("regmirror-tls", Ready=("False", "no such issuer")))


@fault("tls-address", "clients of mirror.example.com connect to port 443, but --resolve made the checks use port 30443")
def another_port(mirror: Deployed) -> None:
    mirror.http.detours[samples.HOST, 443] = Detour("192.0.2.7", 30443, ("192.0.2.7",))


@fault("tls-host", "the host name mirror.example.com does not resolve")
def no_dns(mirror: Deployed) -> None:
    mirror.http.hosts.clear()


@fault("tls-validity", "the certificate of mirror.example.com expires in 13 days")
def certificate_near_expiry(mirror: Deployed) -> None:
    der = samples.public_certificate(samples.HOST, 13).public_bytes(Encoding.DER)
    mirror.http.certificates[samples.HOST] = der


@fault("tls-redirect", "http://mirror.example.com/v2/ answered 200: a client configured with http:// sends its tokens")
def plain_http(mirror: Deployed) -> None:
    mirror.http.hosts["http://mirror.example.com"] = lambda _: Answer(200, {}, b"")


@fault("tls-route", "https://mirror.example.com/v2/ answered 404: the Ingress controller does not know the host")
def unknown_host(mirror: Deployed) -> None:
    answer(mirror, "/v2/", 404)


@fault("tls-route", "https://mirror.example.com/v2/ answered 503: no registry pod responds")
def no_pod(mirror: Deployed) -> None:
    answer(mirror, "/v2/", 503)
