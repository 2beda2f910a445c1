"""The configuration file regmirror.yaml, as a model: every key, its meaning, its default and its limits."""

from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from regmirror.config.fields import Duration, Host, Image, Label, RepositoryPattern, UpstreamName, Url
from regmirror.config.kubernetes_fields import LabelValue, ObjectName, QualifiedName, Quantity, Toleration
from regmirror.config.secret_references import SecretReference

API_VERSION = "regmirror.dev/v1alpha1"
DOCKER_HUB = "https://registry-1.docker.io"


class Section(BaseModel):
    """A part of the file: keys in camelCase, unknown ones refused, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Credentials(Section):
    """A user name and a password, both by reference."""

    username: Annotated[
        SecretReference, Field(description="Where the user name is kept.", examples=[{"env": "DOCKERHUB_USERNAME"}])
    ]
    password: Annotated[
        SecretReference,
        Field(description="Where the password or access token is kept.", examples=[{"env": "DOCKERHUB_ACCESS_TOKEN"}]),
    ]


class AccessKey(Section):
    """The S3 access key, both parts by reference."""

    id: Annotated[
        SecretReference,
        Field(description="Where the access key's id is kept.", examples=[{"env": "AWS_ACCESS_KEY_ID"}]),
    ]
    secret: Annotated[
        SecretReference,
        Field(description="Where the access key's secret is kept.", examples=[{"env": "AWS_SECRET_ACCESS_KEY"}]),
    ]


class S3Storage(Section):
    """The bucket that keeps blobs and manifests."""

    bucket: Annotated[
        str, Field(min_length=3, max_length=63, description="Name of the bucket.", examples=["acme-mirror"])
    ]
    region: Annotated[
        str,
        Field(
            min_length=1, description="Region of the bucket; other stores accept any word.", examples=["eu-central-1"]
        ),
    ]
    endpoint: Annotated[
        Url | None,
        Field(description="URL of an S3-compatible store; leave out for AWS.", examples=["https://s3.example.com"]),
    ] = None
    path_style: Annotated[
        bool | None,
        Field(
            description="Bucket in the path, not in the host name; by default true with an endpoint.", examples=[True]
        ),
    ] = None
    access_key: Annotated[
        AccessKey | None, Field(description="Leave out where the pods get their rights from the cloud (IRSA, roles).")
    ] = None
    create_bucket: Annotated[bool, Field(description="Create the bucket if it is missing.")] = False
    redirect: Annotated[
        bool,
        Field(
            description="Send clients to the store for blobs; they must be able to reach the endpoint.", examples=[True]
        ),
    ] = False
    redirect_endpoint: Annotated[
        Url | None,
        Field(
            description="URL of the store as clients reach it, for redirect; leave out where it is the endpoint.",
            examples=["https://s3.example.com"],
        ),
    ] = None
    prefix: Annotated[
        str,
        Field(
            pattern=r"^(/?[\w.-]+)*/?$",
            description="Path within the bucket that belongs to the mirror.",
            examples=["mirrors/acme"],
        ),
    ] = ""

    @model_validator(mode="after")
    def _check_redirect(self) -> Self:
        if self.redirect_endpoint and not self.redirect:
            raise ValueError("redirectEndpoint means nothing without redirect: true")
        return self

    @property
    def uses_path_style(self) -> bool:
        """Whether requests name the bucket in the path; distribution 3 no longer derives it from the endpoint."""
        return self.endpoint is not None if self.path_style is None else self.path_style

    @property
    def is_inside_cluster(self) -> bool:
        """Whether the endpoint is the address of a Kubernetes Service, which means nothing outside the cluster."""
        host = urlsplit(self.endpoint or "").hostname or ""
        return host.endswith((".svc", ".cluster.local")) or bool(host and "." not in host and host != "localhost")


class Workload(Section):
    """What every component can be told about its pods."""

    resources: Annotated[
        dict[Literal["requests", "limits"], dict[QualifiedName, Quantity]] | None,
        Field(
            description="Requests and limits; what is left out keeps the default of the chart.",
            examples=[{"limits": {"memory": "2Gi"}}],
        ),
    ] = None
    node_selector: Annotated[
        dict[QualifiedName, LabelValue],
        Field(description="Labels that a node must have.", examples=[{"kubernetes.io/arch": "amd64"}]),
    ] = {}
    tolerations: Annotated[
        list[Toleration],
        Field(
            description="Taints of nodes to put up with, as in a pod.",
            examples=[[{"key": "dedicated", "operator": "Exists"}]],
        ),
    ] = []
    image_pull_secrets: Annotated[
        list[ObjectName], Field(description="Names of Secrets for pulling the image.", examples=[["internal-registry"]])
    ] = []


class RedisComponent(Workload):
    """The cache of blob descriptors; disposable."""

    image: Annotated[Image, Field(description="Valkey with a tag, a digest, or both.")] = (
        "docker.io/valkey/valkey:9.1.1-alpine"
    )
    password: Annotated[
        SecretReference | None,
        Field(
            description="Leave out to have one generated once and kept in the cluster.",
            examples=[{"secret": {"name": "cache", "key": "password"}}],
        ),
    ] = None
    max_memory: Annotated[
        str,
        Field(
            pattern=r"^[0-9]+(kb|mb|gb)$", description="Memory at which the oldest entries go; well below the limit."
        ),
    ] = "128mb"


class AuthComponent(Workload):
    """docker_auth, which signs the tokens."""

    image: Annotated[Image, Field(description="docker_auth, 1.14.0 or newer.")] = "docker.io/cesanta/docker_auth:1.14.0"
    replicas: Annotated[int, Field(ge=1, le=20, description="Number of pods.")] = 1
    issuer: Annotated[str, Field(min_length=1, description="Name of the issuer in every token.")] = "regmirror"
    token_lifetime: Annotated[Duration, Field(description="How long a token is valid: 1m to 1h.")] = timedelta(
        minutes=5
    )
    key_size: Annotated[
        Literal[2048, 3072, 4096], Field(description="Bits of the RSA signing key; see performance.md.")
    ] = 2048
    certificate_days: Annotated[
        int, Field(ge=1, le=10000, description="Validity of the signing certificate, in days.")
    ] = 1825

    @model_validator(mode="after")
    def _check_lifetime(self) -> Self:
        if not timedelta(minutes=1) <= self.token_lifetime <= timedelta(hours=1):
            raise ValueError(
                "tokenLifetime must be from 1m (older clients assume a minute) to 1h (no token is revocable)"
            )
        return self


class ManifestCache(Section):
    """nginx in the registry's pod, which answers for manifests that it has seen."""

    enabled: Annotated[bool, Field(description="false has every manifest come from the registry itself.")] = True
    image: Annotated[Image, Field(description="nginx with a tag, a digest, or both.")] = (
        "docker.io/library/nginx:1.28-alpine"
    )
    tag_age: Annotated[
        Duration,
        Field(description="How long the upstream is not asked again what a tag means: 1s to 1h."),
    ] = timedelta(seconds=5)
    resources: Annotated[
        dict[Literal["requests", "limits"], dict[QualifiedName, Quantity]] | None,
        Field(
            description="Requests and limits; what is left out keeps the default of the chart.",
            examples=[{"limits": {"memory": "512Mi"}}],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_age(self) -> Self:
        if not timedelta(seconds=1) <= self.tag_age <= timedelta(hours=1):
            raise ValueError("tagAge must be from 1s to 1h; enabled: false has the upstream asked at every pull")
        return self


class RegistryComponent(Workload):
    """distribution's registry, one release per upstream."""

    image: Annotated[Image, Field(description="distribution's registry, 3.1.2 or newer.")] = (
        "docker.io/library/registry:3.1.2"
    )
    replicas: Annotated[int, Field(ge=1, le=20, description="Number of pods per upstream; several need ttl: 0.")] = 1
    ttl: Annotated[
        Duration,
        Field(description="Age at which a cached object is dropped, counted from its first pull; 0 keeps all."),
    ] = timedelta(days=7)

    manifest_cache: Annotated[
        ManifestCache, Field(description="nginx in the registry's pod, which answers for manifests that it has seen.")
    ] = ManifestCache()

    @model_validator(mode="after")
    def _check_ttl(self) -> Self:
        if self.replicas > 1 and self.ttl:
            raise ValueError(
                "several replicas would overwrite each other's expiry schedule (scheduler-state.json in the bucket): "
                "set ttl: 0 with more than one replica, or replicas: 1"
            )
        return self


class Upstream(Section):
    """A registry that is mirrored."""

    name: Annotated[
        UpstreamName,
        Field(
            description="Name of the Helm release and Service, after the prefix regmirror-.", examples=["docker-hub"]
        ),
    ]
    url: Annotated[Url, Field(description="Registry API of the upstream.")] = DOCKER_HUB
    host: Annotated[
        Host | None,
        Field(
            description="Host that clients use; one upstream may leave it out and have the mirror's.",
            examples=["hub.example.com"],
        ),
    ] = None
    credentials: Annotated[Credentials | None, Field(description="Account at the upstream.")] = None
    anonymous_pull: Annotated[
        list[RepositoryPattern],
        Field(
            description="Repositories that everyone may pull; official images of Docker Hub are library/NAME.",
            examples=[["library/*", "acme/tool"]],
        ),
    ]
    probe_image: Annotated[
        str | None,
        Field(
            description="An image that verify pulls, such as library/alpine:3; must be allowed.",
            examples=["library/alpine:3"],
        ),
    ] = None

    @field_validator("anonymous_pull")
    @classmethod
    def _check_names(cls, patterns: list[str], info: ValidationInfo) -> list[str]:
        """On Docker Hub alone every name has a "/": registry.k8s.io/pause has none."""
        bare = [pattern for pattern in patterns if "/" not in pattern]
        if bare and info.data.get("url") == DOCKER_HUB:
            raise ValueError(
                f'"{bare[0]}" matches no repository, because every name on Docker Hub has a "/": write "{bare[0]}/*" '
                f'for a user or organisation, "library/{bare[0]}" for an official image'
            )
        return patterns


class CertificateIssuer(Section):
    """The cert-manager issuer of the public certificate."""

    name: Annotated[ObjectName, Field(description="Name of the issuer.", examples=["letsencrypt"])]
    kind: Annotated[
        Literal["ClusterIssuer", "Issuer"], Field(description="An Issuer is one of the mirror's own namespace.")
    ] = "ClusterIssuer"


class IngressComponent(Section):
    """The public entrance."""

    class_name: Annotated[
        ObjectName | None, Field(description="IngressClass; leave out for the cluster's default.", examples=["traefik"])
    ] = None
    annotations: Annotated[
        dict[QualifiedName, str],
        Field(
            description="Annotations of every Ingress, for its controller, external-dns and others.",
            examples=[{"external-dns.alpha.kubernetes.io/ttl": "60"}],
        ),
    ] = {}
    tls_secret: Annotated[
        ObjectName | None,
        Field(
            description="Secret with the public certificate; an upstream with a host of its "
            "own has NAME-UPSTREAM. null leaves the certificate to the Ingress controller."
        ),
    ] = "regmirror-tls"  # noqa: S105 - the name of a Secret
    issuer: Annotated[CertificateIssuer | None, Field(description="Have cert-manager fill tlsSecret.")] = None

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        if self.issuer and not self.tls_secret:
            raise ValueError("issuer has no Secret to fill: give tlsSecret a name, or leave issuer out")
        return self


class Mirror(Section):
    """The whole file."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of this file's format.")]
    kind: Annotated[Literal["Mirror"], Field(description="What the file describes.")]
    host: Annotated[Host, Field(description="Public host name of the mirror.", examples=["mirror.example.com"])]
    namespace: Annotated[Label, Field(description="Kubernetes namespace; created if missing.")] = "regmirror"
    storage: Annotated[S3Storage, Field(description="The bucket that keeps blobs and manifests.")]
    upstreams: Annotated[
        list[Upstream],
        # Each has a database of its own in Redis, which redis_config.py gives this many.
        Field(min_length=1, max_length=64, description="The registries that are mirrored."),
    ]
    registry: Annotated[RegistryComponent, Field(description="distribution's registry, one release per upstream.")] = (
        RegistryComponent()
    )
    auth: Annotated[AuthComponent, Field(description="docker_auth, which signs the tokens.")] = AuthComponent()
    redis: Annotated[RedisComponent, Field(description="The cache of blob descriptors.")] = RedisComponent()
    ingress: Annotated[IngressComponent, Field(description="The public entrance.")] = IngressComponent()

    def tls_secret_of(self, upstream: Upstream) -> str | None:
        """The Secret with the certificate of one upstream's host: two hosts in one would overwrite each other's."""
        name = self.ingress.tls_secret
        return f"{name}-{upstream.name}" if name and upstream.host else name

    def host_of(self, upstream: Upstream) -> str:
        """The public host of one upstream's mirror; also its ``service`` in tokens."""
        return upstream.host or self.host

    @model_validator(mode="after")
    def _check_upstreams(self) -> Self:
        for what, values in {
            "name": [upstream.name for upstream in self.upstreams],
            "host": [self.host_of(upstream) for upstream in self.upstreams],
        }.items():
            repeated = {value for value in values if values.count(value) > 1}
            if repeated:
                raise ValueError(f"two upstreams have the same {what}: {', '.join(sorted(repeated))}")
        return self
