"""What S3 stores and bucket policies refuse is answered with what to set."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import SecretStr

from regmirror.adapters.object_store import S3ObjectStore
from regmirror.adapters.store_errors import store_error
from regmirror.config.model import S3Storage
from regmirror.desired.mirror_secrets import Account
from regmirror.errors import StorageError, StoreRegionError, UnsuitableStoreError, WriteRefusedError
from tests.ports.s3_stub import S3Stub

KEY = "arn:aws:kms:eu-central-1:123456789012:key/1"
KMS_HEADERS = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": KEY}


def check(stub: S3Stub, **storage: Any) -> None:
    """Check the bucket of a store with the other keys of the section ``storage``."""
    with stub.serving() as endpoint:
        open_store(endpoint, **storage).check_bucket()


def open_store(endpoint: str, **storage: Any) -> S3ObjectStore:
    content = {"bucket": "layers", "region": "us-east-1", "endpoint": endpoint, **storage}
    return S3ObjectStore(S3Storage.model_validate(content), Account(SecretStr("id"), SecretStr("canary")), 5.0)


@pytest.mark.parametrize("redirects", [False, True])
@pytest.mark.parametrize("names_region", ["field", "header", "message"])
def test_a_wrong_region_is_answered_with_the_right_one(names_region: str, redirects: bool) -> None:
    stub = S3Stub(region="garage", names_region=names_region, redirects=redirects)
    with pytest.raises(StoreRegionError, match="the store expects the region garage, not us-east-1") as caught:
        check(stub)
    assert caught.value.hint == "set storage.region: garage"
    check(stub, region="garage")
    check(stub, region=None, profile="garage")


def test_a_store_that_does_not_name_its_region_is_not_guessed() -> None:
    with pytest.raises(StoreRegionError, match="the store refuses the region us-east-1") as caught:
        check(S3Stub(region="garage", names_region="nowhere"))
    assert "storage.profile" in str(caught.value.hint)


def test_the_request_is_not_repeated_for_the_right_region_as_the_registry_would_not() -> None:
    stub = S3Stub(region="eu-west-1")
    with pytest.raises(StoreRegionError):
        check(stub)
    assert len(stub.requests) == 1


def test_a_policy_that_demands_encryption_is_not_mistaken_for_a_wrong_key() -> None:
    with pytest.raises(WriteRefusedError, match="although it can be listed: a policy refuses writes") as caught:
        check(S3Stub(required=KMS_HEADERS))
    assert "set storage.encryption" in str(caught.value.hint)
    assert "accessKey" not in str(caught.value.hint)


@pytest.mark.parametrize(
    ("required", "storage"),
    [
        (KMS_HEADERS, {"encryption": {"type": "KMS", "kmsKey": KEY}}),
        ({"x-amz-server-side-encryption": "AES256"}, {"encryption": {"type": "SSE-S3"}}),
        ({"x-amz-storage-class": "STANDARD_IA"}, {"storageClass": "STANDARD_IA"}),
    ],
)
def test_every_object_is_written_with_the_headers_of_the_configuration(
    required: dict[str, str], storage: dict[str, Any]
) -> None:
    stub = S3Stub(required=required)
    check(stub, **storage)
    with stub.serving() as endpoint:
        open_store(endpoint, **storage).write("hub/.owner", b"one")
    assert stub.objects == {"hub/.owner": b"one"}


def test_a_key_that_may_not_be_used_is_named() -> None:
    with pytest.raises(WriteRefusedError) as caught:
        check(S3Stub(required={"x-amz-server-side-encryption": "other"}), encryption={"type": "KMS", "kmsKey": KEY})
    assert "kms:GenerateDataKey" in str(caught.value.hint)


def test_a_header_that_the_store_does_not_know_is_named() -> None:
    with pytest.raises(WriteRefusedError) as caught:
        check(S3Stub(refused=("x-amz-storage-class",)), storageClass="STANDARD")
    assert "storage.storageClass" in str(caught.value.hint)
    check(S3Stub(refused=("x-amz-storage-class",)), storageClass="NONE")


def test_older_stores_accept_the_checksum_of_deletes() -> None:
    stub = S3Stub(knows_crc=False)
    check(stub)
    assert stub.objects == {}


def test_a_store_without_a_request_that_the_registry_needs_is_refused() -> None:
    stub = S3Stub(deletes_several=False)
    with pytest.raises(UnsuitableStoreError, match="does not offer DeleteObjects"):
        check(stub)
    assert stub.objects == {}


def test_data_is_purged_where_only_single_objects_can_be_deleted() -> None:
    stub = S3Stub(deletes_several=False, objects={"hub/a": b"1", "hub/b": b"2", "hubris": b"3"})
    with stub.serving() as endpoint:
        assert open_store(endpoint).purge("hub/") == 2
    assert list(stub.objects) == ["hubris"]


def test_what_the_store_says_is_part_of_the_message() -> None:
    with pytest.raises(StorageError, match=r"Busy \(try later\)"):
        check(S3Stub(failure="Busy"))


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://account.r2.cloudflarestorage.com", "auto"),
        ("https://account.eu.r2.cloudflarestorage.com", "auto"),
        ("https://s3.us-west-004.backblazeb2.com", "us-west-004"),
    ],
)
def test_the_region_of_a_service_is_known_where_its_answer_does_not_name_it(endpoint: str, region: str) -> None:
    """Cloudflare R2 answers with a list of its jurisdictions."""
    message = "The region name 'eu-central-1' is not valid. Must be one of: wnam, enam, weur, eeur, apac, auto"
    answer: Any = {"Error": {"Code": "InvalidRegionName", "Message": message}}
    content = {"bucket": "layers", "region": "eu-central-1", "endpoint": endpoint}
    error = store_error(S3Storage.model_validate(content), "list", "the bucket layers", ClientError(answer, "List"))
    assert isinstance(error, StoreRegionError)
    assert error.hint == f"set storage.region: {region}"
