"""The sections ``auth``, ``redis``, ``front`` and ``fetcher`` of the configuration file."""

from datetime import timedelta
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from regmirror.config.chart import AuthChart, RedisChart
from regmirror.config.external_auth import ExternalAuth
from regmirror.config.external_redis import ExternalRedis
from regmirror.config.fields import Duration, Image, MemorySize, image_parts
from regmirror.config.pod_settings import ContainerSettings, PodSettings
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


class FetcherComponent(ContainerSettings):
    """The program in the registry's pod that fetches what the front lacks, once for all clients that wait.

    The program that shows metrics has the same image.
    """

    image: Annotated[Image, Field(description="Image of Python 3.11 or later, with a tag, a digest, or both.")] = (
        "docker.io/library/python:3.14-alpine"
    )
