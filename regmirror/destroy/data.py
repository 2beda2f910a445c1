"""The data of a mirror in its bucket: what is below the prefix of each of its upstreams."""

from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.desired.registry_config import storage_prefix
from regmirror.errors import BucketMissingError
from regmirror.ports.object_store import Contents, ObjectStore


@dataclass(frozen=True, slots=True)
class MirrorData:
    """Where the data is; ``prefixes`` end with a slash, so that no other mirror's begin like them."""

    store: ObjectStore
    bucket: str
    prefixes: tuple[str, ...]

    def measure(self, seconds: float) -> Contents:
        """How much there is, counted for at most this long by prefix; nothing without a bucket. Raises StorageError."""
        try:
            counted = [self.store.measure(prefix, seconds) for prefix in self.prefixes]
        except BucketMissingError:
            counted = []
        return Contents(
            sum(one.objects for one in counted),
            sum(one.size for one in counted),
            complete=all(one.complete for one in counted),
        )

    def purge(self) -> int:
        """Delete some of it; gives how many objects, 0 when none is left. Raises StorageError."""
        try:
            return next((gone for prefix in self.prefixes if (gone := self.store.purge(prefix))), 0)
        except BucketMissingError:
            return 0


def data_of(mirror: Mirror, store: ObjectStore) -> MirrorData:
    """The data of every upstream in the file."""
    storage = mirror.storage
    prefixes = [storage_prefix(storage, upstream).removeprefix("/") + "/" for upstream in mirror.upstreams]
    return MirrorData(store, storage.bucket, tuple(prefixes))
