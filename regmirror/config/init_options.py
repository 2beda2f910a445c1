"""The options of ``init``, and the problems that they have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from regmirror.config.egress import ProxyUrl
from regmirror.config.fields import (
    HTTPS_PORT,
    Bucket,
    Host,
    Image,
    Label,
    ProbeImage,
    RepositoryPattern,
    UpstreamName,
    UpstreamUrl,
    Url,
)
from regmirror.config.filesystem import VolumeSize
from regmirror.config.image_registry import ImageRegistry
from regmirror.config.images import DOCKER_HUB, pulled_image
from regmirror.config.kubernetes_fields import ObjectName
from regmirror.config.patterns import ANYTHING, matches
from regmirror.config.store_profiles import ProfileName, profile_of
from regmirror.config.validation_messages import value_problem

ReferenceDict = dict[str, str]
"""A secret reference as it is written in the file, such as {"env": "NAME"}."""
DOCKER_HUB_NAME = "docker-hub"
DEFAULT_PROBE_IMAGE = "library/alpine:3"
DEFAULT_VOLUME_SIZE = "100Gi"
DEFAULT_TLS_SECRET = "regmirror-tls"  # noqa: S105 - the name of a Secret
_HOST, _BUCKET, _ALLOW = "--host (or REGMIRROR_HOST)", "--bucket (or S3_BUCKET)", "--allow (or DOCKERHUB_ALLOWED)"
NODE_PORT = "NodePort"
SERVICE_TYPES = ("LoadBalancer", NODE_PORT)
DEFAULT_NODE_PORT = "30443"
IMAGES = ("registry", "auth", "redis", "front", "fetcher")


@dataclass(frozen=True, slots=True)
class AccountReference:
    """Where the two parts of an account are stored."""

    name: ReferenceDict
    password: ReferenceDict


@dataclass(frozen=True, slots=True)
class InitOptions:
    """Everything that ``init`` writes to the file; empty options are omitted from it."""

    host: str
    bucket: str
    region: str
    allowed: list[str]
    namespace: str = "regmirror"
    endpoint: str = ""
    profile: str = ""
    """The kind of the store, which knows the region."""
    volume_size: str = ""
    """Of the volume for the data, instead of a bucket."""
    create_bucket: bool = False
    access_key: AccountReference | None = None
    upstream_name: str = DOCKER_HUB_NAME
    upstream_url: str = DOCKER_HUB
    credentials: AccountReference | None = None
    redis_password: ReferenceDict | None = None
    https_proxy: str | ReferenceDict = ""
    insecure: bool = False
    """Accept http:// for the endpoint and the upstream."""
    probe_image: str = ""
    port: int = HTTPS_PORT
    service: str = ""
    """The type of the Service that exposes the mirror; empty for an Ingress."""
    class_name: str = ""
    gateway: str = ""
    """NAMESPACE/NAME, or NAMESPACE/NAME/LISTENER."""
    issuer: str = ""
    tls_secret: str = ""
    self_signed: bool = False
    """Let deploy issue the certificate with a CA of its own."""
    image_registry: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    """By component, the names of IMAGES."""

    @property
    def has_certificate(self) -> bool:
        """Whether the options say where the TLS certificate comes from."""
        return bool(self.issuer or self.tls_secret or self.self_signed)

    def context(self) -> dict[str, Any]:
        """The variables of the template regmirror.yaml.j2."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        fields["insecure_store"] = self.insecure and self.endpoint.startswith("http:")
        fields["insecure_upstream"] = self.insecure and self.upstream_url.startswith("http:")
        keys = ("namespace", "name", "sectionName")
        fields["gateway"] = dict(zip(keys, self.gateway.split("/"), strict=False)) if self.gateway else None
        fields["images"] = {name.replace("-", "_"): self.images.get(name, "") for name in IMAGES}
        return fields


def missing_options(options: InitOptions) -> list[str]:
    """The names of the options that the file cannot do without."""
    required = {_HOST: options.host, _BUCKET: options.bucket or options.volume_size, _ALLOW: options.allowed}
    return [name for name, value in required.items() if not value]


def invalid_options(options: InitOptions) -> list[str]:
    """The options that are set and invalid: the name and the reason of each."""
    invalid = [
        f"{name}: {problem}"
        for name, value, kind in _typed(options)
        if value and (problem := value_problem(kind, value))
    ]
    if options.gateway and (problem := _gateway_problem(options)):
        invalid.append(f"--gateway: {problem}")
    invalid += [f"{name}: {problem}" for name, problem in _useless(options)]
    if options.service == NODE_PORT and options.port == HTTPS_PORT:
        invalid.append("--service: the type NodePort also requires --port, such as 30443, the port of the nodes")
    if options.volume_size and options.bucket:
        invalid.append(f"--volume-size: cannot be combined with {_BUCKET}")
    if options.probe_image and options.allowed and (problem := probe_problem(options.probe_image, options.allowed)):
        invalid.append(f"--probe-image: {problem}")
    if options.self_signed and options.issuer:
        invalid.append("--self-signed: cannot be combined with --issuer")
    return invalid


def _useless(options: InitOptions) -> Iterator[tuple[str, str]]:
    """The options that another one makes useless, and what to do."""
    if options.service:
        for name, value in {"--ingress-class": options.class_name, "--gateway": options.gateway}.items():
            if value:
                yield name, "has no effect with --service: remove one of them"
    if options.volume_size:
        bucket = {
            "--endpoint (or S3_ENDPOINT)": options.endpoint,
            "--storage-profile": options.profile,
            "--create-bucket": options.create_bucket,
        }
        for name in (name for name, value in bucket.items() if value):
            yield name, "has no effect with --volume-size: remove one of them"


def _typed(options: InitOptions) -> Iterator[tuple[str, str, Any]]:
    yield _HOST, options.host, Host
    yield _BUCKET, options.bucket, Bucket
    yield from ((_ALLOW, pattern, RepositoryPattern) for pattern in options.allowed)
    yield "--endpoint (or S3_ENDPOINT)", options.endpoint, Url
    yield "--storage-profile", options.profile, ProfileName
    yield "--volume-size", options.volume_size, VolumeSize
    yield "--upstream", options.upstream_url, UpstreamUrl
    yield "--upstream-name", options.upstream_name, UpstreamName
    if isinstance(options.https_proxy, str):
        yield "--https-proxy", options.https_proxy, ProxyUrl
    yield "--namespace", options.namespace, Label
    yield "--ingress-class", options.class_name, ObjectName
    yield "--issuer", options.issuer, ObjectName
    yield "--tls-secret", options.tls_secret, ObjectName
    yield "--image-registry", options.image_registry, ImageRegistry
    yield from ((f"--{component}-image", image, Image) for component, image in options.images.items())


def _gateway_problem(options: InitOptions) -> str | None:
    parts = options.gateway.split("/")
    if len(parts) not in {2, 3} or any(value_problem(ObjectName, part) for part in parts):
        return f'"{options.gateway}" is not the name of a Gateway: write NAMESPACE/NAME or NAMESPACE/NAME/LISTENER'
    others = {
        "--ingress-class": options.class_name,
        "--issuer": options.issuer,
        "--tls-secret": options.tls_secret,
        "--self-signed": options.self_signed,
    }
    useless = [name for name, value in others.items() if value]
    return f"remove {useless[0]}: a Gateway has no class and its own certificate" if useless else None


def probe_problem(image: str, allowed: list[str]) -> str | None:
    """Why verify could not pull an image: its name is invalid, or clients may not pull it."""
    if problem := value_problem(ProbeImage, image):
        return problem
    repository, _ = pulled_image(image)
    if any(matches(pattern, repository) for pattern in allowed):
        return None
    return f"{repository} does not match {', '.join(allowed)}, which clients may pull"


def completed(options: InitOptions, region: str) -> InitOptions:
    """The options with defaults for those that are not set; ``region`` is the default region."""
    # The name that the file will have: Docker Hub has many.
    url = TypeAdapter(UpstreamUrl).validate_python(options.upstream_url)
    profile = options.profile or profile_of(options.endpoint) or ""
    return replace(
        options,
        upstream_url=url,
        profile=profile,
        # A profile but that of Amazon S3 knows the region.
        region=options.region or ("" if profile not in {"", "aws"} else region),
        tls_secret=options.tls_secret or DEFAULT_TLS_SECRET,
        probe_image=options.probe_image or default_probe_image(url, options.allowed),
    )


def default_probe_image(upstream_url: str, allowed: list[str]) -> str:
    """The image that verify pulls if none is chosen; empty if the upstream may lack it, or clients may not pull it."""
    is_pulled = upstream_url == DOCKER_HUB and probe_problem(DEFAULT_PROBE_IMAGE, allowed) is None
    return DEFAULT_PROBE_IMAGE if is_pulled else ""


def is_docker_hub(url: str) -> bool:
    """Whether a URL is one of the names of Docker Hub."""
    return value_problem(UpstreamUrl, url) is None and TypeAdapter(UpstreamUrl).validate_python(url) == DOCKER_HUB


def upstream_name(url: str) -> str:
    """The name of an upstream, after its host: ``docker-hub``, ``ghcr-io``."""
    if value_problem(UpstreamUrl, url) or is_docker_hub(url):
        return DOCKER_HUB_NAME
    name = str(urlsplit(url).hostname).replace(".", "-")
    return "upstream" if value_problem(UpstreamName, name) else name


def endpoint_url(text: str) -> str:
    """The URL of an S3 endpoint; a host name such as s3.example.com gets the scheme https."""
    is_host = "://" not in text and ("." in text or ":" in text)
    return f"https://{text}" if is_host else text


def allowed_patterns(text: str, upstream_url: str = DOCKER_HUB) -> list[str]:
    """Parse names separated by commas, as in DOCKERHUB_ALLOWED; a name without a slash means the whole namespace.

    Other registries than Docker Hub have namespaces within namespaces.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    below = "*" if upstream_url == DOCKER_HUB else ANYTHING
    return [entry if "/" in entry or entry == ANYTHING else f"{entry}/{below}" for entry in entries]
