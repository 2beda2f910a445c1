"""The small object with which the bucket is checked: no check disturbs another, and none of them is data."""

from __future__ import annotations

from threading import Barrier

from regmirror.verify.check import Passed
from tests.fakes.object_store import FakeStore
from tests.unit.deployed import deployed

SEVERAL = [
    {"name": name, "url": f"https://{name}.example.net", "host": f"{name}.example.com", "anonymousPull": ["library/*"]}
    for name in ("docker-hub", "quay", "ghcr", "gcr")
]


def test_the_buckets_of_several_upstreams_are_checked_at_the_same_time() -> None:
    mirror = deployed(upstreams=SEVERAL)
    # Each check has its object in the bucket before any of them reads it back.
    mirror.store.while_probing = Barrier(len(SEVERAL), timeout=10).wait
    assert mirror.ask_each("storage-bucket") == {one["name"]: Passed("layers") for one in SEVERAL}
    assert mirror.store.sizes == {}


def test_a_check_may_run_from_begin_to_end_within_another() -> None:
    store = FakeStore()

    def check_again() -> None:
        store.while_probing = lambda: None
        store.check_bucket()

    store.while_probing = check_again
    store.check_bucket()
    assert store.sizes == {}
