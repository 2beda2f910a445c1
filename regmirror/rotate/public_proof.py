"""What must be seen at the public hosts once a rotation has ended: the same as clients see."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from regmirror.config.model import realm_url
from regmirror.deploy.public_check import check_public_host
from regmirror.distribution.client import RegistryClient
from regmirror.errors import RegistryError, RegmirrorError
from regmirror.ports.http import Http
from regmirror.rotate.clock import Clock
from regmirror.rotate.proof import signed
from regmirror.rotate.state import ObservedState, id_of
from regmirror.signing.key_pair import KeyPair
from regmirror.signing.tokens import decode_token
from regmirror.steps.step import Done, Progress

_TITLE = "Public host"
_PATIENCE = timedelta(seconds=15)
"""An Ingress controller hears of new pods a moment later."""
_POLL = 1.0


@dataclass(frozen=True, slots=True)
class PublicProof:
    """Sees each public host issue and accept tokens of the key in use, and refuse those of another one."""

    http: Http
    clock: Clock
    progress: Progress

    async def prove(self, live: ObservedState, gone: KeyPair | None) -> list[str]:
        """Gives the hosts; ``gone`` is the key that was in use before. Raises RegistryError."""
        hosts = [live.service_of(registry).service for registry in live.registries]
        ends = self.clock.now() + _PATIENCE
        self.progress.started(_TITLE)
        while True:
            try:
                await asyncio.to_thread(self._prove_all, live, gone)
            except RegmirrorError as error:
                if self.clock.now() >= ends:
                    self.progress.failed(_TITLE, error)
                    raise _unproven(error) from error
                self.progress.waiting(_TITLE, error.message)
                await self.clock.sleep(_POLL)
            else:
                refused = ", and refuses those of the old one" if gone else ""
                self.progress.finished(_TITLE, Done(f"{', '.join(hosts)} signs and accepts by it{refused}"))
                return hosts

    def _prove_all(self, live: ObservedState, gone: KeyPair | None) -> None:
        for registry in live.registries:
            asked = live.service_of(registry)
            client = RegistryClient(self.http, f"https://{asked.service}")
            check_public_host(self.http, asked.service)
            kid = decode_token(client.token(realm_url(asked.service), asked.service)).header.get("kid")
            if kid != id_of(live.signing):
                raise RegistryError(
                    f"{realm_url(asked.service)} signs by the key {kid} instead of {id_of(live.signing)}"
                )
            if gone and (status := client.request("GET", "/v2/", signed(gone, asked, self.clock)).status) != 401:
                raise RegistryError(f"{client.base}/v2/ answers {status} instead of 401 to a token of the old key")


def _unproven(error: RegmirrorError) -> RegistryError:
    return RegistryError(
        f"the rotation has ended, and every pod has the new key; but as clients see it: {error.message}",
        hint="find out why: regmirror verify; where the public host cannot be reached from here: "
        "--resolve, --ca-file, or --skip-verify",
    )
