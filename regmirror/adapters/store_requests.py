"""How requests to S3 stores differ from boto3's own: older stores accept them, and the registry's are alike.

Documentation of the events: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html
"""

import hashlib
from base64 import b64encode
from typing import Any

from botocore.exceptions import ClientError

from regmirror.config.model import S3Storage

REGION_CODES = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "PermanentRedirect",
        "301",
        "IncorrectRegion",
        "InvalidRegionName",
        "IllegalLocationConstraintException",
    }
)
"""The codes with which stores refuse a request that is signed for another region."""


def write_options(storage: S3Storage) -> dict[str, str]:
    """The options of every request that creates an object, as the registry's requests have them."""
    encryption, options = storage.encryption, {}
    if encryption:
        options["ServerSideEncryption"] = "aws:kms" if encryption.kms_key else "AES256"
    if encryption and encryption.kms_key:
        options["SSEKMSKeyId"] = encryption.kms_key
    if storage.storage_class and storage.storage_class != "NONE":
        options["StorageClass"] = storage.storage_class
    return options


def adjust_requests(client: Any) -> None:
    """Send DeleteObjects with the checksum that every store knows, and do not follow AWS to another region."""
    client.meta.events.register("before-sign.s3.DeleteObjects", _use_md5)
    # First: boto3 would repeat the request for the right region, and succeed where the registry fails.
    client.meta.events.register_first("needs-retry.s3", _refuse_region)


def _use_md5(request: Any, **_: Any) -> None:
    for name in [
        name for name in request.headers if name.lower().startswith(("x-amz-checksum-", "x-amz-sdk-checksum-"))
    ]:
        del request.headers[name]
    digest = hashlib.md5(request.body or b"", usedforsecurity=False).digest()
    request.headers["Content-MD5"] = b64encode(digest).decode()


def _refuse_region(response: Any, operation: Any, **_: Any) -> None:
    parsed: Any = response[1] if response else {}
    if parsed.get("Error", {}).get("Code") in REGION_CODES:
        raise ClientError(parsed, operation.name)
