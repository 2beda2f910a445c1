"""A client with an account, from an address of its own: asks for tokens, and pulls a manifest with one."""

import base64
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlencode

from regmirror.distribution.client import MANIFEST_TYPES
from tests.e2e.deployed_mirror import DeployedMirror

TIMEOUT = 60.0
"""Seconds: the front delays logins."""
Account = tuple[str, str]


@dataclass(frozen=True)
class Answer:
    """The status and body of an answer."""

    status: int
    body: bytes


@dataclass(frozen=True)
class LoginClient:
    """A client of one host; ``source`` is its address on this machine."""

    mirror: DeployedMirror
    host: str
    source: str = "127.0.0.1"

    def token(self, repository: str, account: Account | None = None, *, query: str = "") -> Answer:
        """The answer of docker_auth to a request for a token."""
        scope = urlencode({"service": self.host, "scope": f"repository:{repository}:pull"})
        return self._get(f"/auth?{scope}{query}", _basic(account) if account else {})

    def token_text(self, repository: str, account: Account | None = None) -> str:
        """A token, which may grant nothing; the test fails if there is none."""
        answer = self.token(repository, account)
        assert answer.status == 200, answer
        return str(json.loads(answer.body)["token"])

    def manifest(self, repository: str, token: str) -> int:
        """The status of a request for the manifest of the tag 1."""
        headers = {"Authorization": f"Bearer {token}", "Accept": ", ".join(MANIFEST_TYPES)}
        return self._get(f"/v2/{repository}/manifests/1", headers).status

    def _get(self, path: str, headers: Mapping[str, str]) -> Answer:
        target = self.mirror.target
        context = ssl.create_default_context(cafile=target.authority)
        address = (target.address or self.host, 443)
        with socket.create_connection(address, TIMEOUT, source_address=(self.source, 0)) as plain:
            connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT)
            connection.sock = context.wrap_socket(plain, server_hostname=self.host)
            with closing(connection):
                connection.request("GET", path, headers=dict(headers))
                answer = connection.getresponse()
                return Answer(answer.status, answer.read())


def _basic(account: Account) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(":".join(account).encode()).decode()}
