"""The last check of a rotation: the public hosts, as clients see them."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from regmirror.config.model import realm_url
from regmirror.deploy.public_check import check_public_host
from regmirror.distribution.client import RegistryClient
from regmirror.errors import RegistryError, RegmirrorError
from regmirror.ports.http import Http
from regmirror.rotate.pod_checks import sign_test_token
from regmirror.rotate.state import ObservedState, id_of
from regmirror.signing.key_pair import KeyPair
from regmirror.signing.tokens import decode_token
from regmirror.steps.clock import Clock
from regmirror.steps.step import Progress

_TITLE = "Public host"
_INGRESS_LAG = timedelta(seconds=15)
"""An Ingress controller learns of new pods with a delay."""
_POLL = 1.0


@dataclass(frozen=True, slots=True)
class PublicHostCheck:
    """Checks that each public host issues and accepts tokens of the current key, and refuses those of the old key."""

    http: Http
    clock: Clock
    progress: Progress

    async def run(self, live: ObservedState, old_key: KeyPair | None) -> list[str]:
        """Returns the hosts; ``old_key`` is the key before the rotation, if it was replaced. Raises RegistryError."""
        hosts = [live.token_service(registry).service for registry in live.registries]
        ends = self.clock.now() + _INGRESS_LAG
        self.progress.started(_TITLE)
        while True:
            try:
                await asyncio.to_thread(self._check_all, live, old_key)
            except RegmirrorError as error:
                if self.clock.now() >= ends:
                    self.progress.failed(_TITLE, error)
                    raise _check_failed(error) from error
                self.progress.waiting(_TITLE, error.message)
                await self.clock.sleep(_POLL)
            else:
                accepted = "new key accepted, old key refused" if old_key else "current key accepted"
                self.progress.finished(_TITLE, f"{', '.join(hosts)}: {accepted}")
                return hosts

    def _check_all(self, live: ObservedState, old_key: KeyPair | None) -> None:
        for registry in live.registries:
            service = live.token_service(registry)
            client = RegistryClient(self.http, f"https://{service.service}")
            check_public_host(self.http, service.service)
            kid = decode_token(client.token(realm_url(service.service), service.service)).header.get("kid")
            if kid != id_of(live.current_key):
                raise RegistryError(
                    f"{realm_url(service.service)} signs with the key {kid} instead of {id_of(live.current_key)}"
                )
            if old_key:
                status = client.request("GET", "/v2/", sign_test_token(old_key, service, self.clock)).status
                if status != 401:
                    raise RegistryError(f"{client.base}/v2/ answers {status} instead of 401 to a token of the old key")


def _check_failed(error: RegmirrorError) -> RegistryError:
    return RegistryError(
        f"the rotation is complete and every pod has the new key, but the public host fails: {error.message}",
        hint="find the cause: regmirror verify; if this machine cannot reach the public host, use --resolve, "
        "--ca-file or --skip-verify",
    )
