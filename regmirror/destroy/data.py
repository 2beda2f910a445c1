"""The data of a mirror in its bucket: all objects under the prefix of each of its upstreams."""

from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.desired.registry_config import storage_prefix
from regmirror.errors import BucketMissingError
from regmirror.ports.object_store import Contents, ObjectStore


@dataclass(frozen=True, slots=True)
class MirrorData:
    """Where the data is; each prefix ends with a slash, so that it never matches that of another mirror."""

    store: ObjectStore
    bucket: str
    prefixes: tuple[str, ...]

    def measure(self, seconds: float) -> Contents:
        """Count the objects, for at most ``seconds`` per prefix; a missing bucket is empty. Raises StorageError."""
        try:
            counted = [self.store.measure(prefix, seconds) for prefix in self.prefixes]
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
            return next((deleted for prefix in self.prefixes if (deleted := self.store.purge(prefix))), 0)
        except BucketMissingError:
            return 0


def data_of(mirror: Mirror, store: ObjectStore) -> MirrorData:
    """The data of every upstream in the configuration."""
    storage = mirror.storage
    prefixes = [storage_prefix(storage, upstream).removeprefix("/") + "/" for upstream in mirror.upstreams]
    return MirrorData(store, storage.bucket, tuple(prefixes))
