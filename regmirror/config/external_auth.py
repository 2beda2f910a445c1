"""The section ``auth.external`` of the configuration file: a docker_auth that exists already."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema

from regmirror.config.ca_bundle import CaBundle
from regmirror.config.section import Section


def _realm(value: object) -> str:
    text = value if isinstance(value, str) else ""
    # Checked first, so that no other message repeats the password.
    if "@" in text:
        raise ValueError("credentials are not allowed in a URL")
    try:
        parts = urlsplit(text)
        valid = bool(parts.hostname) and (parts.port or 443) > 0
    except ValueError:
        valid = False
    if not valid or parts.scheme not in {"http", "https"} or not text.isprintable() or " " in text or '"' in text:
        raise ValueError(f'"{value}" is not a URL such as https://auth.example.com/auth')
    if parts.scheme == "http":
        raise ValueError("must begin with https://: clients send their accounts to it")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment, which clients add themselves")
    return text


Realm = Annotated[str, BeforeValidator(_realm), WithJsonSchema({"type": "string", "format": "uri"})]


class ExternalAuth(Section):
    """A docker_auth (or another token server of the Distribution specification). regmirror deploys none then."""

    realm: Annotated[
        Realm,
        Field(
            description="URL at which clients request tokens, with its path.",
            examples=["https://auth.example.com/auth"],
        ),
    ]
    issuer: Annotated[
        str, Field(min_length=1, description="Issuer in its tokens: token.issuer of docker_auth.", examples=["acme"])
    ]
    certificate: Annotated[
        CaBundle,
        Field(
            description="The certificates of the RSA keys that it signs tokens with, as PEM. During a rotation of its "
            "key there are two.",
            examples=[{"file": "token-server.pem"}],
        ),
    ]
    service: Annotated[
        str | None,
        Field(
            min_length=1,
            description="Service that clients request tokens for, if its rules name one. Only with a single upstream, "
            "because a token for one upstream must not grant rights on another. Default: the public host of each "
            "upstream.",
            examples=["mirror"],
        ),
    ] = None
