"""The section ``overrides`` of the configuration file: Helm values that are merged over those of regmirror."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from regmirror.config.section import Section

_OWN: Final = "other parts of the mirror rely on the value that regmirror sets"
_CONTENT: Final = {"config": _OWN, "secretVersions": _OWN}
_NAMES: Final = {"nameOverride": _OWN, "fullnameOverride": _OWN}
_PROTECTED: Final[Mapping[str, Mapping[str, str]]] = {
    "redis": {**_CONTENT, "image": "set redis.image instead"},
    "auth": {
        **_CONTENT,
        "signing": _OWN,
        "image": "set auth.image instead",
        "front.image": "set front.image instead",
        "metrics.enabled": "set monitoring.metrics instead",
        "metrics.image": "set fetcher.image instead",
        "replicas": "set auth.replicas instead",
    },
    "registry": {
        **_CONTENT,
        "bundle": _OWN,
        "upstream": _OWN,
        "image": "set registry.image instead",
        "front.image": "set front.image instead",
        "metrics.enabled": "set monitoring.metrics instead",
        "metrics.image": "set fetcher.image instead",
        "fetcher.image": "set fetcher.image instead",
        "replicas": "set registry.replicas instead",
    },
    "ingress": {"hosts": _OWN, "authService": _OWN, "authPort": _OWN},
    "valkey": {
        **_NAMES,
        "image": "set redis.image instead",
        "valkeyConfig": _OWN,
        "extraValkeySecrets": _OWN,
        "auth": _OWN,
        "replica": "regmirror uses a single Redis without a volume",
        "service.port": _OWN,
        "tls": "regmirror's registries connect to it without TLS",
    },
    "cesanta": {
        **_NAMES,
        "image": "set auth.image instead",
        "replicaCount": "set auth.replicas instead",
        "configmap": _OWN,
        "secret": _OWN,
        "service.port": _OWN,
        "service.targetPort": _OWN,
        "ingress": _OWN,
    },
}
"""By chart, or by flavor of a chart of others: the values that cannot be overridden, and why, or what to do instead."""


def _values(value: object) -> object:
    """A mapping as Helm takes it: text as keys, and values that JSON has."""
    if not isinstance(value, dict):
        raise ValueError("expected a mapping of Helm values")
    _check(value, ())
    return value


def _check(value: object, path: tuple[str, ...]) -> None:
    where = ".".join(path)
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"the key {key} {f'of {where} ' if where else ''}is not text: put it in quotes")
            _check(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            _check(inner, path)
    elif not isinstance(value, str | bool | int | float | None):
        raise ValueError(f"{where} is a {type(value).__name__}, which Helm does not read: put it in quotes")


HelmValues = Annotated[dict[str, Any], BeforeValidator(_values), WithJsonSchema({"type": "object"})]
_EXAMPLE: Final = [{"podAnnotations": {"example.com/team": "platform"}}]


class Overrides(Section):
    """Helm values that are merged over those of regmirror: mappings key by key, lists and other values as a whole."""

    redis: Annotated[HelmValues, Field(description="Values of the chart of Redis.", examples=_EXAMPLE)] = {}  # noqa: RUF012
    auth: Annotated[HelmValues, Field(description="Values of the chart of docker_auth.", examples=_EXAMPLE)] = {}  # noqa: RUF012
    registry: Annotated[
        HelmValues, Field(description="Values of the chart of the registry, for every upstream.", examples=_EXAMPLE)
    ] = {}  # noqa: RUF012 - Pydantic copies it
    ingress: Annotated[
        HelmValues, Field(description="Values of the chart of the Ingress.", examples=[{"annotations": {"note": "a"}}])
    ] = {}  # noqa: RUF012 - Pydantic copies it


def protected_value(chart: str, values: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first value that cannot be overridden, and the reason; None if all can be."""
    for path, reason in _PROTECTED[chart].items():
        inner: object = values
        for key in path.split("."):
            if not isinstance(inner, Mapping) or key not in inner:
                break
            inner = inner[key]
        else:
            return path, reason
    return _registry_variable(values) if chart == "registry" else None


def _registry_variable(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """The registry reads every variable REGISTRY_... as configuration."""
    variables = values.get("extraEnv")
    for variable in variables if isinstance(variables, list) else ():
        name = str(variable.get("name", "")) if isinstance(variable, Mapping) else ""
        if name.startswith("REGISTRY_"):
            return "extraEnv", f"the variable {name} would change the configuration of the registry"
    return None
