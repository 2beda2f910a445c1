"""Tokens of the distribution token specification: JSON Web Tokens signed RS256, with an ``access`` claim.

Source: distribution ``docs/content/spec/auth/jwt.md`` and ``registry/auth/token``; docker_auth ``server/server.go``.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from regmirror.errors import SigningError
from regmirror.signing.bundle import base64url, key_id

CLOCK_LEEWAY = timedelta(seconds=60)
"""Tolerance of the registry for ``exp`` and ``nbf`` (a constant in distribution, ``registry/auth/token/token.go``)."""


@dataclass(frozen=True, slots=True)
class Access:
    """Rights on one resource, such as ``repository library/alpine pull`` or ``registry catalog *``."""

    type: str
    name: str
    actions: tuple[str, ...]

    @property
    def scope(self) -> str:
        """The same as a ``scope`` parameter of a token request."""
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


CATALOG = Access("registry", "catalog", ("*",))
"""What ``/v2/_catalog`` requires."""


@dataclass(frozen=True, slots=True)
class Token:
    """A decoded token; its signature is not yet checked."""

    header: dict[str, Any]
    claims: dict[str, Any]
    signed: bytes
    signature: bytes

    @property
    def access(self) -> list[Access]:
        """The rights that the token grants; entries without actions are omitted. Raises SigningError."""
        entries = self.claims.get("access") or []
        try:
            return [
                Access(entry["type"], entry["name"], tuple(entry["actions"])) for entry in entries if entry["actions"]
            ]
        except (KeyError, TypeError) as error:
            raise SigningError("the token's access claim is not a list of rights") from error

    def is_signed_by(self, key: rsa.RSAPublicKey) -> bool:
        """Whether the signature was made with this key; always RS256, regardless of the header of the token."""
        try:
            key.verify(self.signature, self.signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token: issuer, service, lifetime, and what it grants."""

    issuer: str
    service: str
    subject: str
    access: tuple[Access, ...]
    issued_at: datetime
    lifetime: timedelta
    token_id: str

    def to_json(self) -> dict[str, Any]:
        """The claims as docker_auth writes them: ``nbf`` lies ten seconds back."""
        issued_at = int(self.issued_at.timestamp())
        return {
            "iss": self.issuer,
            "aud": self.service,
            "sub": self.subject,
            "jti": self.token_id,
            "iat": issued_at,
            "nbf": issued_at - 10,
            "exp": issued_at + int(self.lifetime.total_seconds()),
            "access": [{"type": a.type, "name": a.name, "actions": list(a.actions)} for a in self.access],
        }


def sign_token(claims: Claims, key: rsa.RSAPrivateKey) -> str:
    """A token with these claims, as docker_auth with ``disable_legacy_key_id`` would issue it."""
    header = {"typ": "JWT", "alg": "RS256", "kid": key_id(key.public_key())}
    signed = ".".join(
        base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims.to_json())
    )
    return f"{signed}.{base64url(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def sign_catalog_token(issuer: str, service: str, key: rsa.RSAPrivateKey, now: datetime, token_id: str) -> str:
    """A token for one minute that grants the catalog of a registry, which no client gets; ``now`` is in UTC."""
    return sign_token(Claims(issuer, service, "regmirror", (CATALOG,), now, timedelta(minutes=1), token_id), key)


def decode_token(text: str) -> Token:
    """Decode a token without checking it; raises SigningError if it is not a JSON Web Token."""
    try:
        header, claims, signature = text.split(".")
        return Token(_mapping(header), _mapping(claims), f"{header}.{claims}".encode(), _decode(signature))
    except ValueError as error:
        raise SigningError("the answer of the token endpoint is not a JSON Web Token") from error


def _mapping(part: str) -> dict[str, Any]:
    content = json.loads(_decode(part))
    if not isinstance(content, dict):
        raise ValueError(part)
    return content


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
