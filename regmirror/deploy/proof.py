"""The last step: one request to /auth and two to /v2/, as a client would make them."""

import asyncio
import time
from dataclasses import dataclass

from regmirror.config.model import Mirror, Upstream
from regmirror.deploy.steps import Done, Progress
from regmirror.errors import RegistryError, RegmirrorError
from regmirror.ports.http import Http
from regmirror.registry.challenge import parse_challenge
from regmirror.registry.client import RegistryClient

_POLL = 0.5
"""Seconds between two tries: an Ingress controller takes a moment to hear of a new Ingress."""


@dataclass(frozen=True, slots=True)
class ProofStep:
    """Proves that every host challenges, issues a token, and accepts it; tries until ``deadline`` (monotonic clock)."""

    mirror: Mirror
    http: Http
    deadline: float
    needs: tuple[str, ...]
    name: str = "proof"
    title: str = "Proof"

    async def apply(self, progress: Progress) -> Done:
        """Raises RegistryError with the last reason."""
        for upstream in self.mirror.upstreams:
            await self._prove(upstream, progress)
        hosts = ", ".join(self.mirror.host_of(upstream) for upstream in self.mirror.upstreams)
        return Done(f"https://{hosts} issues tokens and accepts them")

    async def _prove(self, upstream: Upstream, progress: Progress) -> None:
        while True:
            try:
                return await asyncio.to_thread(prove_host, self.http, self.mirror.host_of(upstream))
            except RegmirrorError as error:
                if time.monotonic() > self.deadline:
                    raise
                progress.waiting(self.title, error.message)
            await asyncio.sleep(_POLL)


def prove_host(http: Http, host: str) -> None:
    """Raises RegistryError, saying which answer was wrong, unless the host serves as a mirror must."""
    client = RegistryClient(http, f"https://{host}")
    answer = client.request("GET", "/v2/")
    challenge = parse_challenge(answer.headers.get("www-authenticate", ""))
    realm = f"https://{host}/auth"
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
