"""Tests of every implementation of the ObjectStore port."""

from __future__ import annotations

import hashlib
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from lab.target_cluster import TargetCluster
from regmirror.adapters.object_store import S3ObjectStore
from regmirror.config.model import S3Storage
from regmirror.desired.mirror_secrets import Account
from regmirror.errors import BucketMissingError, StorageError, StorageUnreachableError
from regmirror.ports.object_store import Contents
from tests.ports.conftest import StorePlace


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.lab)])
def place(request: pytest.FixtureRequest) -> StorePlace:
    """A bucket that does not exist yet, in memory and in the cluster."""
    found: StorePlace = request.getfixturevalue(f"{request.param}_store")
    return found


def test_a_bucket_is_missing_until_it_is_created(place: StorePlace) -> None:
    with pytest.raises(BucketMissingError, match="does not exist"):
        place.store.check_bucket()
    place.store.create_bucket()
    place.store.check_bucket()


def test_checking_the_bucket_leaves_nothing_in_it(place: StorePlace) -> None:
    place.store.create_bucket()
    place.store.check_bucket()
    assert place.objects() == []


def test_an_object_is_written_read_replaced_and_deleted(place: StorePlace) -> None:
    place.store.create_bucket()
    assert place.store.read("hub/.owner") is None
    place.store.write("hub/.owner.backup", b"other")
    assert place.store.read("hub/.owner") is None
    place.store.write("hub/.owner", b"one")
    place.store.write("hub/.owner", b"two")
    assert place.store.read("hub/.owner") == b"two"
    for _ in range(2):
        place.store.delete("hub/.owner")
    assert place.store.read("hub/.owner") is None
    assert place.store.read("hub/.owner.backup") == b"other"


def test_the_digest_of_an_object_is_that_of_all_its_pieces(place: StorePlace) -> None:
    place.store.create_bucket()
    content = secrets.token_bytes(3 * 2**20 + 1)
    place.store.write("hub/data.old", b"other")
    assert place.store.sha256("hub/data") is None
    place.store.write("hub/data", content)
    assert place.store.sha256("hub/data") == hashlib.sha256(content).hexdigest()


def test_it_is_known_when_an_object_was_written(place: StorePlace) -> None:
    place.store.create_bucket()
    place.store.write("hub/link.old", b"x")
    assert place.store.written_at("hub/link") is None
    place.store.write("hub/link", b"x")
    written = place.store.written_at("hub/link")
    assert written is not None
    assert abs(datetime.now(UTC) - written) < timedelta(hours=1)


def test_checks_of_the_bucket_at_the_same_time_do_not_disturb_each_other(place: StorePlace) -> None:
    place.store.create_bucket()
    with ThreadPoolExecutor(16) as threads:
        checks = [threads.submit(place.store.check_bucket) for _ in range(64)]
    assert [check.exception() for check in checks] == [None] * 64
    assert place.objects() == []


def test_objects_are_listed_below_a_prefix_in_the_order_of_their_keys(place: StorePlace) -> None:
    place.store.create_bucket()
    assert [*place.store.objects("hub/")] == []
    for number in reversed(range(1005)):
        place.put(f"hub/{number:04}", number % 3)
    place.put("hubris", 1)
    found = [*place.store.objects("hub/")]
    assert [(each.key, each.size) for each in found] == [(f"hub/{number:04}", number % 3) for number in range(1005)]
    assert all(each.written.tzinfo for each in found)


def test_objects_are_counted_below_a_prefix(place: StorePlace) -> None:
    place.store.create_bucket()
    assert place.store.measure("", 10.0) == Contents(0, 0)
    for key, size in {"hub/a": 10, "hub/b/c": 5, "hubris": 100}.items():
        place.put(key, size)
    assert place.store.measure("hub/", 10.0) == Contents(2, 15)
    assert place.store.measure("", 10.0) == Contents(3, 115)


def test_counting_stops_at_its_limit_and_reports_that(place: StorePlace) -> None:
    place.store.create_bucket()
    for number in range(1001):
        place.put(f"hub/{number}", 1)
    assert place.store.measure("", 0.0) == Contents(1000, 1000, complete=False)
    assert place.store.measure("", 60.0) == Contents(1001, 1001)


def test_incomplete_uploads_are_counted_by_age(place: StorePlace) -> None:
    place.store.create_bucket()
    place.begin("hub/a")
    place.begin("hubris")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert place.store.count_stale_uploads("hub/", tomorrow) == 1
    assert place.store.count_stale_uploads("hub/", tomorrow - timedelta(days=2)) == 0


def test_purges_only_objects_below_a_prefix_in_batches(place: StorePlace) -> None:
    place.store.create_bucket()
    for number in range(1001):
        place.put(f"hub/{number}", 1)
    place.put("hubris", 100)
    place.begin("hub/unfinished")
    assert [place.store.purge("hub/") for _ in range(3)] == [1000, 1, 0]
    assert place.store.measure("", 10.0) == Contents(1, 100)
    assert place.store.count_stale_uploads("", datetime.now(UTC) + timedelta(days=1)) == 0


def test_a_new_bucket_has_no_lifecycle_rule(place: StorePlace) -> None:
    place.store.create_bucket()
    assert place.store.rules_that_take("hub/") == []


def test_a_missing_bucket_cannot_be_counted(place: StorePlace) -> None:
    with pytest.raises(BucketMissingError, match="does not exist"):
        place.store.measure("", 10.0)
    with pytest.raises(BucketMissingError, match="does not exist"):
        place.store.read("hub/.owner")


@pytest.mark.lab
@pytest.mark.parametrize("part", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_rejected_key_is_reported_without_the_key(target: TargetCluster, real_store: StorePlace, part: str) -> None:
    real_store.store.create_bucket()
    wrong = {**target.environment, part: "CANARYCANARYCANARY00"}
    storage = S3Storage(bucket=real_store.bucket, region=wrong["S3_REGION"], endpoint=wrong.get("S3_ENDPOINT"))
    account = Account(SecretStr(wrong["AWS_ACCESS_KEY_ID"]), SecretStr(wrong["AWS_SECRET_ACCESS_KEY"]))
    with pytest.raises(StorageError, match="the S3 key is refused") as caught:
        S3ObjectStore(storage, account).check_bucket()
    assert "CANARY" not in f"{caught.value.message}{caught.value.hint}"


def test_an_unreachable_store_is_reported_with_its_address() -> None:
    storage = S3Storage(bucket="port-none", region="here", endpoint="http://127.0.0.1:1")
    store = S3ObjectStore(storage, Account(SecretStr("id"), SecretStr("canary")))
    with pytest.raises(StorageUnreachableError, match=r"the bucket port-none at http://127\.0\.0\.1:1") as caught:
        store.check_bucket()
    assert caught.value.hint == "check storage.endpoint in the configuration file"


def test_a_store_that_never_answers_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        storage = S3Storage(bucket="silent", region="here", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        store = S3ObjectStore(storage, Account(SecretStr("id"), SecretStr("canary")), timeout=0.1)
        with pytest.raises(StorageUnreachableError, match="the bucket silent at"):
            store.check_bucket()
        silent.settimeout(300)
        for _ in range(2):
            silent.accept()[0].close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()
