"""The sections ``registry``, ``auth``, ``redis``, ``front`` and ``ingress`` of the configuration file."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regmirror.config.fields import Duration, Image, MemorySize, Network
from regmirror.config.ingress_service import ServiceSettings
from regmirror.config.kubernetes_fields import (
    LabelValue,
    ObjectName,
    QualifiedName,
    Quantity,
    Toleration,
    quantity_value,
)
from regmirror.config.problem import error_at
from regmirror.config.secret_references import SecretReference
from regmirror.config.section import Section


class ContainerSettings(Section):
    """The settings that every container has."""

    resources: Annotated[
        dict[Literal["requests", "limits"], dict[QualifiedName, Quantity]] | None,
        Field(
            description="Requests and limits of the container. Omitted values keep the defaults of the chart.",
            examples=[{"limits": {"memory": "2Gi"}}],
        ),
    ] = None


class PodSettings(ContainerSettings):
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

    image: Annotated[Image, Field(description="Image of distribution 3.1.2 or later.")] = (
        "docker.io/library/registry:3.1.2@sha256:ddf754342cfc8acc51a56d5d0ab6af06826461864460636d8bd5c546dab2a7b8"
    )
    replicas: Annotated[
        int, Field(ge=1, le=20, description="Number of pods per upstream. More than one requires ttl: 0.")
    ] = 1
    ttl: Annotated[
        Duration,
        Field(description="How long a blob or manifest is cached after its first pull. 0 keeps it forever."),
    ] = timedelta(days=7)
    manifest_cache: Annotated[ManifestCache, Field(description="The cache of manifests in front of the registry.")] = (
        ManifestCache()
    )
    layer_cache: Annotated[LayerCache, Field(description="Layers on a disk of the node.")] = LayerCache()

    @model_validator(mode="after")
    def _check_ttl(self) -> Self:
        if self.replicas > 1 and self.ttl:
            raise error_at(
                ("replicas",),
                "more than one replica requires ttl: 0, because replicas overwrite each other's expiry schedule "
                "(scheduler-state.json in the bucket)",
            )
        return self


class CertificateIssuer(Section):
    """The cert-manager issuer of the TLS certificate. Requires cert-manager in the cluster."""

    name: Annotated[ObjectName, Field(description="Name of the issuer.", examples=["letsencrypt"])]
    kind: Annotated[
        Literal["ClusterIssuer", "Issuer"],
        Field(description="Kind of the issuer. An Issuer must be in the mirror's namespace."),
    ] = "ClusterIssuer"


_SERVICE_HAS_NO = "has no effect with ingress.service, because no Ingress is created: {instead}"
_INSTEAD = {
    "className": "remove it",
    "annotations": "use ingress.service.annotations",
    "issuer": "create a Certificate of cert-manager for the Secret that tlsSecret names",
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
            description="Annotations of every Ingress, for example for its controller or external-dns.",
            examples=[{"external-dns.alpha.kubernetes.io/ttl": "60"}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it
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
            "TLSSECRET-UPSTREAM. Must not be one of the mirror's own Secrets. null uses the default certificate of the "
            "Ingress controller."
        ),
    ] = "regmirror-tls"  # noqa: S105 - the name of a Secret
    issuer: Annotated[
        CertificateIssuer | None,
        Field(
            description="Let cert-manager issue the certificate and store it in tlsSecret. "
            "Requires cert-manager in the cluster."
        ),
    ] = None

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
            "annotations": self.annotations,
            "issuer": self.issuer,
        }.items():
            if value:
                raise error_at((key,), _SERVICE_HAS_NO.format(instead=_INSTEAD[key]))
        return self

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        if self.issuer and not self.tls_secret:
            raise error_at(("issuer",), "requires tlsSecret, the Secret in which cert-manager stores the certificate")
        return self
