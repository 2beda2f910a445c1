"""The options of ``init``, and the problems that they have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from regmirror.config.egress import ProxyUrl
from regmirror.config.fields import Bucket, Host, Image, Label, ProbeImage, RepositoryPattern, UpstreamUrl, Url
from regmirror.config.images import DOCKER_HUB, matches, pulled_image
from regmirror.config.kubernetes_fields import ObjectName
from regmirror.config.validation_messages import value_problem

ReferenceDict = dict[str, str]
"""A secret reference as it is written in the file, such as {"env": "NAME"}."""
DEFAULT_PROBE_IMAGE = "library/alpine:3"
DEFAULT_TLS_SECRET = "regmirror-tls"  # noqa: S105 - the name of a Secret
_HOST, _BUCKET, _ALLOW = "--host (or REGMIRROR_HOST)", "--bucket (or S3_BUCKET)", "--allow (or DOCKERHUB_ALLOWED)"
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
    create_bucket: bool = False
    access_key: AccountReference | None = None
    upstream_name: str = "docker-hub"
    upstream_url: str = DOCKER_HUB
    credentials: AccountReference | None = None
    redis_password: ReferenceDict | None = None
    https_proxy: str | ReferenceDict = ""
    insecure: bool = False
    """Accept http:// for the endpoint and the upstream."""
    probe_image: str = ""
    class_name: str = ""
    issuer: str = ""
    tls_secret: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    """By component, the names of IMAGES."""

    def context(self) -> dict[str, Any]:
        """The variables of the template regmirror.yaml.j2."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        fields["insecure_store"] = self.insecure and self.endpoint.startswith("http:")
        fields["insecure_upstream"] = self.insecure and self.upstream_url.startswith("http:")
        fields["images"] = {name.replace("-", "_"): self.images.get(name, "") for name in IMAGES}
        return fields


def missing_options(options: InitOptions) -> list[str]:
    """The names of the options that the file cannot do without."""
    required = {_HOST: options.host, _BUCKET: options.bucket, _ALLOW: options.allowed}
    return [name for name, value in required.items() if not value]


def invalid_options(options: InitOptions) -> list[str]:
    """The options that are set and invalid: the name and the reason of each."""
    invalid = [
        f"{name}: {problem}"
        for name, value, kind in _typed(options)
        if value and (problem := value_problem(kind, value))
    ]
    if options.probe_image and options.allowed and (problem := probe_problem(options.probe_image, options.allowed)):
        invalid.append(f"--probe-image: {problem}")
    return invalid


def _typed(options: InitOptions) -> Iterator[tuple[str, str, Any]]:
    yield _HOST, options.host, Host
    yield _BUCKET, options.bucket, Bucket
    yield from ((_ALLOW, pattern, RepositoryPattern) for pattern in options.allowed)
    yield "--endpoint (or S3_ENDPOINT)", options.endpoint, Url
    yield "--upstream", options.upstream_url, UpstreamUrl
    if isinstance(options.https_proxy, str):
        yield "--https-proxy", options.https_proxy, ProxyUrl
    yield "--namespace", options.namespace, Label
    yield "--ingress-class", options.class_name, ObjectName
    yield "--issuer", options.issuer, ObjectName
    yield "--tls-secret", options.tls_secret, ObjectName
    yield from ((f"--{component}-image", image, Image) for component, image in options.images.items())


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
    return replace(
        options,
        upstream_url=url,
        region=options.region or region,
        tls_secret=options.tls_secret or DEFAULT_TLS_SECRET,
        probe_image=options.probe_image or default_probe_image(url, options.allowed),
    )


def default_probe_image(upstream_url: str, allowed: list[str]) -> str:
    """The image that verify pulls if none is chosen; empty if the upstream may lack it, or clients may not pull it."""
    is_pulled = upstream_url == DOCKER_HUB and probe_problem(DEFAULT_PROBE_IMAGE, allowed) is None
    return DEFAULT_PROBE_IMAGE if is_pulled else ""


def endpoint_url(text: str) -> str:
    """The URL of an S3 endpoint; a host name such as s3.example.com gets the scheme https."""
    is_host = "://" not in text and ("." in text or ":" in text)
    return f"https://{text}" if is_host else text


def allowed_patterns(text: str) -> list[str]:
    """Parse DOCKERHUB_ALLOWED: names separated by commas; a name without a slash means the whole namespace."""
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return [entry if "/" in entry else f"{entry}/*" for entry in entries]
