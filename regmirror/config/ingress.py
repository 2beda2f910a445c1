"""The section ``ingress`` of the configuration file."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from regmirror.config.certificates import CertificateIssuer
from regmirror.config.fields import Network
from regmirror.config.gateway import Gateway
from regmirror.config.ingress_service import ServiceSettings
from regmirror.config.kubernetes_fields import (
    ObjectName,
    QualifiedName,
)
from regmirror.config.pod_settings import PodSettings
from regmirror.config.problem import error_at
from regmirror.config.section import Section

_SERVICE_HAS_NO = "has no effect with ingress.service, because no Ingress is created: {instead}"
_INSTEAD = {
    "className": "remove it",
    "gateway": "remove it",
    "annotations": "use ingress.service.annotations",
}


class IngressService(ServiceSettings, PodSettings):
    """A Service as the public endpoint; nginx of the mirror terminates TLS, and there is no Ingress."""

    replicas: Annotated[int, Field(ge=1, le=20, description="Number of nginx pods.")] = 1


class IngressComponent(Section):
    """The Ingress: the public endpoint of the mirror."""

    class_name: Annotated[
        ObjectName | None,
        Field(
            description="Name of the IngressClass. Default: the default IngressClass of the cluster.",
            examples=["traefik"],
        ),
    ] = None
    annotations: Annotated[
        dict[QualifiedName, str],
        Field(
            description="Annotations of every Ingress or HTTPRoute, for example for its controller. They win over "
            "those that regmirror sets for the Ingress controller. Annotations of external-dns are written with both "
            "of its prefixes, external-dns.kubernetes.io and external-dns.alpha.kubernetes.io.",
            examples=[{"external-dns.kubernetes.io/ttl": "60"}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it
    gateway: Annotated[
        Gateway | None,
        Field(
            description="Use the Gateway API (HTTPRoute) instead of an Ingress. className then has no effect. "
            "Default: an Ingress."
        ),
    ] = None
    trusted_proxies: Annotated[
        list[Network],
        Field(
            description="Networks of the Ingress controller and of proxies in front of it, whose X-Forwarded-For "
            "header is trusted. With them, each client address may have 1024 requests in progress, 200 requests per "
            "second to a registry after a burst of 10,000, 20 requests for tokens per second after a burst of "
            "2000, and 2 logins per second after a burst of 40. All clients behind a NAT gateway share one address. "
            "Default: only the number of requests in progress is limited, in total.",
            examples=[["10.42.0.0/16"]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    tls_secret: Annotated[
        ObjectName | None,
        Field(
            description="Secret with the TLS certificate of the host. An upstream with its own host uses the Secret "
            "TLSSECRET-UPSTREAM, unless it has a tlsSecret. Must not be one of the mirror's own Secrets. null uses the "
            "default certificate of the Ingress controller."
        ),
    ] = "regmirror-tls"  # noqa: S105 - the name of a Secret
    issuer: Annotated[
        CertificateIssuer | None,
        Field(
            description="Let cert-manager issue the certificates and store them in the TLS Secrets. "
            "Requires cert-manager in the cluster."
        ),
    ] = None
    self_signed: Annotated[
        bool,
        Field(
            description="Let deploy create a private CA for this mirror and issue the certificates with it. "
            "client-config, verify and the other commands then trust that CA without --ca-file."
        ),
    ] = False

    service: Annotated[
        IngressService | None,
        Field(
            description="Expose the mirror with a Service of its own instead of an Ingress; nginx of the mirror "
            "terminates TLS with tlsSecret."
        ),
    ] = None

    @model_validator(mode="after")
    def _check_service(self) -> Self:
        """The Service has none of what an Ingress controller provides."""
        if self.service is None:
            return self
        if not self.tls_secret:
            raise error_at(("tlsSecret",), "ingress.service requires a Secret with the TLS certificate of the host")
        for key, value in {
            "className": self.class_name,
            "gateway": self.gateway,
            "annotations": self.annotations,
        }.items():
            if value:
                raise error_at((key,), _SERVICE_HAS_NO.format(instead=_INSTEAD[key]))
        return self

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        if self.issuer and not self.tls_secret:
            raise error_at(("issuer",), "requires tlsSecret, the Secret in which cert-manager stores the certificate")
        if self.issuer and self.has_foreign_certificate:
            raise error_at(
                ("issuer",),
                "the certificate is that of the Gateway: annotate the Gateway instead, or set gateway.listenerSet: {}",
            )
        return self

    @model_validator(mode="after")
    def _check_self_signed(self) -> Self:
        if not self.self_signed:
            return self
        if self.issuer:
            raise error_at(("selfSigned",), "cannot be combined with issuer: remove one of them")
        if not self.tls_secret:
            raise error_at(("selfSigned",), "requires tlsSecret, the Secret in which deploy stores the certificate")
        if self.has_foreign_certificate:
            raise error_at(("selfSigned",), "the certificate is that of the Gateway: set gateway.listenerSet: {}")
        return self

    @property
    def knows_client_addresses(self) -> bool:
        """Whether the mirror sees the addresses of clients, or trusts the proxy that reports them."""
        is_local = self.service is not None and self.service.external_traffic_policy == "Local"
        return bool(self.trusted_proxies) or is_local

    @property
    def has_foreign_certificate(self) -> bool:
        """Whether TLS ends at a listener of somebody else's Gateway, whose certificate is not the mirror's."""
        return self.gateway is not None and self.gateway.listener_set is None
