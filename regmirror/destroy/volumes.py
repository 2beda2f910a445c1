"""The PersistentVolumeClaims of a mirror whose data is on volumes: which there are, and the step that deletes them."""

import asyncio
from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.errors import ClusterError, ConfigurationError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import VOLUME_CLAIM, Cluster, Object
from regmirror.steps.step import Done, Waiting

_PART_OF = "app.kubernetes.io/part-of=regmirror"
_POLL = 0.5


def has_own_volumes(mirror: Mirror) -> bool:
    """Whether deploy creates volumes for the data."""
    return mirror.storage.filesystem is not None and mirror.storage.filesystem.claim is None


def claims_of_mirror(cluster: Cluster) -> list[str]:
    """The names of the claims that deploy created, those of upstreams that are no longer in the file included."""
    return sorted(claim["metadata"]["name"] for claim in cluster.select(VOLUME_CLAIM, _PART_OF) if is_of_mirror(claim))


def is_of_mirror(claim: Object) -> bool:
    """Whether deploy created a PersistentVolumeClaim, and its release leaves it."""
    return _is_part(claim) and not has_logins(claim)


def has_logins(claim: Object) -> bool:
    """Whether the logins of people are on it: then it is removed with its release."""
    return _is_part(claim) and claim["metadata"]["name"] == names.SIGN_IN


def _is_part(claim: Object) -> bool:
    metadata = claim["metadata"]
    is_part = (metadata.get("labels") or {}).get("app.kubernetes.io/part-of") == "regmirror"
    return is_part and str(metadata["name"]).startswith(names.PREFIX)


def require_own_volumes(mirror: Mirror) -> None:
    """Raises ConfigurationError if the data is on a volume that the mirror did not create."""
    claim = mirror.storage.filesystem.claim if mirror.storage.filesystem else None
    if claim:
        raise ConfigurationError(
            f"--purge-data: the data is on PersistentVolumeClaim {claim}, which the mirror did not create",
            hint=f"omit --purge-data; to delete all data on it: kubectl -n {mirror.namespace} delete pvc {claim}",
        )


@dataclass(frozen=True, slots=True)
class VolumeRemoval:
    """Deletes the claims, once no pod uses them, and waits until they are gone."""

    claims: tuple[str, ...]
    cluster: AsyncCluster
    needs: tuple[str, ...]
    name: str = "volumes"
    title: str = "Volumes"

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        for number, claim in enumerate(self.claims):
            try:
                await self.cluster.delete(VOLUME_CLAIM, claim)
            except ClusterError as error:
                error.left_changes = number > 0
                raise
        for claim in self.claims:
            while await self.cluster.get(VOLUME_CLAIM, claim):
                progress.waiting(f"waiting for {claim} to be deleted")
                await asyncio.sleep(_POLL)
        number = len(self.claims)
        return Done(f"{number} volume{'s' * (number != 1)} removed", changed=number > 0)
