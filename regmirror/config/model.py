"""The configuration file regmirror.yaml, as a model: every key, its meaning, its default and its limits."""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from regmirror.config.fields import Duration, Host, Image, Label, RepositoryPattern, Url
from regmirror.config.secret_references import SecretReference

API_VERSION = "regmirror.dev/v1alpha1"
DOCKER_HUB = "https://registry-1.docker.io"


class Section(BaseModel):
    """A part of the file: keys in camelCase, unknown ones refused, nothing changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Credentials(Section):
    """A user name and a password, both by reference."""

    username: SecretReference
    password: SecretReference


class AccessKey(Section):
    """The S3 access key, both parts by reference."""

    id: SecretReference
    secret: SecretReference


class S3Storage(Section):
    """The bucket that keeps blobs and manifests."""

    bucket: Annotated[str, Field(min_length=3, max_length=63, description="Name of the bucket.")]
    region: Annotated[str, Field(min_length=1, description="Region of the bucket; other stores accept any word.")]
    endpoint: Annotated[Url | None, Field(description="URL of an S3-compatible store; leave out for AWS.")] = None
    path_style: Annotated[
        bool | None, Field(description="Bucket in the path, not in the host name; by default true with an endpoint.")
    ] = None
    access_key: Annotated[
        AccessKey | None, Field(description="Leave out where the pods get their rights from the cloud (IRSA, roles).")
    ] = None
    create_bucket: Annotated[bool, Field(description="Create the bucket if it is missing.")] = False
    redirect: Annotated[
        bool, Field(description="Send clients to the store for blobs; they must be able to reach the endpoint.")
    ] = False
    prefix: Annotated[
        str, Field(pattern=r"^(/?[\w.-]+)*/?$", description="Path within the bucket that belongs to the mirror.")
    ] = ""

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
        dict[str, dict[str, str | int | float]] | None, Field(description="Requests and limits; replaces the defaults.")
    ] = None
    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    image_pull_secrets: Annotated[list[str], Field(description="Names of Secrets for pulling the image.")] = []


class RedisComponent(Workload):
    """The cache of blob descriptors; disposable."""

    image: Image = "docker.io/valkey/valkey:9.1.1-alpine"
    password: Annotated[
        SecretReference | None, Field(description="Leave out to have one generated once and kept in the cluster.")
    ] = None
    max_memory: Annotated[str, Field(pattern=r"^\d+(kb|mb|gb)$", description="Where the oldest entries go.")] = "128mb"


class AuthComponent(Workload):
    """docker_auth, which signs the tokens."""

    image: Image = "docker.io/cesanta/docker_auth:1.14.0"
    replicas: Annotated[int, Field(ge=1, le=20)] = 1
    issuer: Annotated[str, Field(min_length=1, description="Name of the issuer in every token.")] = "regmirror"
    token_lifetime: Annotated[Duration, Field(description="How long a token is valid: 1m to 1h.")] = timedelta(
        minutes=5
    )
    key_size: Annotated[Literal[2048, 3072, 4096], Field(description="Bits of the RSA signing key.")] = 4096
    certificate_days: Annotated[int, Field(ge=1, le=10000, description="Validity of the certificate.")] = 1825

    @model_validator(mode="after")
    def _check_lifetime(self) -> Self:
        if not timedelta(minutes=1) <= self.token_lifetime <= timedelta(hours=1):
            raise ValueError(
                "tokenLifetime must be from 1m (older clients assume a minute) to 1h (no token is revocable)"
            )
        return self


class RegistryComponent(Workload):
    """distribution's registry, one release per upstream."""

    image: Image = "docker.io/library/registry:3.1.2"
    replicas: Annotated[int, Field(ge=1, le=20)] = 1
    ttl: Annotated[
        Duration,
        Field(description="Age at which a cached object is dropped, counted from its first pull; 0 keeps all."),
    ] = timedelta(days=7)

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

    name: Annotated[Label, Field(description="Name of the Helm release and Service, after the prefix regmirror-.")]
    url: Annotated[Url, Field(description="Registry API of the upstream.")] = DOCKER_HUB
    host: Annotated[Host | None, Field(description="Host that clients use; the first upstream has the mirror's.")] = (
        None
    )
    credentials: Annotated[Credentials | None, Field(description="Account at the upstream.")] = None
    anonymous_pull: Annotated[
        list[RepositoryPattern],
        Field(description="Repositories that everyone may pull; official images are library/NAME."),
    ]
    probe_image: Annotated[
        str | None, Field(description="An image that verify pulls, such as library/alpine:3; must be allowed.")
    ] = None


class CertificateIssuer(Section):
    """The cert-manager issuer of the public certificate."""

    name: Annotated[str, Field(min_length=1)]
    kind: Literal["ClusterIssuer", "Issuer"] = "ClusterIssuer"


class IngressComponent(Section):
    """The public entrance."""

    class_name: Annotated[str | None, Field(description="IngressClass; leave out for the cluster's default.")] = None
    annotations: dict[str, str] = {}
    tls_secret: Annotated[
        str | None, Field(description="Secret with the public certificate; null leaves TLS to the Ingress controller.")
    ] = "regmirror-tls"  # noqa: S105 - the name of a Secret
    issuer: Annotated[CertificateIssuer | None, Field(description="Have cert-manager fill tlsSecret.")] = None


class Mirror(Section):
    """The whole file."""

    api_version: Literal["regmirror.dev/v1alpha1"]
    kind: Literal["Mirror"]
    host: Annotated[Host, Field(description="Public host name of the mirror.")]
    namespace: Annotated[Label, Field(description="Kubernetes namespace; created if missing.")] = "regmirror"
    storage: S3Storage
    upstreams: Annotated[list[Upstream], Field(min_length=1)]
    registry: RegistryComponent = RegistryComponent()
    auth: AuthComponent = AuthComponent()
    redis: RedisComponent = RedisComponent()
    ingress: IngressComponent = IngressComponent()

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
