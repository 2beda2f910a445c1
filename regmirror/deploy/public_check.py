"""The last step: one request to /auth and two to /v2/ of each public host, as a client sends them."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.serialization import Encoding

from regmirror.config.fields import HTTPS_PORT
from regmirror.config.model import realm_url
from regmirror.deploy.resolve_secrets import read_secret
from regmirror.desired import names
from regmirror.distribution.challenge import parse_challenge
from regmirror.distribution.client import RegistryClient
from regmirror.errors import ClusterError, RegistryError, RegmirrorError, UntrustedCertificateError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.http import Http
from regmirror.signing.host_certificate import load_host_certificate
from regmirror.steps.step import Done, Waiting

PUBLIC_CHECK_STEP = "public-check"
_POLL = 0.5
"""Seconds between two attempts: an Ingress controller needs a moment to load a new Ingress."""
_CERTIFICATE_GRACE = 20.0
"""Seconds in which an Ingress controller may serve its default certificate before it loads that of a new Ingress."""
_MOUNT_GRACE = 120.0
"""Seconds in which the kubelet may keep the previous certificate in the pods of ``ingress.service``."""
_SETTLING = 3.0
"""Seconds in which replicas of an Ingress controller load a certificate that one connection has already seen."""


@dataclass(slots=True)
class _UntrustedSince:
    """When (monotonic seconds) a host was first not trusted, and first seen with its Secret's certificate."""

    first: float
    own: float | None = None


@dataclass(frozen=True, slots=True)
class PublicCheckStep:
    """Retries until every host sends a challenge, issues a token, and accepts it.

    A certificate that is not trusted fails the step without waiting for the deadline: after ``_SETTLING`` seconds if
    it is that of the host's Secret, and after ``_CERTIFICATE_GRACE`` seconds unless that Secret is still to be created.
    """

    hosts: tuple[str, ...]
    http: Http
    cluster: AsyncCluster
    needs: tuple[str, ...]
    tls_secrets: Mapping[str, str] = field(default_factory=dict)
    """By host: the Secret with its certificate; hosts with the Ingress controller's own certificate are absent."""
    realms: Mapping[str, str] = field(default_factory=dict)
    """By host: the realm that it must name; those that issue their own tokens are absent."""
    authority: bytes = b""
    """A CA (PEM) to trust in addition: that of ``ingress.selfSigned``."""
    is_service: bool = False
    """Whether nginx of the mirror serves the certificates, instead of an Ingress controller."""
    name: str = PUBLIC_CHECK_STEP
    title: str = "Public check"

    async def apply(self, progress: Waiting) -> Done:
        """Raises RegistryError if the certificate of a host is not trusted."""
        if self.authority:
            self.http.trust(self.authority)
        for host in self.hosts:
            await self._check(host, progress)
        detours = dict.fromkeys(detour for host in self.hosts if (detour := _describe_detour(self.http, host)))
        return Done(f"https://{', '.join(self.hosts)} issues and accepts tokens{''.join(detours)}")

    async def _check(self, host: str, progress: Waiting) -> None:
        since: _UntrustedSince | None = None
        while True:
            try:
                return await asyncio.to_thread(check_public_host, self.http, host, self.realms.get(host))
            except RegmirrorError as error:
                if isinstance(error, UntrustedCertificateError):
                    since = since or _UntrustedSince(time.monotonic())
                    await self._give_up_on(host, since, error)
                else:
                    since = None
                hint = f"\n  Try: {error.hint}" if error.hint else ""
                progress.waiting(f"a valid answer from https://{host}\n  {error.code}: {error.message}{hint}")
            await asyncio.sleep(_POLL)

    async def _give_up_on(self, host: str, since: _UntrustedSince, error: UntrustedCertificateError) -> None:
        """Raise the error if waiting longer cannot help.

        The certificate is read over a connection of its own, and may be newer than the one that was not trusted.
        """
        secret = self.tls_secrets.get(host)
        try:
            wanted = await self._certificate(secret) if secret else None
            served = await asyncio.to_thread(self.http.certificate, host)
        except (ClusterError, RegistryError):
            return
        now = time.monotonic()
        since.own = (since.own or now) if wanted and wanted == served else None
        if since.own:
            if now - since.own >= _SETTLING:
                raise error.reworded(f"{error.message} (the certificate is that of Secret {secret})")
            return
        grace = _MOUNT_GRACE if self.is_service else _CERTIFICATE_GRACE
        if now - since.first < grace or (secret and not wanted):
            return
        if wanted:
            raise error.reworded(
                f"{error.message} (it is not the certificate of Secret {secret})",
                hint=self._hint(),
            )
        raise error

    def _hint(self) -> str:
        kubectl = f"kubectl -n {self.cluster.namespace}"
        if self.is_service:
            return f"check whether nginx can read the Secret: {kubectl} logs deployment/{names.INGRESS}"
        return f"check whether the Ingress controller uses the Secret: {kubectl} describe ingress"

    async def _certificate(self, secret: str) -> bytes | None:
        """The certificate (DER) of a TLS Secret; None if there is none yet."""
        certificate = load_host_certificate(await self.cluster.run(read_secret, secret, "tls.crt"))
        return certificate.public_bytes(Encoding.DER) if certificate else None


def _describe_detour(http: Http, endpoint: str) -> str:
    host, _, port = endpoint.partition(":")
    detour = http.detour(host, int(port or HTTPS_PORT))
    return f"; checked at {detour.address}:{detour.port} with --resolve, which clients do not use" if detour else ""


def check_public_host(http: Http, host: str, realm: str | None = None) -> None:
    """Raises RegistryError, which names the wrong answer, unless the host issues and accepts a token.

    ``realm`` is that of an existing docker_auth, which may refuse clients without an account; then nothing more can be
    shown.
    """
    client = RegistryClient(http, f"https://{host}")
    answer = client.request("GET", "/v2/")
    challenge = parse_challenge(answer.headers.get("www-authenticate", ""))
    is_external = realm is not None
    realm = realm or realm_url(host)
    if answer.status != 401 or challenge is None or challenge.realm != realm:
        sent = f" with the realm {challenge.realm}" if challenge else ""
        raise RegistryError(
            f"https://{host}/v2/ answered {answer.status}{sent} instead of 401 with the realm {realm}",
            hint="check that DNS points to the public endpoint of this mirror: regmirror verify",
        )
    if is_external and client.ask_token(realm, challenge.service).status == 401:
        return
    token = client.token(challenge.realm, challenge.service)
    answer = client.request("GET", "/v2/", token)
    if answer.status != 200:
        raise RegistryError(
            f"https://{host}/v2/ answered {answer.status} to a token from {realm}",
            hint="find the cause: regmirror verify",
        )
