"""What a case of the contract is, and the words that the cases are written in."""

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
    """One request and the answer to it.

    A token is expected where ``access`` is a list, and then the claims ``sub`` and ``aud`` as well. ``body`` and
    ``answer_headers`` are what any other answer must have; status 0 stands for a connection closed without an answer.
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
    """The target that clients ask: the service, then each scope as a parameter of its own."""
    pairs = [("service", SERVICE), *parameters.items(), *(("scope", scope) for scope in scopes)]
    return "/auth?" + urlencode(pairs)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def grant(name: str, *actions: str, kind: str = "repository") -> dict[str, Any]:
    return {"type": kind, "name": name, "actions": list(actions)}


def denied(id: str, configuration: str, target: str, **keywords: Any) -> Case:
    """A client that docker_auth does not believe."""
    challenge = {"WWW-Authenticate": f'Basic realm="{ISSUER}"', **TEXT}
    return Case(id, configuration, target, 401, body="Auth failed.\n", answer_headers=challenge, **keywords)


def refused(id: str, configuration: str, target: str, message: str, **keywords: Any) -> Case:
    """A request that docker_auth cannot read."""
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
