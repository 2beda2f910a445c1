"""The model of the configuration file regmirror.yaml: every key with its meaning, default and limits."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from regmirror.config.certificates import (
    CLUSTER_ISSUER_ANNOTATION,
    NamedIssuer,
    cert_manager_annotation,
    issuer_of_annotations,
)
from regmirror.config.components import AuthComponent, FetcherComponent, FrontComponent, RedisComponent
from regmirror.config.egress import Egress
from regmirror.config.fields import Host, Label
from regmirror.config.find_references import find_references
from regmirror.config.image_registry import ImageRegistry, relocated_sections
from regmirror.config.images import DOCKER_HUB
from regmirror.config.ingress import IngressComponent
from regmirror.config.key_paths import KeyPath
from regmirror.config.network_policies import NetworkPolicies
from regmirror.config.overrides import Overrides, protected_value
from regmirror.config.pod_settings import PodSettings
from regmirror.config.problem import error_at
from regmirror.config.registry import ManifestCache, RegistryComponent
from regmirror.config.secret_names import CA_SECRET, NEXT_SIGNING_SECRET, deployed_secrets
from regmirror.config.secret_references import ClusterReference
from regmirror.config.section import Section
from regmirror.config.storage import S3Storage
from regmirror.config.upstream import Upstream

__all__ = [
    "API_VERSION",
    "DOCKER_HUB",
    "AuthComponent",
    "ManifestCache",
    "Mirror",
    "PodSettings",
    "S3Storage",
    "Section",
    "Upstream",
    "realm_url",
]

API_VERSION: Final = "regmirror.dev/v1alpha1"
Part = Literal["redis", "auth"]
"""A part of the mirror that may exist already."""
PARTS: Final[tuple[Part, ...]] = ("redis", "auth")


HTTPS_PORT: Final = 443


def realm_url(endpoint: str) -> str:
    """The URL at which clients of a public endpoint, ``HOST`` or ``HOST:PORT``, request tokens."""
    return f"https://{endpoint}/auth"


class Mirror(Section):
    """The configuration of a mirror."""

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

    def _own_secrets(self) -> set[str]:
        return {*deployed_secrets(upstream.name for upstream in self.upstreams), NEXT_SIGNING_SECRET, CA_SECRET}

    @model_validator(mode="after")
    def _check_references(self) -> Self:
        """deploy writes to these Secrets what it finds with the references."""
        own = self._own_secrets()
        for path, reference in find_references(self):
            if isinstance(reference, ClusterReference) and reference.secret.name in own:
                name = reference.secret.name
                message = f"the Secret {name} is one of the mirror's own: store it in a Secret of another name"
                raise error_at((*path, "secret", "name"), message)
        return self

    @model_validator(mode="after")
    def _check_tls_secrets(self) -> Self:
        """cert-manager and people write to these Secrets: the keys of the mirror must not be in one of them."""
        own = self._own_secrets()
        for index, upstream in enumerate(self.upstreams):
            name = self.tls_secret_of(upstream)
            if name in own:
                place = ("upstreams", index, "tlsSecret") if upstream.tls_secret else ("ingress", "tlsSecret")
                host = f" for the host of upstream {upstream.name}" if upstream.host and not upstream.tls_secret else ""
                message = f"the Secret {name}{host} is one of the mirror's own: choose another name"
                raise error_at(place, message)
        return self

    @model_validator(mode="after")
    def _check_certificate_source(self) -> Self:
        """Two writers of one TLS Secret would replace each other's certificate forever."""
        named = (cert_manager_annotation(self.annotations_of(upstream)) for upstream in self.upstreams)
        annotation = next(filter(None, named), None)
        if annotation and self.ingress.issuer:
            raise error_at(
                ("ingress", "issuer"),
                f"cannot be combined with the annotation {annotation}: deploy creates the Certificates of this issuer "
                f"itself. Remove the annotation, or name the issuer by annotations only ({CLUSTER_ISSUER_ANNOTATION})",
            )
        if annotation and self.ingress.self_signed:
            raise error_at(("ingress", "selfSigned"), f"cannot be combined with the annotation {annotation}")
        return self

    @model_validator(mode="after")
    def _check_service_account(self) -> Self:
        account = self.registry.service_account
        if account and account.create and account.name and len(self.upstreams) > 1:
            message = "remove it: with create, the registry of each upstream has a ServiceAccount of its own"
            raise error_at(("registry", "serviceAccount", "name"), message)
        return self

    @model_validator(mode="after")
    def _check_volume(self) -> Self:
        filesystem = self.storage.filesystem
        if filesystem and not filesystem.is_shared_by_nodes and self.registry.most_replicas > 1:
            message = "must be ReadWriteMany for more than one replica of the registry, on storage that offers it"
            raise error_at(("storage", "filesystem", "accessMode"), message)
        return self

    @model_validator(mode="after")
    def _check_node_port(self) -> Self:
        service = self.ingress.service
        if service and service.type == "NodePort" and not service.node_port and self.port == HTTPS_PORT:
            message = (
                "the type NodePort opens a port of the nodes, which is not 443: set port to the port of the nodes, "
                "such as 30443, or set nodePort if something forwards port 443 to it"
            )
            raise error_at(("ingress", "service", "nodePort"), message)
        return self

    @model_validator(mode="after")
    def _check_peers(self) -> Self:
        policies = self.network_policies
        if policies.enabled and not (policies.ingress_from or self.ingress.service):
            message = "name the pods or networks of the Ingress controller: nobody else could pull"
            raise error_at(("networkPolicies", "ingressFrom"), message)
        return self

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

    @model_validator(mode="after")
    def _check_loops(self) -> Self:
        own = [self.url_of(upstream) for upstream in self.upstreams]
        for index, upstream in enumerate(self.upstreams):
            if upstream.url in own:
                message = f"{upstream.url} is this mirror itself: set the URL of the registry to mirror"
                raise error_at(("upstreams", index, "url"), message)
        return self

    @model_validator(mode="after")
    def _check_overrides(self) -> Self:
        charts = {"redis": self.redis.chart, "auth": self.auth.chart}
        flavors = {component: chart.flavor for component, chart in charts.items() if chart}
        layers: list[tuple[KeyPath, str, dict[str, Any]]] = [
            (("overrides", component), flavors.get(component, component), values)
            for component, values in self.overrides
        ]
        for index, upstream in enumerate(self.upstreams):
            layers.append((("upstreams", index, "overrides"), "registry", upstream.overrides))
        for path, chart, values in layers:
            if found := protected_value(chart, values):
                key, reason = found
                raise error_at((*path, *key.split(".")), f"this value cannot be overridden: {reason}")
        return self

    @model_validator(mode="after")
    def _check_databases(self) -> Self:
        external = self.redis.external
        if external and external.is_cluster and len(self.upstreams) > 1:
            message = (
                "a Redis Cluster has a single database, and upstreams cannot share one: name one address, or sentinel, "
                "or remove redis.external"
            )
            raise error_at(("redis", "external", "addresses"), message)
        return self

    @model_validator(mode="after")
    def _check_service(self) -> Self:
        external = self.auth.external
        if external and external.service and len(self.upstreams) > 1:
            message = (
                "a token for one upstream would grant rights on another: remove service, and let docker_auth issue "
                f"tokens for {', '.join(self.host_of(upstream) for upstream in self.upstreams)}"
            )
            raise error_at(("auth", "external", "service"), message)
        return self
