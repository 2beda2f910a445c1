"""The section ``upstreams`` of the configuration file."""

from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from regmirror.config.access import AccessRule
from regmirror.config.access_decision import refusal
from regmirror.config.ca_bundle import CaBundle
from regmirror.config.encryption import useless_insecure
from regmirror.config.fields import Host, ProbeImage, RepositoryPattern, UpstreamName, UpstreamUrl
from regmirror.config.images import DOCKER_HUB, DOCKER_IO, pulled_image
from regmirror.config.kubernetes_fields import ObjectName, QualifiedName
from regmirror.config.overrides import HelmValues
from regmirror.config.patterns import ANYTHING
from regmirror.config.problem import error_at
from regmirror.config.secret_references import ClusterReference, SecretReference
from regmirror.config.section import Section

_NOTHING_ALLOWED: Final = (
    "required key is missing: list what everyone may pull, or set rules to allow only some clients to pull"
)
_DOCKER_FILES: Final = {".dockerconfigjson", ".dockercfg", "config.json"}


def _bare_name_problem(patterns: list[str], url: object) -> str | None:
    """Docker Hub is the only registry where every name has a "/": registry.k8s.io/pause has none."""
    bare = [pattern for pattern in patterns if "/" not in pattern and pattern != ANYTHING]
    if not bare or url != DOCKER_HUB:
        return None
    if bare[0] == "*":
        return '"*" matches no repository, because every name on Docker Hub has a "/": write "**"'
    return (
        f'"{bare[0]}" matches no repository, because every name on Docker Hub has a "/": write "{bare[0]}/*" '
        f'for a user or organization, "library/{bare[0]}" for an official image'
    )


class Credentials(Section):
    """The mirror's account at the upstream, which raises rate limits. Use one that is a member of nothing.

    If both keys refer to Kubernetes Secrets, the registry reads these Secrets itself and follows their changes.
    """

    username: Annotated[
        SecretReference, Field(description="Where the user name is stored.", examples=[{"env": "DOCKERHUB_USERNAME"}])
    ]
    password: Annotated[
        SecretReference,
        Field(
            description="Where the password or access token is stored.", examples=[{"env": "DOCKERHUB_ACCESS_TOKEN"}]
        ),
    ]

    @model_validator(mode="after")
    def _check_keys(self) -> Self:
        for name, reference in (("username", self.username), ("password", self.password)):
            if isinstance(reference, ClusterReference) and reference.secret.key in _DOCKER_FILES:
                message = f"{reference.secret.key} is a whole file of Docker: name a key that holds the {name} only"
                raise error_at((name, "secret", "key"), message)
        return self

    @property
    def follows_secrets(self) -> bool:
        """Whether the pods mount the Secrets that the file refers to, so that a renewed password needs no deploy."""
        return isinstance(self.username, ClusterReference) and isinstance(self.password, ClusterReference)


class Upstream(Section):
    """A registry to mirror."""

    name: Annotated[
        UpstreamName,
        Field(
            description="Name of the upstream. Its Helm release, Deployment and Service are named regmirror-NAME.",
            examples=["docker-hub"],
        ),
    ]
    url: Annotated[UpstreamUrl, Field(description="URL of the upstream's registry API.")] = DOCKER_HUB
    ca_bundle: Annotated[
        CaBundle | None,
        Field(
            description="Certificates of the upstream's private CA, trusted in addition to the public CAs.",
            examples=[{"configMap": {"name": "company-ca", "key": "ca.crt"}}],
        ),
    ] = None
    insecure: Annotated[bool, Field(description="Accept http:// for url outside the cluster without a warning.")] = (
        False
    )
    host: Annotated[
        Host | None,
        Field(
            description="Public host name of this upstream. Default: the host of the mirror; one upstream may use it.",
            examples=["hub.example.com"],
        ),
    ] = None
    credentials: Annotated[
        Credentials | None,
        Field(
            description="Account at the upstream. Omit for anonymous pulls. If both keys refer to Kubernetes Secrets, "
            "the registry follows their changes; otherwise deploy copies the account. Everyone can pull what the "
            "account can read and anonymousPull allows, private repositories included: use an account that is a member "
            "of nothing."
        ),
    ] = None
    anonymous_pull: Annotated[
        list[RepositoryPattern],
        Field(
            description="Repositories that everyone may pull; all others are denied. "
            "Official images of Docker Hub are library/NAME. * and ? do not match a /, ** matches any number of parts: "
            "acme/** is everything below acme. With credentials, a wildcard includes private repositories that the "
            "account can read. May be omitted if rules allow something.",
            examples=[["library/*", "acme/tool"]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    deny: Annotated[
        list[RepositoryPattern],
        Field(
            description="Repositories that nobody may pull, even if anonymousPull allows them.",
            examples=[["acme/internal-*"]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    rules: Annotated[
        list[AccessRule],
        Field(
            description="Rules for some clients: accounts, groups, networks. The first rule that matches decides; they "
            "come after deny and before anonymousPull.",
            examples=[[{"allow": ["acme/private-*"], "groups": ["platform"]}]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    tls_secret: Annotated[
        ObjectName | None,
        Field(
            description="Secret with the TLS certificate of this upstream's host. Upstreams whose hosts have one "
            "certificate, such as a wildcard, can share a Secret. Default: derived from ingress.tlsSecret.",
            examples=["wildcard-tls"],
        ),
    ] = None
    annotations: Annotated[
        dict[QualifiedName, str],
        Field(
            description="Annotations of this upstream's Ingress or HTTPRoute. They win over ingress.annotations.",
            examples=[{"external-dns.kubernetes.io/target": "lb.example.com"}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it
    probe_image: Annotated[
        ProbeImage | None,
        Field(
            description="Image that regmirror verify pulls. It must match anonymousPull, and not deny.",
            examples=["library/alpine:3"],
        ),
    ] = None

    overrides: Annotated[
        HelmValues,
        Field(
            description="Helm values of this upstream's registry, merged over overrides.registry.",
            examples=[{"podAnnotations": {"example.com/team": "quay"}}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it

    @property
    def registry_name(self) -> str:
        """The registry in image names, derived from the URL: docker.io, quay.io."""
        return DOCKER_IO if self.url == DOCKER_HUB else urlsplit(self.url).netloc

    @field_validator("anonymous_pull", "deny")
    @classmethod
    def _check_names(cls, patterns: list[str], info: ValidationInfo) -> list[str]:
        if problem := _bare_name_problem(patterns, info.data.get("url")):
            raise ValueError(problem)
        return patterns

    @property
    def uses_client_addresses(self) -> bool:
        """Whether a rule is about the network of the client."""
        return any(rule.from_ for rule in self.rules)

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        if "anonymous_pull" not in self.model_fields_set and not self.rules:
            raise error_at(("anonymousPull",), _NOTHING_ALLOWED)
        for index, rule in enumerate(self.rules):
            if problem := _bare_name_problem(rule.patterns, self.url):
                raise error_at(("rules", index, rule.verb), problem)
        return self

    @model_validator(mode="after")
    def _check_insecure(self) -> Self:
        if self.insecure and (problem := useless_insecure(self.url)):
            raise error_at(("insecure",), problem)
        return self

    @model_validator(mode="after")
    def _check_ca_bundle(self) -> Self:
        if self.ca_bundle and self.url.startswith("http:"):
            raise error_at(("caBundle",), "has no effect with an http:// url")
        return self

    @model_validator(mode="after")
    def _check_probe_image(self) -> Self:
        if self.probe_image:
            repository, _ = pulled_image(self.probe_image)
            if problem := refusal(self, repository):
                raise error_at(("probeImage",), problem)
        return self
