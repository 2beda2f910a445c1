"""The challenge with which a registry sends clients to its token endpoint."""

import re
from dataclasses import dataclass

_PARAMETER = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Challenge:
    """A ``WWW-Authenticate: Bearer`` header (distribution ``docs/content/spec/auth/token.md``)."""

    realm: str
    service: str
    scope: str = ""
    error: str = ""


def asks_for_basic(header: str) -> bool:
    """Whether a WWW-Authenticate header asks for user name and password with each request, as that of ECR does."""
    return header.partition(" ")[0].lower() == "basic"


def parse_challenge(header: str) -> Challenge | None:
    """Parse a WWW-Authenticate header; None unless it is a Bearer challenge with a realm."""
    scheme, _, rest = header.partition(" ")
    parameters = {key.lower(): re.sub(r"\\(.)", r"\1", value) for key, value in _PARAMETER.findall(rest)}
    if scheme.lower() != "bearer" or "realm" not in parameters:
        return None
    return Challenge(
        parameters["realm"], parameters.get("service", ""), parameters.get("scope", ""), parameters.get("error", "")
    )
