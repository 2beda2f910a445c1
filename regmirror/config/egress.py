"""The section ``egress`` of the configuration file: the proxy that leads out of the cluster."""

import re
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from regmirror.config.no_proxy import is_no_proxy_entry
from regmirror.config.problem import error_at
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference, reference_kind
from regmirror.config.section import Section

_PROXY_URL = re.compile(r"https?://([^/?#@\s]*@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?")
_BRACKETS = re.compile(r"^\[([0-9a-f:.]+)\]$")
_URL = "ProxyUrl"


def check_proxy_url(text: str) -> str:
    """The URL of a proxy, without a slash at its end; the ValueError does not repeat it, because it may be a secret."""
    if not _PROXY_URL.fullmatch(text) or not _has_port(text):
        raise ValueError("is not the URL of a proxy, such as http://proxy.example.com:3128")
    return text.removesuffix("/")


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _plain_url(value: object) -> str:
    text = str(value)
    if "@" in text:
        raise ValueError("credentials are not allowed in this file: use {env: NAME}, {file: PATH} or {secret: ...}")
    try:
        return check_proxy_url(text)
    except ValueError as error:
        raise ValueError(f'"{text}" {error}') from None


def _entry(value: object) -> str:
    # Programs in Go read the brackets of an IPv6 address only with a port.
    text = _BRACKETS.sub(r"\1", value.lower()) if isinstance(value, str) else ""
    if not is_no_proxy_entry(text):
        raise ValueError(f'"{value}" is not a host name, a domain such as .example.com, an address or a network')
    return text


def _kind(value: object) -> str | None:
    return _URL if isinstance(value, str) else reference_kind(value)


ProxyUrl = Annotated[
    str, BeforeValidator(_plain_url), WithJsonSchema({"type": "string", "pattern": "^https?://[^@]+$"})
]
NoProxyEntry = Annotated[str, BeforeValidator(_entry), WithJsonSchema({"type": "string"})]
Proxy = Annotated[
    Annotated[ProxyUrl, Tag(_URL)]
    | Annotated[EnvironmentReference, Tag("EnvironmentReference")]
    | Annotated[FileReference, Tag("FileReference")]
    | Annotated[ClusterReference, Tag("ClusterReference")],
    Discriminator(
        _kind,
        custom_error_type="proxy",
        custom_error_message="expected the URL of a proxy, or, if it contains a password, "
        "{env: NAME}, {file: PATH} or {secret: {name: NAME, key: KEY}}",
    ),
]
"""The URL of a proxy, or where it is stored if it contains a password."""


class Egress(Section):
    """The way of the registries, of deploy and of verify to the upstreams and to the store."""

    https_proxy: Annotated[
        Proxy | None,
        Field(
            description="URL of the HTTP proxy through which the upstreams are reached, those with http:// too. "
            "A URL with a password is a secret: use a secret reference.",
            examples=["http://proxy.example.com:3128"],
        ),
    ] = None
    no_proxy: Annotated[
        list[NoProxyEntry],
        Field(
            description="More hosts, domains (.example.com), addresses and networks that are reached directly. Names "
            "inside the cluster and addresses of the machine are always reached directly.",
            examples=[["registry.example.com", "10.0.0.0/8"]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    storage: Annotated[
        bool | None,
        Field(
            description="Reach the store through the proxy, too. "
            "Default: true for AWS, false if storage.endpoint is set.",
            examples=[True],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_effect(self) -> Self:
        for key, value in (("noProxy", self.no_proxy), ("storage", self.storage)):
            if self.https_proxy is None and value not in (None, []):
                raise error_at((key,), "has no effect without httpsProxy")
        return self
