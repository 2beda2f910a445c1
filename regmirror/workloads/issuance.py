"""Whether cert-manager has issued a certificate, and if not, why: from the objects that it creates on the way."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import CERTIFICATE, CERTIFICATE_REQUEST, CHALLENGE, ORDER, Cluster, Kind, Object

_NAME_ANNOTATION = "cert-manager.io/certificate-name"
_UNPROCESSED = "cert-manager has not processed the Certificate yet; is its controller running?"
_REVISION_ANNOTATION = "cert-manager.io/certificate-revision"


@dataclass(frozen=True, slots=True)
class Issuance:
    """The state of one Certificate; ``reasons`` say why it is not issued, one line each, the deepest cause last."""

    is_issued: bool
    reasons: list[str] = field(default_factory=list)
    has_failed: bool = False
    """Whether an attempt failed, after which cert-manager waits for an hour or more."""
    failed_at: str = ""

    @property
    def summary(self) -> str:
        """The reasons in one line."""
        return "; ".join(self.reasons)


def issuance_of(cluster: Cluster, name: str) -> Issuance:
    """The state of a Certificate. Raises ClusterError if it cannot be read; without other permissions, says less."""
    certificate = cluster.get(CERTIFICATE, name)
    if certificate is None:
        return Issuance(False, [f"there is no Certificate {name}"])
    ready, issuing = _condition(certificate, "Ready"), _condition(certificate, "Issuing")
    failed_at = str((certificate.get("status") or {}).get("lastFailureTime") or "")
    has_failed = bool(failed_at) and issuing.get("status") == "False" and _is_current(certificate, issuing)
    is_current = _is_current(certificate, ready)
    if is_current and ready.get("status") == "True":
        reasons = [_text(issuing)] if has_failed else []
        return Issuance(True, reasons, has_failed, failed_at)
    reasons = [(_text(ready) if is_current else "") or _UNPROCESSED]
    if has_failed:
        reasons.append(_text(issuing))
    with suppress(PermissionDeniedError):
        reasons += _request_reasons(cluster, certificate)
    return Issuance(False, list(dict.fromkeys(filter(None, reasons))), has_failed, failed_at)


def _request_reasons(cluster: Cluster, certificate: Object) -> Iterator[str]:
    """What the newest request, its order at an ACME server and the challenges of that say."""
    requests = [
        request
        for request in cluster.select(CERTIFICATE_REQUEST)
        if _annotations(request).get(_NAME_ANNOTATION) == certificate["metadata"]["name"]
    ]
    if not requests:
        return
    request = max(requests, key=lambda found: int(_annotations(found).get(_REVISION_ANNOTATION) or 0))
    denied, ready = _condition(request, "Denied"), _condition(request, "Ready")
    text = _text(denied) if denied.get("status") == "True" else _text(ready)
    if text:
        yield f"CertificateRequest {request['metadata']['name']}: {text}"
    yield from _issuer_reasons(cluster, certificate)
    for order in _owned(cluster, ORDER, request):
        yield from _acme_reason(order, f"Order {order['metadata']['name']}")
        for challenge in _owned(cluster, CHALLENGE, order):
            spec = challenge["spec"]
            yield from _acme_reason(challenge, f"{spec.get('type', 'ACME')} challenge for {spec.get('dnsName', '')}")


def _issuer_reasons(cluster: Cluster, certificate: Object) -> Iterator[str]:
    """What an issuer of cert-manager says that is not ready."""
    wanted = certificate["spec"]["issuerRef"]
    if wanted.get("group", "cert-manager.io") != "cert-manager.io":
        return
    kind = Kind(certificate["apiVersion"], wanted.get("kind") or "Issuer")
    with suppress(PermissionDeniedError):
        ready = _condition(cluster.get(kind, wanted["name"]) or {}, "Ready")
        if ready.get("status") == "False":
            yield f"{kind.kind} {wanted['name']}: {_text(ready)}"


def _acme_reason(found: Object, title: str) -> Iterator[str]:
    status = found.get("status") or {}
    if text := _one_line(status.get("reason")):
        yield f"{title}: {text}"
    elif state := status.get("state"):
        yield f"{title} is {state}"


def _owned(cluster: Cluster, kind: Kind, owner: Object) -> list[Object]:
    uid = owner["metadata"]["uid"]
    return [
        found
        for found in cluster.select(kind)
        if any(reference["uid"] == uid for reference in found["metadata"].get("ownerReferences") or [])
    ]


def _condition(found: Object, kind: str) -> Object:
    conditions = (found.get("status") or {}).get("conditions") or []
    return next((condition for condition in conditions if condition["type"] == kind), {})


def _is_current(certificate: Object, condition: Object) -> bool:
    """Whether a condition is about the Certificate as it is now."""
    generation = certificate["metadata"].get("generation", 0)
    return int(condition.get("observedGeneration", generation)) >= int(generation)


def _text(condition: Object) -> str:
    return _one_line(condition.get("message") or condition.get("reason"))


def _one_line(text: object) -> str:
    return " ".join(str(text or "").split())


def _annotations(found: Object) -> dict[str, str]:
    return found["metadata"].get("annotations") or {}
