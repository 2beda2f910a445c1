"""The data of a mirror in its bucket: what the registry of each upstream has written, and the record of its owner."""

from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.ownership import Claim, read_claims, require_own_data
from regmirror.desired.ownership import owner_key
from regmirror.desired.registry_config import data_prefix, scheduler_key
from regmirror.errors import BucketMissingError
from regmirror.ports.cluster import Cluster
from regmirror.ports.object_store import Contents, ObjectStore


@dataclass(frozen=True, slots=True)
class MirrorData:
    """Where the data is: objects below ``prefixes``, and single objects, the records of the owner last.

    Nothing else is removed, since another mirror may have its data next to it, or below the same upstream's name.
    """

    mirror: Mirror
    store: ObjectStore
    cluster: Cluster
    prefixes: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return self.mirror.storage.place

    def require_own(self) -> None:
        """Raises ForeignDataError if the data of an upstream belongs to another mirror; StorageError or ClusterError.

        Data without a record of an owner, from a version that did not write it, counts as the mirror's own.
        """
        claims = read_claims(self.mirror, self.store, self.cluster)
        require_own_data(claims, self.bucket, self._how_to_remove)

    def _how_to_remove(self, claim: Claim) -> str:
        endpoint = f" --endpoint-url {self.mirror.storage.endpoint}" if self.mirror.storage.endpoint else ""
        delete = f"aws s3{endpoint} rm s3://{self.bucket}/{claim.key}"
        return f"omit --purge-data; or, if that mirror no longer exists, delete the record of its ownership: {delete}"

    def measure(self, seconds: float) -> Contents:
        """Count the objects, for at most ``seconds`` per prefix; a missing bucket is empty. Raises StorageError."""
        try:
            counted = [self.store.measure(prefix, seconds) for prefix in (*self.prefixes, *self.keys)]
        except BucketMissingError:
            counted = []
        return Contents(
            sum(contents.objects for contents in counted),
            sum(contents.size for contents in counted),
            complete=all(contents.complete for contents in counted),
        )

    def purge(self) -> int:
        """Delete some objects; returns how many, 0 if none is left. Raises StorageError."""
        try:
            deleted = next((deleted for prefix in self.prefixes if (deleted := self.store.purge(prefix))), 0)
            return deleted or self._delete_keys()
        except BucketMissingError:
            return 0

    def _delete_keys(self) -> int:
        existing = [key for key in self.keys if self.store.read(key) is not None]
        for key in existing:
            self.store.delete(key)
        return len(existing)


def data_of(mirror: Mirror, store: ObjectStore, cluster: Cluster) -> MirrorData:
    """The data of every upstream in the configuration."""
    storage = mirror.storage
    prefixes = [data_prefix(storage, upstream) for upstream in mirror.upstreams]
    schedules = [scheduler_key(storage, upstream) for upstream in mirror.upstreams]
    owners = [owner_key(storage, upstream) for upstream in mirror.upstreams]
    return MirrorData(mirror, store, cluster, tuple(prefixes), (*schedules, *owners))
