"""A stand-in for GitHub, GitLab and a provider of OpenID Connect: what docker_auth and a browser notice of them.

Sources: docs.github.com ("Authorizing OAuth apps", "REST API endpoints for organization members", "... for teams"),
docs.gitlab.com ("OAuth 2.0 identity provider API"), OpenID Connect Core 1.0.
"""

from __future__ import annotations

import base64
import html
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID = "mirror-client"
Form = dict[str, str]


@dataclass
class Person:
    """Somebody with an account at the provider."""

    name: str
    organizations: list[str] = field(default_factory=list)
    teams: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    blocked: bool = False
    gives_groups: bool = True
    """Whether the scopes that the person agrees to include groups and teams."""

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"


@dataclass
class Provider:
    """Its people, and what it has issued; ``port`` is known once it is served."""

    people: dict[str, Person]
    client_secret: str
    callback: str = ""
    """The URL that is registered for the application: GitHub is not sent one."""
    access_seconds: int = 3600
    gives_refresh_tokens: bool = True
    is_down: bool = False
    """Whether it ends every connection without an answer."""
    host: str = "127.0.0.1"
    port: int = 0
    codes: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    """By access or refresh token: the name of the person."""
    requests: list[str] = field(default_factory=list)
    """The paths that were requested, in their order."""
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def code_for(self, name: str) -> str:
        """What the provider adds to the callback URL once this person has agreed."""
        code = secrets.token_hex(10)
        self.codes[code] = name
        return code

    def answer(self, path: str, query: Form, form: Form, authorization: str) -> tuple[int, Any]:
        """The status and the body, a document or HTML; a redirect is a URL."""
        self.requests.append(path)
        routes: dict[str, Callable[[], tuple[int, Any]]] = {
            # Another site, which shows a page of the mirror in a frame.
            "/frame": lambda: (200, f'<!doctype html><iframe src="{html.escape(query["src"])}"></iframe>'),
            "/login/oauth/authorize": lambda: self._consent(query.get("redirect_uri") or self.callback),
            "/oauth/authorize": lambda: self._consent(query["redirect_uri"]),
            "/login/oauth/access_token": lambda: self._exchange(form, failing=200),
            "/oauth/token": lambda: self._exchange(form, authorization, failing=401),
            "/api/v3/user": lambda: self._profile(authorization, "login"),
            "/api/v4/user": lambda: self._profile(authorization, "username"),
            "/api/v3/user/teams": lambda: self._teams(authorization),
            "/.well-known/openid-configuration": lambda: (200, self._discovery()),
            "/keys": lambda: (200, {"keys": [self._public_key()]}),
            "/userinfo": lambda: self._profile(authorization, "email"),
        }
        if path.startswith("/api/v3/orgs/"):
            _, organization, _, name = path.removeprefix("/api/v3/").split("/")
            person = self.people.get(name)
            return (204 if person and organization in person.organizations else 404), None
        return routes[path]() if path in routes else (404, {"message": "Not Found"})

    def _consent(self, callback: str) -> tuple[int, str]:
        links = (
            f'<a id="{html.escape(name)}" href="{html.escape(callback)}?{urlencode({"code": self.code_for(name)})}">'
            f"Continue as {html.escape(name)}</a>"
            for name in self.people
        )
        return 200, f"<!doctype html><title>Stand-in of a sign-in provider</title>{' '.join(links)}"

    def _exchange(self, form: Form, authorization: str = "", *, failing: int) -> tuple[int, Any]:
        if (form.get("client_secret") or _basic_password(authorization)) != self.client_secret:
            error = "incorrect_client_credentials" if failing == 200 else "invalid_client"
            return failing, {"error": error, "error_description": "wrong client secret"}
        refresh = form.get("grant_type") == "refresh_token"
        name = self.tokens.get(form["refresh_token"]) if refresh else self.codes.pop(form.get("code", ""), None)
        if name is None or self.people[name].blocked:
            error = "bad_verification_code" if failing == 200 else "invalid_grant"
            return 200 if failing == 200 else 400, {"error": error, "error_description": "expired"}
        access, again = secrets.token_hex(20), secrets.token_hex(20)
        self.tokens |= {access: name, again: name}
        answer = {"access_token": access, "token_type": "bearer", "expires_in": self.access_seconds}
        answer |= {"refresh_token": again} if self.gives_refresh_tokens and not refresh else {}
        return 200, answer | {"id_token": self._id_token(self.people[name])}

    def _profile(self, authorization: str, key: str) -> tuple[int, Any]:
        person = self.people.get(self.tokens.get(authorization.partition(" ")[2], ""))
        if person is None or person.blocked:
            return 401, {"message": "Bad credentials"}
        return 200, {key: person.email if key == "email" else person.name, "sub": person.name}

    def _teams(self, authorization: str) -> tuple[int, Any]:
        person = self.people[self.tokens[authorization.partition(" ")[2]]]
        if not person.gives_groups:
            return 403, {"message": "Resource not accessible"}
        owner = {"login": person.organizations[0]} if person.organizations else {"login": ""}
        return 200, [{"slug": team, "organization": owner} for team in person.teams]

    def _discovery(self) -> dict[str, Any]:
        paths = {"authorization_endpoint": "oauth/authorize", "token_endpoint": "oauth/token"}
        paths |= {"jwks_uri": "keys", "userinfo_endpoint": "userinfo"}
        urls = {key: f"{self.url}/{path}" for key, path in paths.items()}
        return {"issuer": self.url, **urls, "id_token_signing_alg_values_supported": ["RS256"]}

    def _public_key(self) -> dict[str, Any]:
        return {**jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True), "kid": "1", "alg": "RS256"}

    def _id_token(self, person: Person) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "sub": person.name, "iat": now, "exp": now + self.access_seconds}
        claims |= {"email": person.email} | ({"groups": person.groups} if person.gives_groups else {})
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "1"})


def _basic_password(authorization: str) -> str:
    scheme, _, encoded = authorization.partition(" ")
    return unquote(base64.b64decode(encoded).decode().partition(":")[2]) if scheme == "Basic" else ""


@contextmanager
def serving(provider: Provider, tls: ssl.SSLContext, address: str = "127.0.0.1") -> Iterator[Provider]:
    """Serve a provider over TLS on a free port of an address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if provider.is_down:
                self.close_connection = True
                return
            parts = urlsplit(self.path)
            query, form = (_form(text) for text in (parts.query, self._body()))
            authorization = self.headers.get("Authorization", "")
            status, body = provider.answer(parts.path, query, form, authorization)
            text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def _body(self) -> str:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((address, 0), Handler)
    # The handshake in the thread of the connection, when it first reads: a client that does not trust it blocks nobody.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    provider.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


def _form(text: str) -> Form:
    return {name: values[0] for name, values in parse_qs(text).items()}
