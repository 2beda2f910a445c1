"""What an S3 store refuses, and why: its error codes as errors of regmirror."""

import re
from typing import Any

from botocore.exceptions import ClientError

from regmirror.adapters.store_requests import REGION_CODES
from regmirror.config.model import S3Storage
from regmirror.config.store_profiles import PROFILES, profile_of
from regmirror.errors import BucketMissingError, StorageError, StoreRegionError, WriteRefusedError

# The last is the code of versitygw for an unknown key.
_KEY_REFUSED = {"403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "XAdminUserNotFound"}
_POLICY = {"403", "AccessDenied"}
_HEADERS_REFUSED = {"InternalError", "InvalidArgument", "InvalidRequest", "NotImplemented", "InvalidStorageClass"}
_EXPECTED = re.compile(r"expect(?:ing|ed)[: ]+[\"']?([a-zA-Z0-9-]+)")


def store_error(storage: S3Storage, what: str, where: str, error: ClientError) -> StorageError:
    """The error for an answer of a store; ``what`` is the verb of the request, ``where`` the bucket."""
    details = error.response.get("Error", {})
    code, failed = str(details.get("Code", "")), f"cannot {what} {where}"
    if code in {"404", "NoSuchBucket"}:
        return BucketMissingError(f"{failed}: it does not exist", hint="create it, or set storage.createBucket: true")
    if code in REGION_CODES:
        return _region_error(storage, failed, code, error.response)
    if what == "write to" and (code in _POLICY or code.startswith("KMS.") or code in _HEADERS_REFUSED):
        return _write_error(storage, failed, code)
    if code in _KEY_REFUSED:
        return StorageError(
            f"{failed}: the S3 key is refused ({code})",
            hint="check storage.accessKey; its user needs the permissions to list, get, put and delete",
        )
    message = " ".join(str(details.get("Message", "")).split())[:200]
    return StorageError(f"{failed}: {code}{f' ({message})' if message and message != code else ''}")


def _region_error(storage: S3Storage, failed: str, code: str, response: Any) -> StorageError:
    """Stores name the region that they expect in a field, a header, or only in the message; or their host says it."""
    details, headers = response.get("Error", {}), response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    in_message = _EXPECTED.search(str(details.get("Message", "")))
    known = profile_of(storage.endpoint or "")
    of_profile = known and PROFILES[known].region_of(storage.endpoint)
    named = (details.get("Region"), headers.get("x-amz-bucket-region"), in_message and in_message[1], of_profile)
    expected = next((str(region) for region in named if region and region != storage.region), None)
    if expected is None:
        return StoreRegionError(
            f"{failed}: the store refuses the region {storage.region} ({code})",
            hint="set storage.region to the region of the store, or storage.profile to its kind",
        )
    return StoreRegionError(
        f"{failed}: the store expects the region {expected}, not {storage.region} ({code})",
        hint=f"set storage.region: {expected}",
    )


def _write_error(storage: S3Storage, failed: str, code: str) -> StorageError:
    """Every write follows a successful list, so the key itself is valid."""
    requested = [key for key, value in _requested(storage).items() if value]
    if code in _HEADERS_REFUSED:
        hint = f"the store may not offer what {' and '.join(requested)} request: remove them" if requested else None
        return WriteRefusedError(f"{failed}: {code}, although it can be listed", hint=hint)
    if storage.encryption and storage.encryption.kms_key:
        hint = (
            "allow s3:PutObject in the policies of the user and of the bucket, and kms:GenerateDataKey and kms:Decrypt "
            "on storage.encryption.kmsKey"
        )
    elif storage.encryption:
        hint = "allow s3:PutObject in the policies of the user and of the bucket; the bucket may require a KMS key"
    else:
        hint = (
            "allow s3:PutObject in the policies of the user and of the bucket; if the policy of the bucket requires "
            "encryption, set storage.encryption"
        )
    return WriteRefusedError(f"{failed}: {code}, although it can be listed: a policy refuses writes", hint=hint)


def _requested(storage: S3Storage) -> dict[str, object]:
    return {"storage.encryption": storage.encryption, "storage.storageClass": storage.storage_class}
