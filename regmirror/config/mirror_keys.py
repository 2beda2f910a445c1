"""The keys of the configuration file regmirror.yaml, each with its meaning, default and limits."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field

from regmirror.config.access import Access
from regmirror.config.certificates import (
    NamedIssuer,
    issuer_of_annotations,
)
from regmirror.config.components import AuthComponent, FetcherComponent, FrontComponent, RedisComponent
from regmirror.config.egress import Egress
from regmirror.config.fields import HTTPS_PORT, Host, Label
from regmirror.config.image_registry import ImageRegistry, relocated_sections
from regmirror.config.ingress import IngressComponent
from regmirror.config.monitoring import Monitoring
from regmirror.config.network_policies import NetworkPolicies
from regmirror.config.overrides import Overrides
from regmirror.config.registry import RegistryComponent
from regmirror.config.section import Section
from regmirror.config.storage import S3Storage
from regmirror.config.upstream import Upstream
from regmirror.config.verification import Verification

API_VERSION: Final = "regmirror.dev/v1alpha1"
Part = Literal["redis", "auth"]
"""A part of the mirror that may exist already."""
PARTS: Final[tuple[Part, ...]] = ("redis", "auth")


def realm_url(endpoint: str) -> str:
    """The URL at which clients of a public endpoint, ``HOST`` or ``HOST:PORT``, request tokens."""
    return f"https://{endpoint}/auth"


class MirrorKeys(Section):
    """The keys of a mirror's configuration, each valid by itself."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of the file format.")]
    kind: Annotated[Literal["Mirror"], Field(description="Kind of the document.")]
    host: Annotated[Host, Field(description="Public host name of the mirror.", examples=["mirror.example.com"])]
    port: Annotated[
        int,
        Field(
            ge=1,
            le=65535,
            description="Port of every public host. Clients pull from https://HOST:PORT.",
            examples=[8443],
        ),
    ] = HTTPS_PORT
    namespace: Annotated[
        Label, Field(description="Kubernetes namespace of the mirror. deploy creates it if it does not exist.")
    ] = "regmirror"
    storage: Annotated[S3Storage, Field(description="The S3 bucket or volume that stores cached blobs and manifests.")]
    upstreams: Annotated[
        list[Upstream],
        # Each upstream has its own database in Redis; redis_config.py sets their number.
        Field(min_length=1, max_length=64, description="The registries to mirror."),
    ]
    access: Annotated[Access, Field(description="Accounts, and what clients see when they are refused.")] = Access()
    image_registry: Annotated[
        ImageRegistry | None,
        Field(
            description="Registry from which the mirror's own pods pull their images. It replaces the host of every "
            "image; path, tag and digest are kept. Default: each image names its own registry.",
            examples=["registry.internal.example.com/mirror"],
        ),
    ] = None
    registry: Annotated[
        RegistryComponent, Field(description="The registry of distribution, one Helm release per upstream.")
    ] = RegistryComponent()
    fetcher: Annotated[
        FetcherComponent,
        Field(description="The program that fetches what the front lacks, in the pods of the registries."),
    ] = FetcherComponent()
    auth: Annotated[
        AuthComponent, Field(description="docker_auth, which issues the tokens that clients need to pull.")
    ] = AuthComponent()
    redis: Annotated[RedisComponent, Field(description="Valkey (or Redis), which caches blob descriptors.")] = (
        RedisComponent()
    )
    front: Annotated[
        FrontComponent, Field(description="nginx, through which all requests reach a registry or docker_auth.")
    ] = FrontComponent()
    ingress: Annotated[IngressComponent, Field(description="The Ingress: the public endpoint of the mirror.")] = (
        IngressComponent()
    )
    egress: Annotated[Egress, Field(description="The proxy that leads out of the cluster.")] = Egress()
    pod_security: Annotated[
        Literal["fixed", "assigned"] | None,
        Field(
            description="User and group IDs of the pods: fixed sets those of the images, assigned leaves them to the "
            "cluster, as OpenShift requires. Default: fixed; on OpenShift, deploy requires this key.",
            examples=["assigned"],
        ),
    ] = None
    network_policies: Annotated[
        NetworkPolicies, Field(description="Kubernetes NetworkPolicies for the pods of the mirror.")
    ] = NetworkPolicies()
    verification: Annotated[
        Verification | None,
        Field(description="Verify the mirror regularly with a CronJob, and publish the results as metrics."),
    ] = None
    monitoring: Annotated[Monitoring, Field(description="What a monitoring system reads of the mirror.")] = Monitoring()
    overrides: Annotated[
        Overrides, Field(description="Helm values that are merged over those of regmirror, for what no other key sets.")
    ] = Overrides()

    def is_external(self, part: Part) -> bool:
        """Whether the mirror uses an existing Redis or docker_auth, which regmirror does not deploy."""
        return bool(self.redis.external if part == "redis" else self.auth.external)

    @property
    def issuer(self) -> str:
        """The issuer in every token."""
        return self.auth.external.issuer if self.auth.external else self.auth.issuer

    def service_of(self, upstream: Upstream) -> str:
        """The ``service`` of the tokens for an upstream: its host, unless an existing docker_auth has another."""
        own = self.auth.external.service if self.auth.external else None
        return own or self.endpoint_of(upstream)

    def relocated(self) -> Self:
        """The same mirror with every image in ``image_registry``."""
        if not self.image_registry:
            return self
        return self.model_copy(update=relocated_sections(dict(self), self.image_registry))

    def tls_secret_of(self, upstream: Upstream) -> str | None:
        """The Secret with the TLS certificate of an upstream's host; each host has its own unless the file says so."""
        if self.ingress.has_foreign_certificate:
            return None
        if upstream.tls_secret:
            return upstream.tls_secret
        name = self.ingress.tls_secret
        return f"{name}-{upstream.name}" if name and upstream.host else name

    def tls_secret_key(self, upstream: Upstream) -> str:
        """The key of the file that names the TLS Secret of an upstream."""
        return f"upstreams[{self.upstreams.index(upstream)}].tlsSecret" if upstream.tls_secret else "ingress.tlsSecret"

    @property
    def tls_hosts(self) -> dict[str, list[str]]:
        """The hosts of each TLS Secret, by the name of the Secret."""
        hosts: dict[str, list[str]] = {}
        for upstream in self.upstreams:
            if name := self.tls_secret_of(upstream):
                hosts.setdefault(name, []).append(self.host_of(upstream))
        return hosts

    @property
    def tls_secrets(self) -> list[str]:
        """The Secrets with the TLS certificates of all hosts."""
        return list(self.tls_hosts)

    def annotations_of(self, upstream: Upstream) -> dict[str, str]:
        """The annotations in the file for the Ingress or HTTPRoute of an upstream."""
        return {**self.ingress.annotations, **upstream.annotations}

    def issuer_of(self, upstream: Upstream) -> NamedIssuer | None:
        """The cert-manager issuer of an upstream's certificate; None if cert-manager does not issue it."""
        if issuer := self.ingress.issuer:
            return NamedIssuer("ingress.issuer", issuer.name, issuer.kind, issuer.group)
        return issuer_of_annotations(self.annotations_of(upstream)) if self.tls_secret_of(upstream) else None

    @property
    def issued_hosts(self) -> dict[str, list[str]]:
        """The hosts of each TLS Secret that cert-manager fills, by its name, which is also that of the Certificate."""
        issued = {self.tls_secret_of(upstream) for upstream in self.upstreams if self.issuer_of(upstream)}
        return {name: hosts for name, hosts in self.tls_hosts.items() if name in issued}

    def host_of(self, upstream: Upstream) -> str:
        """The public host of an upstream, without a port."""
        return upstream.host or self.host

    @property
    def endpoint(self) -> str:
        """The public host of the mirror, with the port unless it is 443."""
        return self._with_port(self.host)

    def endpoint_of(self, upstream: Upstream) -> str:
        """The public host of an upstream, with the port unless it is 443; also the ``service`` of its tokens."""
        return self._with_port(self.host_of(upstream))

    def _with_port(self, host: str) -> str:
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"

    def url_of(self, upstream: Upstream) -> str:
        """The URL from which clients pull the images of an upstream."""
        return f"https://{self.endpoint_of(upstream)}"

    def realm_of(self, upstream: Upstream) -> str:
        """The URL at which clients of an upstream request tokens."""
        return self.auth.external.realm if self.auth.external else realm_url(self.endpoint_of(upstream))

    @property
    def sign_in_host(self) -> str:
        """The public host on which people sign in: the mirror's, or that of the first upstream if each has its own."""
        hosts = [self.host_of(upstream) for upstream in self.upstreams]
        return self.host if self.host in hosts else hosts[0]

    @property
    def sign_in_registry(self) -> str:
        """The registry that people log in to after they have signed in: ``HOST``, or ``HOST:PORT``."""
        return self._with_port(self.sign_in_host)

    @property
    def sign_in_url(self) -> str | None:
        """The URL of the page on which people sign in; None without one."""
        sign_in = self.access.sign_in
        return f"https://{self.sign_in_registry}{sign_in.path}" if sign_in else None

    @property
    def sign_in_registration(self) -> str | None:
        """What has to be registered at the provider, such as ``callback URL https://...``; None without a provider."""
        sign_in = self.access.sign_in
        if sign_in is None:
            return None
        if sign_in.uses_callback_url:
            return f"callback URL {self.sign_in_url}"
        return f"authorized JavaScript origin https://{self.sign_in_registry}"

    @property
    def uses_client_addresses(self) -> bool:
        """Whether docker_auth needs the addresses of clients: a rule is about their network."""
        return any(upstream.uses_client_addresses for upstream in self.upstreams)
