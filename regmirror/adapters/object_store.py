"""The ObjectStore port over boto3."""

import hashlib
import os
import secrets
import tempfile
import time
import weakref
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ProxyConnectionError,
    SSLError,
)
from botocore.httpsession import get_cert_path

from regmirror.adapters.aws_session import isolated_session
from regmirror.adapters.lifecycle import taking_rules
from regmirror.adapters.store_errors import store_error
from regmirror.adapters.store_requests import adjust_requests, write_options
from regmirror.config.model import S3Storage
from regmirror.desired.mirror_secrets import Account
from regmirror.desired.way_out import WayOut, storage_url
from regmirror.errors import StorageError, StorageUnreachableError, UnsuitableStoreError
from regmirror.ports.object_store import Contents, StoredObject

_PROBE = ".regmirror-probe-"
_NO_RULES = {"NoSuchLifecycleConfiguration", "NotImplemented"}
_NOT_OFFERED = {"NotImplemented", "MethodNotAllowed", "405", "501", "InvalidArgument", "InvalidRequest", "MalformedXML"}

Content = TypeVar("Content")
_DIRECTLY = WayOut()
_PROXY_HINT = "check egress.httpsProxy; to reach the store without it, set egress.storage: false"


class S3ObjectStore:
    """The mirror's bucket, with the mirror's key, or with the default credentials of boto3.

    ``timeout`` is in seconds, for each of at most two attempts per request. ``new_id`` returns another text each time:
    checks that run at the same time, on any machine, each use an object of their own. The store is reached by
    ``way_out``: proxies and CA bundles of the environment (HTTPS_PROXY, AWS_CA_BUNDLE) are not used. ``proxy`` is the
    URL of another HTTP proxy for all requests.
    """

    def __init__(
        self,
        storage: S3Storage,
        account: Account | None,
        timeout: float = 15.0,
        *,
        way_out: WayOut = _DIRECTLY,
        new_id: Callable[[], str] = secrets.token_hex,
        proxy: str | None = None,
    ) -> None:
        self._storage, self._new_id, self._way_out = storage, new_id, way_out
        self._client: Any = isolated_session().client(
            "s3",
            region_name=storage.region,
            endpoint_url=storage.endpoint,
            config=Config(
                connect_timeout=min(5.0, timeout),
                read_timeout=timeout,
                retries={"mode": "standard", "total_max_attempts": 2},
                s3={"addressing_style": "path" if storage.uses_path_style else "auto"},
                proxies={"http": proxy, "https": proxy} if proxy else _proxies(storage, way_out),
                use_dualstack_endpoint=storage.dual_stack or None,
                # Newer checksums by default break stores that are not AWS (boto/boto3#4392).
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
            verify=_ca_file(self, way_out.ca) or True,
            aws_access_key_id=account.name.get_secret_value() if account else None,
            aws_secret_access_key=account.password.get_secret_value() if account else None,
        )
        adjust_requests(self._client)

    def check_bucket(self) -> None:
        """Check that the bucket exists and that objects can be written, read, listed and deleted."""
        bucket = self._storage.bucket
        key = f"{self._storage.key_prefix}{_PROBE}{self._new_id()}"
        # Not head_bucket: its errors have no body, which makes a wrong key look like a missing bucket.
        self._call("list", lambda: self._client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1))
        self.write(key, b"regmirror")
        try:
            self._call("read from", lambda: self._client.get_object(Bucket=bucket, Key=key)["Body"].read())
            self._delete_as_registry(key)
        except StorageError:
            with suppress(StorageError):
                self.delete(key)
            raise

    def _delete_as_registry(self, key: str) -> None:
        """Delete one object with DeleteObjects, which the registry does at the end of every upload."""
        if not self._delete_several([key]):
            raise UnsuitableStoreError(
                f"the store at {self._storage.endpoint or 'AWS'} does not offer DeleteObjects, which the registry "
                "needs to complete an upload",
                hint="use another S3 store, or storage.filesystem",
            )

    def read(self, key: str) -> bytes | None:
        """The content of a small object; None if it does not exist."""
        return self._get(key, lambda body: bytes(body.read()))

    def sha256(self, key: str) -> str | None:
        """The digest of an object of any size in hexadecimal, read piece by piece; None if it does not exist."""
        return self._get(key, lambda body: hashlib.file_digest(body, "sha256").hexdigest())

    def written_at(self, key: str) -> datetime | None:
        """When an object was written last; None if it does not exist."""
        found = (entry for entry in self._page(key, None).get("Contents", []) if entry["Key"] == key)
        return next((entry["LastModified"] for entry in found), None)

    def write(self, key: str, content: bytes) -> None:
        """Create or replace an object."""
        place, options = {"Bucket": self._storage.bucket, "Key": key}, write_options(self._storage)
        self._call("write to", lambda: self._client.put_object(**place, **options, Body=content))

    def delete(self, key: str) -> None:
        """Delete one object; a missing one is fine."""
        place = {"Bucket": self._storage.bucket, "Key": key}
        self._call("delete from", lambda: self._client.delete_object(**place), fine={"NoSuchKey"})

    def create_bucket(self) -> None:
        """Create the bucket; an existing one of the same account is fine."""
        place: dict[str, Any] = {}
        # Only AWS takes a location, and us-east-1 must not be given.
        if self._storage.endpoint is None and self._storage.region != "us-east-1":
            place = {"CreateBucketConfiguration": {"LocationConstraint": self._storage.region}}
        bucket, fine = self._storage.bucket, {"BucketAlreadyOwnedByYou"}
        self._call("create", lambda: self._client.create_bucket(Bucket=bucket, **place), fine)

    def measure(self, prefix: str, seconds: float) -> Contents:
        """Count the objects whose keys begin with ``prefix``, page by page, for at most ``seconds``."""
        ends = time.monotonic() + seconds
        counted, token = Contents(0, 0, complete=False), None
        while not counted.complete and (token is None or time.monotonic() < ends):
            page = self._page(prefix, token)
            sizes = [entry["Size"] for entry in page.get("Contents", [])]
            token = page.get("NextContinuationToken")
            counted = Contents(counted.objects + len(sizes), counted.size + sum(sizes), complete=token is None)
        return counted

    def objects(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose keys begin with ``prefix``, requested page by page."""
        token = None
        while True:
            page = self._page(prefix, token)
            for entry in page.get("Contents", []):
                yield StoredObject(entry["Key"], entry["Size"], entry["LastModified"])
            token = page.get("NextContinuationToken")
            if token is None:
                return

    def count_stale_uploads(self, prefix: str, before: datetime) -> int:
        """The number of multipart uploads under ``prefix`` that began before a time and never ended; at most 1000."""
        place = {"Bucket": self._storage.bucket, "Prefix": prefix}
        found = self._call(
            "list the uploads of", lambda: self._client.list_multipart_uploads(**place), fine=_NOT_OFFERED
        )
        return sum(upload["Initiated"] < before for upload in (found or {}).get("Uploads", []))

    def rules_that_take(self, prefix: str) -> list[str]:
        """The names of the lifecycle rules that delete or archive objects below ``prefix``."""
        place = {"Bucket": self._storage.bucket}
        found = self._call(
            "read the rules of", lambda: self._client.get_bucket_lifecycle_configuration(**place), fine=_NO_RULES
        )
        return taking_rules((found or {}).get("Rules", []), prefix)

    def purge(self, prefix: str) -> int:
        """Delete unfinished uploads and up to 1000 objects whose keys begin with ``prefix``; 0 when none is left."""
        place = {"Bucket": self._storage.bucket}
        uploads = self._call(
            "list the uploads of",
            lambda: self._client.list_multipart_uploads(**place, Prefix=prefix),
            fine=_NOT_OFFERED,
        )
        for upload in (uploads or {}).get("Uploads", []):
            which = place | {"Key": upload["Key"], "UploadId": upload["UploadId"]}
            self._call("delete from", partial(self._client.abort_multipart_upload, **which))
        keys = [found["Key"] for found in self._page(prefix, None).get("Contents", [])]
        if keys and not self._delete_several(keys):
            for key in keys:
                self.delete(key)
        return len(keys)

    def _delete_several(self, keys: list[str]) -> bool:
        """Delete up to 1000 objects with one request; false if the store has no such request."""
        wanted = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = self._call(
            "delete from",
            lambda: self._client.delete_objects(Bucket=self._storage.bucket, Delete=wanted),
            fine=_NOT_OFFERED,
        )
        for refused in (answer or {}).get("Errors", []):
            why = f"{refused.get('Code', 'no reason given')}: {refused.get('Message', '')}".rstrip(": ")
            raise StorageError(f"cannot delete {refused.get('Key')} from the bucket {self._storage.bucket}: {why}")
        return answer is not None

    def _get(self, key: str, consume: Callable[[Any], Content]) -> Content | None:
        place = {"Bucket": self._storage.bucket, "Key": key}
        # Without the permission to list the whole bucket, AWS answers 403 instead of 404 about a missing object.
        if not any(found["Key"] == key for found in self._page(key, None).get("Contents", [])):
            return None
        found: Content | None = self._call(
            "read from", lambda: consume(self._client.get_object(**place)["Body"]), fine={"NoSuchKey"}
        )
        return found

    def _page(self, prefix: str, token: str | None) -> Any:
        place = {"Bucket": self._storage.bucket, "Prefix": prefix} | ({"ContinuationToken": token} if token else {})
        return self._call("list", lambda: self._client.list_objects_v2(**place))

    def _call(self, what: str, call: Callable[[], Any], fine: Collection[str] = ()) -> Any:
        """The answer of the service; None if it refuses with one of the codes ``fine``."""
        where = f"the bucket {self._storage.bucket} at {self._storage.endpoint or 'AWS'}"
        try:
            return call()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in fine:
                return None
            raise store_error(self._storage, what, where, error) from error
        except NoCredentialsError as error:
            raise StorageError(
                f"cannot {what} {where}: no S3 credentials",
                hint="set storage.accessKey, or give this machine an IAM role",
            ) from error
        except SSLError as error:
            raise StorageError(
                f"cannot {what} {where}: {error}", hint=_tls_hint(str(error), self._way_out.ca)
            ) from error
        except ProxyConnectionError as error:
            # Without the error's text, which has the URL of the proxy, and so its password.
            raise StorageUnreachableError(
                f"cannot {what} {where}: the proxy does not connect to it", hint=_PROXY_HINT
            ) from error
        except (ConnectionError, HTTPClientError) as error:
            raise StorageUnreachableError(f"cannot {what} {where}: {error}", hint=_reach_hint()) from error
        except BotoCoreError as error:
            raise StorageError(f"cannot {what} {where}: {error}") from error


def _ca_file(owner: object, ca: bytes) -> str | None:
    """The path of a file of the public CAs and of ``ca``, removed with its owner; boto3 takes none from memory."""
    if not ca:
        return None
    descriptor, path = tempfile.mkstemp(prefix="regmirror-ca-", suffix=".pem")
    with os.fdopen(descriptor, "wb") as file:
        file.write(Path(str(get_cert_path(True))).read_bytes() + b"\n" + ca)
    weakref.finalize(owner, Path(path).unlink, missing_ok=True)
    return path


def _proxies(storage: S3Storage, way_out: WayOut) -> dict[str, str]:
    """Not None, for which botocore would take the proxies of the environment."""
    proxy = way_out.proxy_for(storage_url(storage))
    return {"http": proxy, "https": proxy} if proxy else {}


def _tls_hint(error: str, ca: bytes) -> str:
    if "CERTIFICATE_VERIFY_FAILED" not in error:
        return "check that the store answers https:// at storage.endpoint"
    if ca:
        return (
            "storage.caBundle does not verify the store's certificate: add the CA's root and intermediate certificates"
        )
    unused = next((name for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE") if os.environ.get(name)), None)
    reason = f"; {unused} of this machine is not used, because pods do not have it" if unused else ""
    return f"for a private CA, set storage.caBundle{reason}"


def _reach_hint() -> str:
    unused = next((name for name in ("HTTPS_PROXY", "https_proxy") if os.environ.get(name)), None)
    if unused is None:
        return "check storage.endpoint in the configuration file"
    return f"check storage.endpoint; {unused} of this machine is not used: if pods need a proxy, set egress.httpsProxy"
