"""From where the bucket can be checked: from this machine, only from a pod, or only with the cloud role of the pods."""

from dataclasses import dataclass
from enum import Enum, auto

from regmirror.config.model import S3Storage
from regmirror.deploy.diff_changes import StepDiff
from regmirror.errors import StorageError, StorageUnreachableError, StoreKeyError
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.step import Done, Waiting

_REASON = "not checked: the pods use their cloud role, and this machine has no credentials for the bucket"


class StoreAccess(Enum):
    """Who can use the bucket."""

    THIS_MACHINE = auto()
    PODS = auto()
    """Only pods reach the store."""
    CLOUD_ROLE = auto()
    """Only the pods have credentials."""


def find_access(store: ObjectStore, storage: S3Storage) -> StoreAccess:
    """Ask the store: neither its name nor its address shows who can reach it. Other errors are left to the steps."""
    try:
        store.measure(storage.key_prefix, 0.0)
    except StorageUnreachableError:
        return StoreAccess.PODS
    except StoreKeyError:
        # With a key in the file, this machine uses the key of the pods, and its refusal is an error.
        is_role = storage.access_key is None and not storage.create_bucket
        return StoreAccess.CLOUD_ROLE if is_role else StoreAccess.THIS_MACHINE
    except StorageError:
        return StoreAccess.THIS_MACHINE
    return StoreAccess.THIS_MACHINE


@dataclass(frozen=True, slots=True)
class UncheckedBucketStep:
    """Reports that the bucket is not checked here; the pods only become ready if they can use it."""

    name: str = "bucket"
    title: str = "Bucket"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:  # noqa: ARG002 - it waits for nothing
        """Never fails."""
        return Done(_REASON, skipped=True)

    async def diff(self) -> StepDiff:
        """Never fails."""
        return StepDiff(_REASON)
