"""The step that records in the bucket that this mirror owns the data of its upstreams, unless another mirror does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from regmirror import __version__
from regmirror.config.model import Mirror, Upstream
from regmirror.deploy.diff_changes import StepDiff
from regmirror.deploy.namespace import NAMESPACE_STEP
from regmirror.desired.ownership import CLUSTER_NAMESPACE, Owner, owner_key, parse_owner
from regmirror.desired.registry_config import upstream_prefix
from regmirror.errors import BucketMissingError, ForeignDataError, StorageError
from regmirror.ports.cluster import Cluster, namespace_uids
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.step import Done, Waiting

OWNERSHIP_STEP = "ownership"
_TAKE_OVER = "set another storage.prefix; or, if that mirror no longer uses the data, run regmirror deploy --take-over"


@dataclass(frozen=True, slots=True)
class Claim:
    """The record of one upstream: ``before`` is None if nobody owns its data yet."""

    key: str
    prefix: str
    before: Owner | None
    current: Owner

    @property
    def is_foreign(self) -> bool:
        """Whether the data belongs to another mirror, or possibly does."""
        return self.before is not None and not self.before.is_same_mirror(self.current)

    def record(self, now: datetime) -> Owner:
        """What has to be in the bucket."""
        if self.before is None or self.is_foreign:
            return replace(self.current, claimed_at=f"{now:%Y-%m-%dT%H:%M:%SZ}", version=__version__)
        return self.before.renewed(self.current)


def read_claims(mirror: Mirror, store: ObjectStore, cluster: Cluster) -> list[Claim]:
    """Who owns the data of each upstream; a missing bucket belongs to nobody. Raises StorageError or ClusterError."""
    current = Owner(mirror.host, mirror.namespace, namespace_uids(cluster, CLUSTER_NAMESPACE))
    return [_read_claim(mirror, upstream, store, current) for upstream in mirror.upstreams]


def _read_claim(mirror: Mirror, upstream: Upstream, store: ObjectStore, current: Owner) -> Claim:
    key = owner_key(mirror.storage, upstream)
    try:
        content = store.read(key)
    except BucketMissingError:
        content = None
    before = None if content is None else parse_owner(content)
    return Claim(key, upstream_prefix(mirror.storage, upstream), before, current)


def require_own_data(claims: list[Claim], bucket: str, hint: Callable[[Claim], str]) -> None:
    """Raises ForeignDataError if the data of an upstream belongs to another mirror, or possibly does."""
    for claim in claims:
        if claim.before and claim.is_foreign:
            owner = claim.before.describe(claim.current)
            raise ForeignDataError(f"{claim.prefix} in the bucket {bucket} belongs to {owner}", hint=hint(claim))


@dataclass(frozen=True, slots=True)
class Ownership:
    """The claims of a deployment; ``take_over`` replaces those of other mirrors."""

    mirror: Mirror
    store: ObjectStore
    cluster: Cluster
    now: datetime
    take_over: bool = False

    def read(self) -> list[Claim]:
        """The claims; raises ForeignDataError, StorageError or ClusterError."""
        claims = read_claims(self.mirror, self.store, self.cluster)
        if not self.take_over:
            require_own_data(claims, self.mirror.storage.place, lambda _: _TAKE_OVER)
        return claims

    def write(self) -> list[Claim]:
        """Write the records that differ, and return their claims; raises as ``read``."""
        changed = self.differing()
        for number, claim in enumerate(changed):
            try:
                self.store.write(claim.key, claim.record(self.now).to_bytes())
            except StorageError as error:
                error.left_changes = number > 0
                raise
        return changed

    def differing(self) -> list[Claim]:
        """The claims whose records have to be written; raises as ``read``."""
        return [claim for claim in self.read() if claim.record(self.now) != claim.before]


@dataclass(frozen=True, slots=True)
class OwnershipStep:
    """Claims the data of every upstream, after the namespace exists and before any pod uses the bucket."""

    ownership: Ownership
    name: str = OWNERSHIP_STEP
    title: str = "Data owner"
    needs: tuple[str, ...] = (NAMESPACE_STEP,)

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError or ClusterError."""
        storage = self.ownership.mirror.storage
        progress.waiting(f"{storage.bucket} at {storage.endpoint or 'AWS'}")
        written = await asyncio.to_thread(self.ownership.write)
        return Done(_summary(written) or self._prefixes(), changed=bool(written))

    async def diff(self) -> StepDiff:
        """Raises StorageError or ClusterError."""
        differing = await asyncio.to_thread(self.ownership.differing)
        summary = _summary(differing, "would be ")
        return StepDiff(summary or self._prefixes(), changed=bool(differing))

    def _prefixes(self) -> str:
        mirror = self.ownership.mirror
        return ", ".join(upstream_prefix(mirror.storage, upstream) for upstream in mirror.upstreams)


def _summary(claims: list[Claim], would_be: str = "") -> str:
    """What happens to each claim, in one line."""
    return "; ".join(f"{claim.prefix} {would_be}{_action(claim)}" for claim in claims)


def _action(claim: Claim) -> str:
    if claim.before is None:
        return "claimed"
    return f"taken over from {claim.before.describe(claim.current)}" if claim.is_foreign else "updated"
