"""Checks of the bucket, with the key that the registry uses."""

from regmirror.config.model import Upstream
from regmirror.errors import StorageUnreachableError
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Skipped, UpstreamCheck
from regmirror.verify.subject import Subject


def _bucket(subject: Subject, upstream: Upstream) -> Outcome:
    storage = subject.mirror.storage
    account = subject.s3_account(upstream)
    if account is None and storage.access_key is None:
        return Skipped("the pods have their rights from the cloud, not from a key")
    if account is None:
        return Failed("the registry's configuration lacks its S3 key", "regmirror deploy")
    try:
        subject.open_store(account).check_bucket()
    except StorageUnreachableError:
        if storage.is_inside_cluster:
            return Skipped(f"{storage.endpoint} can be reached from inside the cluster only")
        raise
    return Passed(storage.bucket)


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "storage-bucket",
        "the bucket accepts the registry's S3 key",
        Category.STORAGE,
        _bucket,
        needs=("cluster-api",),
    ),
)
