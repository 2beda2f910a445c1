"""A case of the contract, and functions that create cases."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from .configurations import ALICE, ISSUER, ROBOT, SERVICE

Access = list[dict[str, Any]]
TEXT = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True)
class Case:
    """One request and the expected answer.

    If ``access`` is a list, the answer must contain a token with it and with the claims ``sub`` and ``aud``. ``body``
    and ``answer_headers`` are those of any other answer; status 0 stands for a connection closed without an answer.
    """

    id: str
    configuration: str
    target: str
    status: int = 200
    access: Access | None = None
    subject: str = ""
    audience: str = SERVICE
    body: str | None = None
    answer_headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    form: str | None = None


def auth(*scopes: str, **parameters: str) -> str:
    """The request target of clients: the service, then each scope as a separate parameter."""
    pairs = [("service", SERVICE), *parameters.items(), *(("scope", scope) for scope in scopes)]
    return "/auth?" + urlencode(pairs)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def grant(name: str, *actions: str, kind: str = "repository") -> dict[str, Any]:
    return {"type": kind, "name": name, "actions": list(actions)}


def denied(id: str, configuration: str, target: str, **keywords: Any) -> Case:
    """A request with credentials that docker_auth rejects."""
    challenge = {"WWW-Authenticate": f'Basic realm="{ISSUER}"', **TEXT}
    return Case(id, configuration, target, 401, body="Auth failed.\n", answer_headers=challenge, **keywords)


def refused(id: str, configuration: str, target: str, message: str, **keywords: Any) -> Case:
    """A malformed request."""
    body = f"Bad request: {message}\n"
    return Case(id, configuration, target, 400, body=body, answer_headers=TEXT, **keywords)


BY_ALICE: dict[str, Any] = {"subject": ALICE[0], "headers": basic(*ALICE)}
BY_ROBOT: dict[str, Any] = {"subject": ROBOT[0], "headers": basic(*ROBOT)}

DEMO = "repository:library/demo:pull"
DEMO_GRANT = [grant("library/demo", "pull")]
TEAM = "repository:team/app:pull"
TEAM_DENIED = grant("team/app")
EVERYTHING = "repository:everything/app"
CATALOG = "registry:catalog:*"
