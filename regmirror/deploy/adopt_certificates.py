"""The step that takes over the Certificates that cert-manager made for annotated Ingresses of the mirror.

Without it, a mirror whose issuer was named by annotations could not continue with ``ingress.issuer``: Helm would refuse
to change the Certificates, and other Certificates for the same Secrets would never be issued.
"""

import asyncio
from dataclasses import dataclass

from regmirror.deploy.diff_changes import StepDiff
from regmirror.desired import names
from regmirror.desired.applied_by import HELM_RELEASE
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import CERTIFICATE, INGRESS, Object
from regmirror.steps.step import Done, Waiting

ADOPT_STEP = "adopt-certificates"


@dataclass(frozen=True, slots=True)
class AdoptCertificatesStep:
    """Gives the Certificates to the Helm release of the mirror; cert-manager does not issue them again for that."""

    certificates: tuple[str, ...]
    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = ADOPT_STEP
    title: str = "Existing certificates"

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        found = await self._annotated()
        for live in found:
            progress.waiting(f"Certificate {live['metadata']['name']}")
            await self.cluster.replace(_adopted(live, self.cluster.namespace))
        return Done(_detail(found), changed=bool(found))

    async def diff(self) -> StepDiff:
        """Raises ClusterError."""
        found = await self._annotated()
        return StepDiff(_detail(found), changed=bool(found))

    async def _annotated(self) -> list[Object]:
        lives = await asyncio.gather(*(self.cluster.get(CERTIFICATE, name) for name in self.certificates))
        return [live for live in lives if live and is_of_ingress(live)]


def is_of_ingress(certificate: Object) -> bool:
    """Whether cert-manager made the Certificate for an Ingress of the mirror, and nothing else has taken it over."""
    owners = certificate["metadata"].get("ownerReferences") or []
    return any(
        owner["kind"] == INGRESS.kind and owner["name"].startswith(f"{names.INGRESS}-") for owner in owners
    ) and not is_of_helm(certificate)


def is_of_helm(certificate: Object) -> bool:
    """Whether a Helm release has the Certificate."""
    return HELM_RELEASE in (certificate["metadata"].get("annotations") or {})


def _adopted(live: Object, namespace: str) -> Object:
    """The Certificate as one of the release: Helm checks these three marks; the Ingress no longer deletes it."""
    metadata = {key: value for key, value in live["metadata"].items() if key != "ownerReferences"}
    metadata["labels"] = {**(metadata.get("labels") or {}), "app.kubernetes.io/managed-by": "Helm"}
    release = {HELM_RELEASE: names.CERTIFICATES, "meta.helm.sh/release-namespace": namespace}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), **release}
    return {**live, "metadata": metadata}


def _detail(found: list[Object]) -> str:
    taken = ", ".join(live["metadata"]["name"] for live in found)
    return f"{taken} of the Ingress" if taken else "unchanged"
