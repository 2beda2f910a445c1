"""The objects that cert-manager has on the way to a certificate, with their status."""

from __future__ import annotations

from typing import Any

from regmirror.ports.cluster import Object


def certificate_object(name: str = "regmirror-tls", **conditions: tuple[str, str]) -> Object:
    """A Certificate; ``conditions`` have the status and message of each."""
    spec = {"secretName": name, "issuerRef": {"name": "le", "kind": "ClusterIssuer", "group": "cert-manager.io"}}
    return _object("cert-manager.io/v1", "Certificate", name, spec, conditions)


def request_object(name: str, revision: int, **conditions: tuple[str, str]) -> Object:
    """A CertificateRequest of the Certificate regmirror-tls."""
    found = _object("cert-manager.io/v1", "CertificateRequest", name, {}, conditions)
    found["metadata"]["annotations"] = {
        "cert-manager.io/certificate-name": "regmirror-tls",
        "cert-manager.io/certificate-revision": str(revision),
    }
    return found


def acme_object(kind: str, name: str, owner: Object, status: dict[str, Any], **spec: Any) -> Object:
    """An Order of a CertificateRequest, or a Challenge of an Order."""
    found = _object("acme.cert-manager.io/v1", kind, name, spec, {})
    found["metadata"]["ownerReferences"] = [{"kind": owner["kind"], "uid": owner["metadata"]["uid"]}]
    return {**found, "status": status}


def issuer_object(message: str) -> Object:
    """The ClusterIssuer ``le``, which is not ready."""
    return _object("cert-manager.io/v1", "ClusterIssuer", "le", {}, {"Ready": ("False", message)})


def _object(
    api_version: str, kind: str, name: str, spec: dict[str, Any], conditions: dict[str, tuple[str, str]]
) -> Object:
    listed = [{"type": one, "status": status, "message": text} for one, (status, text) in conditions.items()]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "uid": f"uid-of-{name}"},
        "spec": spec,
        "status": {"conditions": listed},
    }
