"""The step that waits until cert-manager has issued the certificates of the public hosts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regmirror.errors import CertificateNotIssuedError, ClusterUnreachableError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.issuance import Issuance, issuance_of

CERTIFICATES_STEP = "certificates"
_POLL = 1.0
"""Seconds between two requests while waiting."""


@dataclass(frozen=True, slots=True)
class CertificatesStep:
    """Waits for the Ready condition of every Certificate; an attempt that failed ends the step at once.

    Runs while the public endpoint is deployed: an issuer may have to reach it, or its DNS record, first.
    """

    hosts: Mapping[str, Sequence[str]]
    """By the name of the Certificate."""
    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = CERTIFICATES_STEP
    title: str = "TLS certificates"

    async def apply(self, progress: Waiting) -> Done:
        """Raises CertificateNotIssuedError, which has the reason of the issuer, if an attempt failed."""
        for name, hosts in self.hosts.items():
            while not await self._is_issued(name, hosts, progress):
                await asyncio.sleep(_POLL)
        return Done(f"issued: {', '.join(self.hosts)}")

    async def _is_issued(self, name: str, hosts: Sequence[str], progress: Waiting) -> bool:
        try:
            issuance = await self.cluster.run(issuance_of, name)
        except ClusterUnreachableError as error:
            # A restarting API server comes back.
            progress.waiting(error.message)
            return False
        if issuance.is_issued:
            return True
        if issuance.has_failed:
            raise self._failed(name, hosts, issuance)
        reasons = "".join(f"\n  {reason}" for reason in issuance.reasons)
        progress.waiting(f"cert-manager to issue the certificate {name} for {', '.join(hosts)}{reasons}")
        return False

    def _failed(self, name: str, hosts: Sequence[str], issuance: Issuance) -> CertificateNotIssuedError:
        return CertificateNotIssuedError(
            f"cert-manager did not issue the certificate {name} for {', '.join(hosts)} "
            f"(last attempt {issuance.failed_at}): {issuance.summary}",
            hint="fix the cause, and let cert-manager try again now instead of in an hour or more: "
            f"kubectl -n {self.cluster.namespace} delete certificate {name}; regmirror deploy",
        )
