"""The section ``ingress.gateway`` of the configuration file: a public endpoint through the Gateway API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from regmirror.config.fields import Duration
from regmirror.config.kubernetes_fields import checked_object_name
from regmirror.config.problem import error_at
from regmirror.config.section import Section

_PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
_HIGHEST_PORT = 65535


def _port(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _HIGHEST_PORT:
        raise ValueError(f"{value!r} is not a port from 1 to {_HIGHEST_PORT}")
    return value


_REFERENCE: dict[str, Callable[[object], str | int]] = {
    "name": checked_object_name,
    "namespace": checked_object_name,
    "sectionName": checked_object_name,
    "port": _port,
}


def _reference(value: object) -> dict[str, str | int]:
    if not isinstance(value, dict):
        raise ValueError("expected a mapping with the name of a Gateway, such as {name: public, namespace: gateways}")
    unknown = [str(key) for key in value if key not in _REFERENCE]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]}; a reference to a Gateway has {', '.join(_REFERENCE)}")
    if "name" not in value:
        raise ValueError("name is required: the name of a Gateway")
    for key, inner in value.items():
        try:
            _REFERENCE[key](inner)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None
    return value


GatewayReference = Annotated[
    dict[str, str | int],
    BeforeValidator(_reference),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {key: _PORT if key == "port" else {"type": "string"} for key in _REFERENCE},
            "required": ["name"],
            "additionalProperties": False,
        }
    ),
]
"""A Gateway, and optionally which of its listeners."""


class ListenerSet(Section):
    """Listeners of the mirror's own, with its certificates, which are added to a Gateway."""

    port: Annotated[
        int,
        Field(
            ge=1,
            le=_HIGHEST_PORT,
            description="Port of the listeners on the Gateway. Some controllers, such as Traefik, accept only the "
            "port that their own process listens on, which may differ from the public one.",
        ),
    ] = 443


class Gateway(Section):
    """The Gateways that route requests to the mirror."""

    parent_refs: Annotated[
        list[GatewayReference],
        Field(
            min_length=1,
            max_length=32,
            description="Gateways to attach the routes to, each with name, and optionally namespace, sectionName (the "
            "name of one listener) and port. Without sectionName, a route is attached to every listener that accepts "
            "its host, plain HTTP included.",
            examples=[[{"name": "public", "namespace": "gateways"}]],
        ),
    ]
    listener_set: Annotated[
        ListenerSet | None,
        Field(
            description="Add a ListenerSet with a listener and the certificate of each host (ingress.tlsSecret, "
            "ingress.issuer) to the Gateway, which must allow it with allowedListeners. Default: the certificate is "
            "that of the Gateway's own listener, and tlsSecret has no effect."
        ),
    ] = None
    request_timeout: Annotated[
        Duration | None,
        Field(
            description="How long a response may take. 0 removes the limit of the Gateway (Envoy: 15s), which would "
            "abort the first download of a large layer. null leaves it out, for Gateways that reject the field."
        ),
    ] = timedelta()

    @model_validator(mode="after")
    def _check_listener_set(self) -> Self:
        if self.listener_set is None:
            return self
        if len(self.parent_refs) > 1:
            raise error_at(("parentRefs",), "with listenerSet, name one Gateway: a ListenerSet has only one")
        for key in ("sectionName", "port"):
            if key in self.parent_refs[0]:
                raise error_at(("parentRefs", 0, key), "remove it: with listenerSet, the mirror has its own listeners")
        return self
