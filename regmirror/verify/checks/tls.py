"""Checks of the public entrance."""

from datetime import timedelta

from cryptography import x509

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.errors import ClusterError, RegistryError
from regmirror.ports.cluster import SECRET
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Severity, Skipped, UpstreamCheck
from regmirror.verify.checks.config import check_ingress
from regmirror.verify.hints import kubectl, read_log
from regmirror.verify.live_mirror import LiveMirror

_WARN_BEFORE = timedelta(days=14)


def _secret(live: LiveMirror, upstream: Upstream) -> Outcome:
    name, host = live.mirror.tls_secret_of(upstream), live.mirror.host_of(upstream)
    if name is None:
        return Passed("the Ingress controller has a certificate of its own")
    put = _put_certificate(live, upstream)
    if live.cluster.get(SECRET, name) is None:
        return Failed(f"there is no Secret {name} with the certificate of {host}", put)
    try:
        certificate = x509.load_pem_x509_certificate(live.secret(name).get("tls.crt", b""))
    except ValueError:
        return Failed(f"tls.crt in the Secret {name} is no certificate", put)
    if not _is_for(certificate, host):
        return Failed(f"the certificate in the Secret {name} is not for {host}", put)
    if certificate.not_valid_after_utc < live.now():
        return Failed(f"the certificate in the Secret {name} ended on {certificate.not_valid_after_utc:%Y-%m-%d}", put)
    return Passed(name)


def _put_certificate(live: LiveMirror, upstream: Upstream) -> str:
    """How the Ingress comes to a certificate; the command takes the place of an old Secret, too."""
    name = live.mirror.tls_secret_of(upstream)
    if name is None:
        return "renew it where the Ingress controller has it"
    if live.mirror.ingress.issuer:
        return f"see why cert-manager has not made one: {kubectl(live)} describe certificate {name}"
    made = f"{kubectl(live)} create secret tls {name} --cert=tls.crt --key=tls.key --dry-run=client -o yaml"
    return f"put the right one there: {made} | {kubectl(live)} apply -f -"


def _is_for(certificate: x509.Certificate, host: str) -> bool:
    """Whether one of the names is the host, or a wildcard for it (RFC 6125, section 6.4.3: one label)."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    known = {name.lower() for name in alternatives.get_values_for_type(x509.DNSName)}
    return bool(known & {host, f"*.{host.partition('.')[2]}"})


def _answers(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        live.client(upstream).request("GET", "/v2/")
    except RegistryError as error:
        return _told_elsewhere(live, upstream) or Failed(error.message, error.hint or _see_ingress(live))
    return Passed(f"https://{live.mirror.host_of(upstream)}")


def _see_ingress(live: LiveMirror) -> str:
    return f"see what its Ingress says: {kubectl(live)} describe ingress; then regmirror deploy"


def _told_elsewhere(live: LiveMirror, upstream: Upstream) -> Skipped | None:
    """Whether another check tells the cause; not by needs, so that a host is asked for though no cluster answers."""
    try:
        for id_, check in (("tls-secret", _secret), ("config-ingress", check_ingress)):
            if isinstance(check(live, upstream), Failed):
                return Skipped(f"see {id_}")
    except ClusterError:
        return None
    return None


def _validity(live: LiveMirror, upstream: Upstream) -> Outcome:
    host = live.mirror.host_of(upstream)
    ends = x509.load_der_x509_certificate(live.http.certificate(host)).not_valid_after_utc
    left = ends - live.now()
    if left < _WARN_BEFORE:
        return Failed(f"the certificate of {host} ends in {left.days} days", _put_certificate(live, upstream))
    return Passed(f"{left.days} days left")


def _redirect(live: LiveMirror, upstream: Upstream) -> Outcome:
    host = live.mirror.host_of(upstream)
    try:
        answer = live.http.request("GET", f"http://{host}/v2/")
    except RegistryError:
        return Passed("http is closed")
    if 300 <= answer.status < 400 and answer.headers.get("location", "").startswith("https://"):
        return Passed(f"{answer.status} to https")
    return Failed(
        f"http://{host}/v2/ answered {answer.status}: a client that is told http sends its tokens in the clear",
        "have the Ingress controller redirect http to https, or close port 80",
    )


def _route(live: LiveMirror, upstream: Upstream) -> Outcome:
    answer = live.client(upstream).request("GET", "/v2/")
    if answer.status not in {404, 500, 502, 503, 504}:
        return Passed(f"/v2/ answered {answer.status}")
    if told := _told_elsewhere(live, upstream):
        return told
    registry, url = names.registry(upstream.name), f"https://{live.mirror.host_of(upstream)}/v2/"
    if not live.has_ready_pods(registry):
        return Skipped(f"no pod is behind the Service {registry}: see cluster-pods and cluster-services")
    if answer.status == 404:
        return Failed(
            f"{url} answered 404: the Ingress controller knows no such host",
            _see_ingress(live),
        )
    return Failed(f"{url} answered {answer.status}: no registry pod serves", read_log(live, upstream))


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "tls-secret",
        "the Ingress has a certificate for the host",
        Category.TLS,
        _secret,
        needs=("cluster-permissions",),
    ),
    UpstreamCheck(
        "tls-host",
        "the public host answers with a trusted certificate",
        Category.TLS,
        _answers,
    ),
    UpstreamCheck(
        "tls-validity",
        "its certificate is valid for at least 14 days",
        Category.TLS,
        _validity,
        needs=("tls-host",),
        severity=Severity.WARNING,
    ),
    UpstreamCheck(
        "tls-redirect",
        "http leads to https, or is closed",
        Category.TLS,
        _redirect,
        needs=("tls-host",),
        severity=Severity.WARNING,
    ),
    UpstreamCheck("tls-route", "the public host leads to the registry", Category.TLS, _route, needs=("tls-host",)),
)
