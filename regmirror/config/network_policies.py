"""The section ``networkPolicies`` of the configuration file."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from regmirror.config.fields import network
from regmirror.config.kubernetes_fields import checked_labels
from regmirror.config.section import Section

_SELECTORS = ("namespaceSelector", "podSelector")
_BLOCK = "ipBlock"


def _peer(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise ValueError("expected a mapping with namespaceSelector, podSelector or ipBlock")
    unknown = [str(key) for key in value if key not in {*_SELECTORS, _BLOCK}]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]}; a peer has {', '.join(_SELECTORS)}, {_BLOCK}")
    if _BLOCK in value and len(value) > 1:
        raise ValueError("a peer is either an ipBlock or pods: write two entries")
    return {key: _block(inner) if key == _BLOCK else _selector(key, inner) for key, inner in value.items()}


def _block(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) != {"cidr"}:
        raise ValueError("ipBlock: expected a mapping with cidr")
    return {"cidr": network(value["cidr"])}


def _selector(key: str, value: object) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict) or set(value) != {"matchLabels"}:
        raise ValueError(f"{key}: expected a mapping with matchLabels")
    return {"matchLabels": checked_labels(value["matchLabels"])}


Peer = Annotated[
    dict[str, Any],
    BeforeValidator(_peer),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                **{
                    key: {
                        "type": "object",
                        "properties": {"matchLabels": {"type": "object", "additionalProperties": {"type": "string"}}},
                        "additionalProperties": False,
                    }
                    for key in _SELECTORS
                },
                _BLOCK: {
                    "type": "object",
                    "properties": {"cidr": {"type": "string"}},
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        }
    ),
]
"""A peer of a NetworkPolicy of Kubernetes, with ``matchLabels`` only."""


class NetworkPolicies(Section):
    """Kubernetes NetworkPolicies for the pods of the mirror."""

    enabled: Annotated[
        bool,
        Field(
            description="Create NetworkPolicies: only the registries reach Redis, and only ingressFrom reaches the "
            "registries and docker_auth. The network plugin of the cluster must enforce them."
        ),
    ] = False
    ingress_from: Annotated[
        list[Peer],
        Field(
            description="Pods and networks from which the Ingress controller or Gateway reaches the mirror, in the "
            "notation of a NetworkPolicy; with ingress.service, those of clients (default: all). The kubelet's probes "
            "need no entry.",
            examples=[[{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traefik"}}}]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
