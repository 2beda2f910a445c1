"""The sections ``registry``, ``auth``, ``redis``, ``front`` and ``ingress`` of the configuration file."""

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from regmirror.config.autoscaling import Autoscaling
from regmirror.config.certificates import CertificateIssuer
from regmirror.config.chart import AuthChart, RedisChart
from regmirror.config.external_auth import ExternalAuth
from regmirror.config.external_redis import ExternalRedis
from regmirror.config.fields import Duration, Image, MemorySize, Network, image_parts
from regmirror.config.gateway import Gateway
from regmirror.config.ingress_service import ServiceSettings
from regmirror.config.kubernetes_fields import (
    LabelValue,
    ObjectName,
    QualifiedName,
    Quantity,
    Toleration,
    quantity_value,
)
from regmirror.config.pod_settings import ContainerSettings, SchedulingSettings
from regmirror.config.problem import error_at
from regmirror.config.secret_references import SecretReference
from regmirror.config.section import Section

Component = TypeVar("Component", bound=Section)


def refuse_others(section: Component, name: str) -> Component:
    """Raises an error at the first key besides ``external``, which describes what regmirror does not deploy."""
    if others := section.model_fields_set - {"external"}:
        message = f"has no effect with {name}.external, which regmirror does not deploy: remove it"
        raise error_at((to_camel(min(others)),), message)
    return section


class PodSettings(SchedulingSettings):
    """The settings that the pods of every component share."""

    node_selector: Annotated[
        dict[QualifiedName, LabelValue],
        Field(description="Labels that nodes must have to run the pods.", examples=[{"kubernetes.io/arch": "amd64"}]),
    ] = {}  # noqa: RUF012 - Pydantic copies it
    tolerations: Annotated[
        list[Toleration],
        Field(
            description="Tolerations of the pods.",
            examples=[[{"key": "dedicated", "operator": "Exists"}]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    image_pull_secrets: Annotated[
        list[ObjectName],
        Field(description="Names of Secrets for pulling the image.", examples=[["internal-registry"]]),
    ] = []  # noqa: RUF012 - Pydantic copies it


class RedisComponent(PodSettings):
    """Valkey (or Redis), which caches blob descriptors. It stores nothing that cannot be lost."""

    image: Annotated[Image, Field(description="Image of Valkey or Redis, with a tag, a digest, or both.")] = (
        "docker.io/valkey/valkey:9.1.1-alpine@sha256:de31910896150d5e754a07d57d227cfdde4e258ddd0d1aa4607f2d2f95843715"
    )
    password: Annotated[
        SecretReference | None,
        Field(
            description="Password of Valkey. Default: generated once and stored in the cluster.",
            examples=[{"secret": {"name": "cache", "key": "password"}}],
        ),
    ] = None
    max_memory: Annotated[
        MemorySize,
        Field(description="Memory at which Valkey evicts the oldest entries. Keep it well below the memory limit."),
    ] = "128mb"
    external: Annotated[
        ExternalRedis | None,
        Field(description="An existing Redis to use instead; no other key of redis is allowed then."),
    ] = None
    chart: Annotated[
        RedisChart | None,
        Field(description="Another Helm chart to install Redis with. Default: regmirror's own."),
    ] = None

    @model_validator(mode="after")
    def _check_external(self) -> Self:
        if self.chart and not image_parts(self.image)["tag"]:
            raise error_at(("image",), "needs a tag, because the chart always writes one; a digest may follow it")
        return refuse_others(self, "redis") if self.external else self


_UNSETTABLE = (
    "image_pull_secrets",
    "topology_spread_constraints",
    "priority_class_name",
    "pod_labels",
    "service_account",
)


def refuse_unsettable(section: PodSettings) -> None:
    """Raises an error at the first setting of pods that cesanta's chart has no value for."""
    for name in _UNSETTABLE:
        if getattr(section, name):
            raise error_at((to_camel(name),), "auth.chart cannot set it: the chart has no such value")


class AuthComponent(PodSettings):
    """docker_auth, which issues the tokens that clients need to pull."""

    image: Annotated[Image, Field(description="Image of docker_auth 1.14.0 or later.")] = (
        "docker.io/cesanta/docker_auth:1.14.0"
    )
    replicas: Annotated[int, Field(ge=1, le=20, description="Number of pods.")] = 1
    issuer: Annotated[str, Field(min_length=1, description="Issuer in every token.")] = "regmirror"
    token_lifetime: Annotated[Duration, Field(description="How long a token is valid, from 1m to 1h.")] = timedelta(
        minutes=5
    )
    key_size: Annotated[
        Literal[2048, 3072, 4096],
        Field(description="Bits of the RSA signing key. Larger keys make tokens slower to sign."),
    ] = 2048
    certificate_days: Annotated[
        int, Field(ge=1, le=10000, description="Validity of the signing certificate, in days.")
    ] = 1825
    external: Annotated[
        ExternalAuth | None,
        Field(description="An existing docker_auth to use instead; no other key of auth is allowed then."),
    ] = None
    chart: Annotated[
        AuthChart | None,
        Field(
            description="Another Helm chart to install docker_auth with. No front runs before docker_auth then, so "
            "nothing limits requests for tokens. Default: regmirror's own."
        ),
    ] = None

    @model_validator(mode="after")
    def _check_external(self) -> Self:
        if self.chart and not image_parts(self.image)["tag"]:
            raise error_at(("image",), "needs a tag, because the chart always writes one; a digest may follow it")
        if self.chart:
            refuse_unsettable(self)
        return refuse_others(self, "auth") if self.external else self

    @model_validator(mode="after")
    def _check_lifetime(self) -> Self:
        if not timedelta(minutes=1) <= self.token_lifetime <= timedelta(hours=1):
            raise error_at(
                ("tokenLifetime",), "must be from 1m (older clients assume it) to 1h (tokens cannot be revoked)"
            )
        return self


class FrontComponent(ContainerSettings):
    """nginx, through which all requests reach a registry or docker_auth."""

    image: Annotated[Image, Field(description="Image of nginx 1.30.5 or later.")] = (
        "docker.io/library/nginx:1.30.5-alpine@sha256:0985e772fb9f729e6fa0980da05fca5d9c468e870eed43071545afa9d2e27d94"
    )


class ManifestCache(Section):
    """The cache of manifests in front of the registry."""

    enabled: Annotated[
        bool, Field(description="Cache manifests. If false, the registry serves every manifest itself.")
    ] = True
    tag_age: Annotated[
        Duration,
        Field(description="How long a tag is served from the cache before the upstream is asked again, from 1s to 1h."),
    ] = timedelta(seconds=5)

    @model_validator(mode="after")
    def _check_age(self) -> Self:
        if not timedelta(seconds=1) <= self.tag_age <= timedelta(hours=1):
            raise error_at(("tagAge",), "must be from 1s to 1h; to ask the upstream for every pull, set enabled: false")
        return self


class LayerCache(Section):
    """Layers on a disk of the node: warm pulls pass neither the registry nor the object store."""

    size: Annotated[
        Quantity,
        Field(
            description="Size of the cache, in each pod of each upstream. The least recently used layers are removed "
            "first. 0 caches no layers; so does storage.redirect.",
            examples=["50Gi"],
        ),
    ] = "8Gi"
    volume: Annotated[
        Literal["emptyDir"] | ObjectName,
        Field(
            description="emptyDir, the disk of the node, or the name of a StorageClass.",
            examples=["local-path"],
        ),
    ] = "emptyDir"

    @property
    def bytes(self) -> int:
        """The size in bytes."""
        return quantity_value(self.size)


class FetcherComponent(ContainerSettings):
    """The program in the registry's pod that fetches what the front lacks, once for all clients that wait."""

    image: Annotated[Image, Field(description="Image of Python 3.11 or later, with a tag, a digest, or both.")] = (
        "docker.io/library/python:3.14-alpine"
    )


class RegistryComponent(PodSettings):
    """The registry of distribution, one Helm release per upstream."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_chart(cls, section: object) -> object:
        if isinstance(section, dict) and "chart" in section:
            raise error_at(
                ("chart",),
                "another chart for the registry is not supported: the front and the fetcher, which limit requests, "
                "cache, and fetch each layer once, run in the pods of regmirror's own chart; set registry.image, "
                "or use overrides.registry",
            )
        return section

    image: Annotated[Image, Field(description="Image of distribution 3.1.2 or later.")] = (
        "docker.io/library/registry:3.1.2@sha256:ddf754342cfc8acc51a56d5d0ab6af06826461864460636d8bd5c546dab2a7b8"
    )
    replicas: Annotated[
        int, Field(ge=1, le=20, description="Number of pods per upstream. More than one requires ttl: 0.")
    ] = 1
    ttl: Annotated[
        Duration,
        Field(
            description="How long a blob or manifest is cached after its first pull. 0 keeps it forever.",
            examples=["0"],
        ),
    ] = timedelta(days=7)
    autoscaling: Annotated[
        Autoscaling | None,
        Field(description="Let a HorizontalPodAutoscaler set the number of pods per upstream, instead of replicas."),
    ] = None
    manifest_cache: Annotated[ManifestCache, Field(description="The cache of manifests in front of the registry.")] = (
        ManifestCache()
    )
    layer_cache: Annotated[LayerCache, Field(description="Layers on a disk of the node.")] = LayerCache()

    @property
    def least_replicas(self) -> int:
        """The number of pods per upstream that always run."""
        return self.autoscaling.min_replicas if self.autoscaling else self.replicas

    @property
    def most_replicas(self) -> int:
        """The largest number of pods per upstream."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas

    @model_validator(mode="after")
    def _check_replicas(self) -> Self:
        if self.autoscaling and self.replicas != 1:
            raise error_at(("replicas",), "remove it: autoscaling sets the number of pods, from minReplicas on")
        return self

    @model_validator(mode="after")
    def _check_ttl(self) -> Self:
        if self.most_replicas > 1 and self.ttl:
            raise error_at(
                ("autoscaling", "maxReplicas") if self.autoscaling else ("replicas",),
                "more than one replica requires ttl: 0, because replicas overwrite each other's expiry schedule "
                "(scheduler-state.json in the bucket)",
            )
        return self


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
            "second to a registry after a burst of 10,000, and 20 requests for tokens per second after a burst of "
            "2000. All clients behind a NAT gateway share one address. "
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
    def has_foreign_certificate(self) -> bool:
        """Whether TLS ends at a listener of somebody else's Gateway, whose certificate is not the mirror's."""
        return self.gateway is not None and self.gateway.listener_set is None
