"""Checks of the public host and its certificate."""

from datetime import timedelta

from cryptography import x509

from regmirror.config.fields import HTTPS_PORT
from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.errors import ClusterError, RegistryError
from regmirror.ports.cluster import SECRET
from regmirror.signing.host_certificate import host_certificate_problem
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Severity, Skipped, Warned
from regmirror.verify.checks.cluster import check_deployed
from regmirror.verify.checks.config import check_gateway, check_ingress
from regmirror.verify.hints import deploy, kubectl, read_log
from regmirror.verify.live_mirror import LiveMirror
from regmirror.workloads.issuance import issuance_of

_WARN_BEFORE = timedelta(days=14)
_PLAIN_HTTP_REFUSED = 400
"""How nginx, Go's net/http and Envoy answer plain HTTP on a port for HTTPS."""

check = CheckList(Category.TLS)


@check("tls-issued", "cert-manager has issued the certificate", needs=("cluster-deployed",))
def _issued(live: LiveMirror, upstream: Upstream) -> Outcome:
    name = live.mirror.tls_secret_of(upstream)
    if name not in live.mirror.issued_hosts:
        return Passed("no issuer configured")
    issuance = live.once(f"issuance {name}", lambda: issuance_of(live.cluster, name))
    if not issuance.is_issued:
        return Failed(f"cert-manager has not issued the certificate {name}: {issuance.summary}", _describe(live, name))
    if issuance.has_failed:
        return Warned(f"cert-manager cannot renew the certificate {name}: {issuance.summary}", _describe(live, name))
    return Passed(name)


def _describe(live: LiveMirror, name: str) -> str:
    return f"fix the cause; the events of the Certificate have more: {kubectl(live)} describe certificate {name}"


@check("tls-secret", "the TLS Secret has a valid certificate for the host", needs=("cluster-deployed", "tls-issued"))
def _secret(live: LiveMirror, upstream: Upstream) -> Outcome:
    name, host = live.mirror.tls_secret_of(upstream), live.mirror.host_of(upstream)
    if name is None:
        return Passed(f"no Secret configured: the {_server(live)} has its own certificate")
    create = _create_certificate(live, upstream)
    if live.cluster.get(SECRET, name) is None:
        return Failed(f"there is no Secret {name} with the certificate of {host}", create)
    data = live.secret(name)
    problem = host_certificate_problem(f"Secret {name}", data.get("tls.crt"), data.get("tls.key"), host, live.now())
    return Failed(problem, create) if problem else Passed(name)


def _create_certificate(
    live: LiveMirror, upstream: Upstream, action: str = "create the Secret from the right certificate"
) -> str:
    """How to provide the certificate; the command also replaces an existing Secret."""
    name = live.mirror.tls_secret_of(upstream)
    if name is None:
        return f"renew the certificate of the {_server(live)}"
    if live.mirror.ingress.self_signed:
        return deploy(live)
    if live.mirror.issuer_of(upstream):
        return f"find out why cert-manager did not issue it: {kubectl(live)} describe certificate {name}"
    created = f"{kubectl(live)} create secret tls {name} --cert=tls.crt --key=tls.key --dry-run=client -o yaml"
    return f"{action}: {created} | {kubectl(live)} apply -f -"


@check("tls-host", "the public host is reachable and its certificate is trusted")
def _reachable(live: LiveMirror, upstream: Upstream) -> Outcome:
    try:
        live.client(upstream).request("GET", "/v2/")
    except RegistryError as error:
        return _root_cause(live, upstream) or Failed(error.message, error.hint or _describe_ingress(live))
    return Passed(live.mirror.url_of(upstream))


def _server(live: LiveMirror) -> str:
    if live.mirror.ingress.service:
        return "nginx"
    return "Gateway" if live.mirror.ingress.gateway else "Ingress controller"


def _describe_ingress(live: LiveMirror) -> str:
    if live.mirror.ingress.service:
        return (
            f"check the address of the Service and the log of its pods: {kubectl(live)} describe service "
            f"{names.INGRESS}, {kubectl(live)} logs deployment/{names.INGRESS}; then {deploy(live)}"
        )
    kind = "HTTPRoute" if live.mirror.ingress.gateway else "Ingress"
    describe = f"{kubectl(live)} describe {kind.lower()}"
    return f"check the events and the address of the {kind}: {describe}; then {deploy(live)}"


def _root_cause(live: LiveMirror, upstream: Upstream) -> Skipped | None:
    """The check that reports the cause already; not among the needs, so that hosts are checked without a cluster."""
    try:
        if isinstance(check_deployed(live), Failed):
            return Skipped("see cluster-deployed")
        causes = {
            "tls-issued": _issued,
            "tls-secret": _secret,
            "config-ingress": check_ingress,
            "config-gateway": check_gateway,
        }
        for check_id, run in causes.items():
            if isinstance(run(live, upstream), Failed):
                return Skipped(f"see {check_id}")
    except ClusterError:
        return None
    return None


@check("tls-address", "the public host is checked at the address that clients use")
def _address(live: LiveMirror, upstream: Upstream) -> Outcome:
    host, port, endpoint = live.mirror.host_of(upstream), live.mirror.port, live.mirror.endpoint_of(upstream)
    detour = live.http.detour(host, port)
    if detour is None:
        return Passed(f"port {port}, address from DNS")
    if detour.port != port:
        return Failed(
            f"clients of {endpoint} connect to port {port}, but --resolve made the checks use port {detour.port} of "
            f"{detour.address}: they do not show that any client can pull",
            f"if clients must use port {detour.port}, set port: {detour.port} in the file and deploy it; otherwise "
            f"make port {port} reach the mirror, and verify it without --resolve",
        )
    known = f"DNS has {', '.join(detour.dns)}" if detour.dns else f"{host} does not resolve here"
    return Warned(
        f"the checks used {detour.address} (--resolve), but {known}: clients that use DNS cannot pull that way",
        f"point the DNS record of {host} at {detour.address}",
    )


@check(
    "tls-validity",
    "the public certificate is valid for at least 14 days",
    needs=("tls-host",),
    severity=Severity.WARNING,
)
def _validity(live: LiveMirror, upstream: Upstream) -> Outcome:
    host = live.mirror.endpoint_of(upstream)
    ends = x509.load_der_x509_certificate(live.http.certificate(host)).not_valid_after_utc
    left = ends - live.now()
    if left < _WARN_BEFORE:
        renew = _create_certificate(live, upstream, "renew the certificate, then replace the Secret")
        return Failed(f"the certificate of {host} expires in {left.days} days", renew)
    return Passed(f"{left.days} days left")


@check(
    "tls-redirect",
    "plain HTTP redirects to HTTPS or is closed",
    needs=("tls-host",),
    severity=Severity.WARNING,
)
def _redirect(live: LiveMirror, upstream: Upstream) -> Outcome:
    """With another port than 443, a client configured with http:// uses that port, too."""
    endpoint = live.mirror.endpoint_of(upstream)
    try:
        answer = live.http.request("GET", f"http://{endpoint}/v2/")
    except RegistryError:
        return Passed(f"port {80 if live.mirror.port == HTTPS_PORT else live.mirror.port} is closed")
    if 300 <= answer.status < 400 and answer.headers.get("location", "").startswith("https://"):
        return Passed(f"{answer.status} to https")
    if answer.status == _PLAIN_HTTP_REFUSED:
        return Passed("400: the port accepts only HTTPS")
    return Failed(
        f"http://{endpoint}/v2/ answered {answer.status}: a client configured with http:// sends its tokens "
        "unencrypted",
        _redirect_hint(live),
    )


def _redirect_hint(live: LiveMirror) -> str:
    if live.mirror.ingress.gateway:
        return "name the HTTPS listener of the Gateway with sectionName in ingress.gateway.parentRefs"
    return "configure the Ingress controller to redirect HTTP to HTTPS, or close port 80"


@check("tls-route", "the public host routes to the registry", needs=("tls-host",))
def _route(live: LiveMirror, upstream: Upstream) -> Outcome:
    answer = live.client(upstream).request("GET", "/v2/")
    if answer.status not in {404, 500, 502, 503, 504}:
        return Passed(f"/v2/ answered {answer.status}")
    if cause := _root_cause(live, upstream):
        return cause
    registry, url = names.registry(upstream.name), f"{live.mirror.url_of(upstream)}/v2/"
    if not live.has_ready_pods(registry):
        return Skipped(f"Service {registry} has no ready endpoint: see cluster-pods and cluster-services")
    if answer.status == 404:
        return Failed(f"{url} answered 404: the {_server(live)} does not know the host", _describe_ingress(live))
    return Failed(f"{url} answered {answer.status}: no registry pod responds", read_log(live, upstream))
