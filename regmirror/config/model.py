"""The model of the configuration file regmirror.yaml: every key with its meaning, default and limits."""

from datetime import timedelta
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from regmirror.config.fields import (
    Bucket,
    Duration,
    Host,
    Image,
    Label,
    MemorySize,
    Prefix,
    ProbeImage,
    RepositoryPattern,
    UpstreamName,
    Url,
)
from regmirror.config.images import DOCKER_HUB, matches, pulled_image
from regmirror.config.kubernetes_fields import LabelValue, ObjectName, QualifiedName, Quantity, Toleration
from regmirror.config.problem import error_at
from regmirror.config.secret_references import SecretReference

API_VERSION: Final = "regmirror.dev/v1alpha1"


def realm_url(host: str) -> str:
    """The URL at which clients of a public host request tokens."""
    return f"https://{host}/auth"


class Section(BaseModel):
    """A section of the file: keys in camelCase, unknown keys and quoted numbers rejected, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel, populate_by_name=True)


class Credentials(Section):
    """The account that regmirror uses at the upstream, which raises rate limits and gives access to private images."""

    username: Annotated[
        SecretReference, Field(description="Where the user name is stored.", examples=[{"env": "DOCKERHUB_USERNAME"}])
    ]
    password: Annotated[
        SecretReference,
        Field(
            description="Where the password or access token is stored.", examples=[{"env": "DOCKERHUB_ACCESS_TOKEN"}]
        ),
    ]


class AccessKey(Section):
    """The S3 access key of the registry's pods and of regmirror."""

    id: Annotated[
        SecretReference,
        Field(description="Where the access key ID is stored.", examples=[{"env": "AWS_ACCESS_KEY_ID"}]),
    ]
    secret: Annotated[
        SecretReference,
        Field(description="Where the secret access key is stored.", examples=[{"env": "AWS_SECRET_ACCESS_KEY"}]),
    ]


class S3Storage(Section):
    """The S3 bucket that stores cached blobs and manifests."""

    bucket: Annotated[Bucket, Field(description="Name of the bucket.", examples=["acme-mirror"])]
    region: Annotated[
        str,
        Field(
            min_length=1,
            description="Region of the bucket. Most S3-compatible stores accept any value.",
            examples=["eu-central-1"],
        ),
    ]
    endpoint: Annotated[
        Url | None,
        Field(description="URL of an S3-compatible store. Omit for AWS.", examples=["https://s3.example.com"]),
    ] = None
    path_style: Annotated[
        bool | None,
        Field(
            description="Address the bucket in the path of the URL instead of the host name. "
            "Default: true if endpoint is set.",
            examples=[True],
        ),
    ] = None
    access_key: Annotated[
        AccessKey | None, Field(description="Access key for the bucket. Omit if the pods have a cloud role (IRSA).")
    ] = None
    create_bucket: Annotated[bool, Field(description="Create the bucket if it does not exist.")] = False
    redirect: Annotated[
        bool,
        Field(
            description="Redirect clients to the store for blobs. Clients must be able to reach the store.",
            examples=[True],
        ),
    ] = False
    redirect_endpoint: Annotated[
        Url | None,
        Field(
            description="URL of the store for redirected clients, if they cannot use endpoint. Requires redirect: true.",
            examples=["https://s3.example.com"],
        ),
    ] = None
    prefix: Annotated[
        Prefix,
        Field(description="Path in the bucket under which the mirror stores its data.", examples=["mirrors/acme"]),
    ] = ""

    @model_validator(mode="after")
    def _check_redirect(self) -> Self:
        if self.redirect_endpoint and not self.redirect:
            raise error_at(("redirectEndpoint",), "has no effect without redirect: true")
        return self

    @property
    def uses_path_style(self) -> bool:
        """Whether URLs have the bucket in the path; distribution 3 no longer derives it from the endpoint."""
        return self.endpoint is not None if self.path_style is None else self.path_style

    @property
    def is_inside_cluster(self) -> bool:
        """Whether the endpoint is the address of a Kubernetes Service, which only resolves inside the cluster."""
        host = urlsplit(self.endpoint or "").hostname or ""
        return host.endswith((".svc", ".cluster.local")) or bool(host and "." not in host and host != "localhost")


class PodSettings(Section):
    """The settings that the pods of every component share."""

    resources: Annotated[
        dict[Literal["requests", "limits"], dict[QualifiedName, Quantity]] | None,
        Field(
            description="Requests and limits of the container. Omitted values keep the defaults of the chart.",
            examples=[{"limits": {"memory": "2Gi"}}],
        ),
    ] = None
    node_selector: Annotated[
        dict[QualifiedName, LabelValue],
        Field(description="Labels that nodes must have to run the pods.", examples=[{"kubernetes.io/arch": "amd64"}]),
    ] = {}
    tolerations: Annotated[
        list[Toleration],
        Field(
            description="Tolerations of the pods.",
            examples=[[{"key": "dedicated", "operator": "Exists"}]],
        ),
    ] = []
    image_pull_secrets: Annotated[
        list[ObjectName],
        Field(description="Names of Secrets for pulling the image.", examples=[["internal-registry"]]),
    ] = []


class RedisComponent(PodSettings):
    """Valkey (or Redis), which caches blob descriptors. It stores nothing that cannot be lost."""

    image: Annotated[Image, Field(description="Image of Valkey or Redis, with a tag, a digest, or both.")] = (
        "docker.io/valkey/valkey:9.1.1-alpine"
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


class ManifestCache(Section):
    """nginx in the registry's pod, which caches manifests."""

    enabled: Annotated[
        bool, Field(description="Cache manifests. If false, the registry serves every manifest itself.")
    ] = True
    image: Annotated[Image, Field(description="Image of nginx, with a tag, a digest, or both.")] = (
        "docker.io/library/nginx:1.28-alpine"
    )
    tag_age: Annotated[
        Duration,
        Field(description="How long a tag is served from the cache before the upstream is asked again, from 1s to 1h."),
    ] = timedelta(seconds=5)
    resources: Annotated[
        dict[Literal["requests", "limits"], dict[QualifiedName, Quantity]] | None,
        Field(
            description="Requests and limits of the container. Omitted values keep the defaults of the chart.",
            examples=[{"limits": {"memory": "512Mi"}}],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_age(self) -> Self:
        if not timedelta(seconds=1) <= self.tag_age <= timedelta(hours=1):
            raise error_at(("tagAge",), "must be from 1s to 1h; to ask the upstream for every pull, set enabled: false")
        return self


class RegistryComponent(PodSettings):
    """The registry of distribution, one Helm release per upstream."""

    image: Annotated[Image, Field(description="Image of distribution 3.1.2 or later.")] = (
        "docker.io/library/registry:3.1.2"
    )
    replicas: Annotated[
        int, Field(ge=1, le=20, description="Number of pods per upstream. More than one requires ttl: 0.")
    ] = 1
    ttl: Annotated[
        Duration,
        Field(description="How long a blob or manifest is cached after its first pull. 0 keeps it forever."),
    ] = timedelta(days=7)
    manifest_cache: Annotated[
        ManifestCache, Field(description="nginx in the registry's pod, which caches manifests.")
    ] = ManifestCache()

    @model_validator(mode="after")
    def _check_ttl(self) -> Self:
        if self.replicas > 1 and self.ttl:
            raise error_at(
                ("replicas",),
                "more than one replica requires ttl: 0, because replicas overwrite each other's expiry schedule "
                "(scheduler-state.json in the bucket)",
            )
        return self


class Upstream(Section):
    """A registry to mirror."""

    name: Annotated[
        UpstreamName,
        Field(
            description="Name of the upstream. Its Helm release, Deployment and Service are named regmirror-NAME.",
            examples=["docker-hub"],
        ),
    ]
    url: Annotated[Url, Field(description="URL of the upstream's registry API.")] = DOCKER_HUB
    host: Annotated[
        Host | None,
        Field(
            description="Public host name for this upstream. Default: the host of the mirror, which only one upstream can use.",
            examples=["hub.example.com"],
        ),
    ] = None
    credentials: Annotated[
        Credentials | None, Field(description="Account at the upstream. Omit for anonymous pulls.")
    ] = None
    anonymous_pull: Annotated[
        list[RepositoryPattern],
        Field(
            description="Repositories that everyone may pull; all others are denied. Official images of Docker Hub are library/NAME.",
            examples=[["library/*", "acme/tool"]],
        ),
    ]
    probe_image: Annotated[
        ProbeImage | None,
        Field(
            description="Image that regmirror verify pulls. It must match anonymousPull.",
            examples=["library/alpine:3"],
        ),
    ] = None

    @field_validator("anonymous_pull")
    @classmethod
    def _check_names(cls, patterns: list[str], info: ValidationInfo) -> list[str]:
        """Docker Hub is the only registry where every name has a "/": registry.k8s.io/pause has none."""
        bare = [pattern for pattern in patterns if "/" not in pattern]
        if bare and info.data.get("url") == DOCKER_HUB:
            raise ValueError(
                f'"{bare[0]}" matches no repository, because every name on Docker Hub has a "/": write "{bare[0]}/*" '
                f'for a user or organization, "library/{bare[0]}" for an official image'
            )
        return patterns

    @model_validator(mode="after")
    def _check_probe_image(self) -> Self:
        if self.probe_image:
            repository, _ = pulled_image(self.probe_image)
            if not any(matches(pattern, repository) for pattern in self.anonymous_pull):
                raise error_at(("probeImage",), f"anonymousPull does not allow {repository}")
        return self


class CertificateIssuer(Section):
    """The cert-manager issuer of the TLS certificate. Requires cert-manager in the cluster."""

    name: Annotated[ObjectName, Field(description="Name of the issuer.", examples=["letsencrypt"])]
    kind: Annotated[
        Literal["ClusterIssuer", "Issuer"],
        Field(description="Kind of the issuer. An Issuer must be in the mirror's namespace."),
    ] = "ClusterIssuer"


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
    ] = {}
    tls_secret: Annotated[
        ObjectName | None,
        Field(
            description="Secret with the TLS certificate of the host. An upstream with its own host uses the Secret "
            "TLSSECRET-UPSTREAM. null uses the default certificate of the Ingress controller."
        ),
    ] = "regmirror-tls"  # noqa: S105 - the name of a Secret
    issuer: Annotated[
        CertificateIssuer | None, Field(description="Let cert-manager issue the certificate and store it in tlsSecret.")
    ] = None

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        if self.issuer and not self.tls_secret:
            raise error_at(("issuer",), "requires tlsSecret, the Secret in which cert-manager stores the certificate")
        return self


class Mirror(Section):
    """The configuration of a mirror."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of the file format.")]
    kind: Annotated[Literal["Mirror"], Field(description="Kind of the document.")]
    host: Annotated[Host, Field(description="Public host name of the mirror.", examples=["mirror.example.com"])]
    namespace: Annotated[
        Label, Field(description="Kubernetes namespace of the mirror. deploy creates it if it does not exist.")
    ] = "regmirror"
    storage: Annotated[S3Storage, Field(description="The S3 bucket that stores cached blobs and manifests.")]
    upstreams: Annotated[
        list[Upstream],
        # Each upstream has its own database in Redis; redis_config.py sets their number.
        Field(min_length=1, max_length=64, description="The registries to mirror."),
    ]
    registry: Annotated[
        RegistryComponent, Field(description="The registry of distribution, one Helm release per upstream.")
    ] = RegistryComponent()
    auth: Annotated[
        AuthComponent, Field(description="docker_auth, which issues the tokens that clients need to pull.")
    ] = AuthComponent()
    redis: Annotated[RedisComponent, Field(description="Valkey (or Redis), which caches blob descriptors.")] = (
        RedisComponent()
    )
    ingress: Annotated[IngressComponent, Field(description="The Ingress: the public endpoint of the mirror.")] = (
        IngressComponent()
    )

    def tls_secret_of(self, upstream: Upstream) -> str | None:
        """The Secret with the TLS certificate of an upstream's host; each host has its own."""
        name = self.ingress.tls_secret
        return f"{name}-{upstream.name}" if name and upstream.host else name

    def host_of(self, upstream: Upstream) -> str:
        """The public host of an upstream; also the ``service`` of its tokens."""
        return upstream.host or self.host

    def realm_of(self, upstream: Upstream) -> str:
        """The URL at which clients of an upstream request tokens."""
        return realm_url(self.host_of(upstream))

    @model_validator(mode="after")
    def _check_upstreams(self) -> Self:
        for key, values in {
            "name": [upstream.name for upstream in self.upstreams],
            "host": [self.host_of(upstream) for upstream in self.upstreams],
        }.items():
            for index, value in enumerate(values):
                if value in values[:index]:
                    first = self.upstreams[values.index(value)].name
                    raise error_at(
                        ("upstreams", index, key),
                        f"the upstream {first} has the same {key}, {value}: set another {key}",
                    )
        return self
