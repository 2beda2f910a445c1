"""Who issues the public certificates: the section ``ingress.issuer``, or annotations that cert-manager reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from regmirror.config.kubernetes_fields import ObjectName
from regmirror.config.section import Section

CERT_MANAGER_GROUP: Final = "cert-manager.io"
CLUSTER_ISSUER_ANNOTATION: Final = "cert-manager.io/cluster-issuer"
ISSUER_ANNOTATION: Final = "cert-manager.io/issuer"
DEFAULT_ISSUER_ANNOTATION: Final = "kubernetes.io/tls-acme"
"""With the value true, cert-manager uses the issuer of its own configuration."""
_READ_BY_CERT_MANAGER = ("cert-manager.io/", "acme.cert-manager.io/", DEFAULT_ISSUER_ANNOTATION)


def _kind(value: object) -> str:
    if not isinstance(value, str) or not (value.isascii() and value.isalnum() and value[0].isupper()):
        raise ValueError("expected the kind of an issuer, such as ClusterIssuer")
    return value


class CertificateIssuer(Section):
    """The cert-manager issuer of the TLS certificates. Requires cert-manager in the cluster."""

    name: Annotated[ObjectName, Field(description="Name of the issuer.", examples=["letsencrypt"])]
    kind: Annotated[
        str,
        BeforeValidator(_kind),
        WithJsonSchema({"type": "string", "pattern": "^[A-Z][A-Za-z0-9]*$"}),
        Field(
            description="Kind of the issuer. An Issuer must be in the mirror's namespace.",
            examples=["ClusterIssuer", "Issuer", "AWSPCAClusterIssuer"],
        ),
    ] = "ClusterIssuer"
    group: Annotated[
        ObjectName,
        Field(
            description="API group of the issuer. Only issuers outside of cert-manager have another one.",
            examples=["cert-manager.io", "awspca.cert-manager.io"],
        ),
    ] = CERT_MANAGER_GROUP


@dataclass(frozen=True, slots=True)
class NamedIssuer:
    """An issuer, and the key of the file or the annotation that names it."""

    named_by: str
    name: str
    """Empty for the default issuer of cert-manager's own configuration."""
    kind: str = "ClusterIssuer"
    group: str = CERT_MANAGER_GROUP

    def __str__(self) -> str:
        if not self.name:
            return "the default issuer of cert-manager"
        group = "" if self.group == CERT_MANAGER_GROUP else f".{self.group}"
        return f"{self.kind}{group} {self.name}"


def issuer_of_annotations(annotations: Mapping[str, str]) -> NamedIssuer | None:
    """The issuer that cert-manager reads from the annotations of an Ingress; None if they name none."""
    if name := annotations.get(CLUSTER_ISSUER_ANNOTATION):
        return NamedIssuer(CLUSTER_ISSUER_ANNOTATION, name)
    if name := annotations.get(ISSUER_ANNOTATION):
        kind = annotations.get("cert-manager.io/issuer-kind") or "Issuer"
        group = annotations.get("cert-manager.io/issuer-group") or CERT_MANAGER_GROUP
        return NamedIssuer(ISSUER_ANNOTATION, name, kind, group)
    if annotations.get(DEFAULT_ISSUER_ANNOTATION) == "true":
        return NamedIssuer(DEFAULT_ISSUER_ANNOTATION, "")
    return None


def cert_manager_annotation(annotations: Mapping[str, str]) -> str | None:
    """The first annotation that cert-manager reads; None if it reads none of them."""
    return next((key for key in annotations if key.startswith(_READ_BY_CERT_MANAGER)), None)
