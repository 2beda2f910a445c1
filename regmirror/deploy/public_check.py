"""The last step: one request to /auth and two to /v2/, as a client would make them."""

import asyncio
from dataclasses import dataclass

from regmirror.config.model import realm_url
from regmirror.distribution.challenge import parse_challenge
from regmirror.distribution.client import RegistryClient
from regmirror.errors import RegistryError, RegmirrorError
from regmirror.ports.http import Http
from regmirror.steps.step import Done, Waiting

_POLL = 0.5
"""Seconds between two tries: an Ingress controller takes a moment to hear of a new Ingress."""


@dataclass(frozen=True, slots=True)
class ProofStep:
    """Proves that every host challenges, issues a token, and accepts it; tries until it does."""

    hosts: tuple[str, ...]
    http: Http
    needs: tuple[str, ...]
    name: str = "proof"
    title: str = "Proof"

    async def apply(self, progress: Waiting) -> Done:
        """Tells the reason of each failure to ``progress``."""
        for host in self.hosts:
            await self._prove(host, progress)
        return Done(f"https://{', '.join(self.hosts)} issues tokens and accepts them")

    async def _prove(self, host: str, progress: Waiting) -> None:
        while True:
            try:
                return await asyncio.to_thread(prove_host, self.http, host)
            except RegmirrorError as error:
                hint = f"\n  Try: {error.hint}" if error.hint else ""
                progress.waiting(self.title, f"a right answer; {error.code}: {error.message}{hint}")
            await asyncio.sleep(_POLL)


def prove_host(http: Http, host: str) -> None:
    """Raises RegistryError, saying which answer was wrong, unless the host serves as a mirror must."""
    client = RegistryClient(http, f"https://{host}")
    answer = client.request("GET", "/v2/")
    challenge = parse_challenge(answer.headers.get("www-authenticate", ""))
    realm = realm_url(host)
    if answer.status != 401 or challenge is None or challenge.realm != realm:
        sent = f" with the realm {challenge.realm}" if challenge else ""
        raise RegistryError(
            f"https://{host}/v2/ answered {answer.status}{sent} instead of 401 with the realm {realm}",
            hint="is it the Ingress of this mirror that answers? See: regmirror verify",
        )
    token = client.token(challenge.realm, challenge.service)
    answer = client.request("GET", "/v2/", token)
    if answer.status != 200:
        raise RegistryError(
            f"https://{host}/v2/ answered {answer.status} to a token from {realm}",
            hint="find out why: regmirror verify",
        )
