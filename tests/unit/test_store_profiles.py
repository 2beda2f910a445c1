"""A profile sets what its store always has, and refuses what the store does not accept."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.config.storage import S3Storage
from regmirror.config.store_profiles import PROFILES
from regmirror.errors import ConfigurationError
from tests import samples

R2, B2 = "https://acme.r2.cloudflarestorage.com", "https://s3.us-west-004.backblazeb2.com"
VPC = "https://bucket.vpce-1a2b.s3.eu-central-1.vpce.amazonaws.com"


def storage(**keys: Any) -> S3Storage:
    return samples.mirror(storage={"bucket": "layers", **keys}).storage


@pytest.mark.parametrize(
    ("profile", "endpoint", "region"),
    [
        ("r2", R2, "auto"),
        ("b2", B2, "us-west-004"),
        ("gcs", "https://storage.googleapis.com", "auto"),
        ("garage", "http://garage.storage.svc:3900", "garage"),
        ("ceph", "https://rgw.example.com", "us-east-1"),
        ("seaweedfs", "http://weed:8333", "us-east-1"),
        ("versitygw", "http://gateway:7070", "us-east-1"),
        ("minio", "http://minio:9000", "us-east-1"),
    ],
)
def test_the_region_of_a_store_is_known(profile: str, endpoint: str, region: str) -> None:
    found = storage(profile=profile, endpoint=endpoint)
    assert (found.region, found.uses_path_style) == (region, True)


def test_every_profile_but_that_of_amazon_knows_its_region() -> None:
    assert {name for name, profile in PROFILES.items() if not (profile.region or profile.hosts)} == set()
    with pytest.raises(ConfigurationError, match=r"storage\.region: required key is missing"):
        storage(profile="aws")
    assert not storage(profile="aws", region="eu-central-1").uses_path_style
    assert storage(profile="aws", region="eu-central-1", endpoint=VPC).endpoint == VPC


def test_the_endpoint_of_google_is_known() -> None:
    assert storage(profile="gcs").endpoint == "https://storage.googleapis.com"


def test_a_region_of_your_own_is_kept_where_stores_differ() -> None:
    assert storage(profile="garage", endpoint="http://garage:3900", region="home").region == "home"


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"profile": "r2", "endpoint": R2, "region": "eu-west-1"}, "storage.region: must be auto for Cloudflare R2"),
        ({"profile": "r2"}, "storage.endpoint: is required for Cloudflare R2, such as https://ACCOUNT"),
        ({"profile": "r2", "endpoint": "https://s3.example.com"}, "is not an endpoint of Cloudflare R2"),
        ({"profile": "b2", "endpoint": B2.replace("https", "http")}, "is not an endpoint of Backblaze B2"),
        ({"profile": "b2", "endpoint": B2, "region": "eu-central-003"}, "storage.region: must be us-west-004"),
        ({"profile": "gcs", "endpoint": "https://s3.example.com"}, "is not an endpoint of Google Cloud Storage"),
        ({"profile": "aws", "region": "x", "endpoint": "https://s3.example.com"}, "is not an endpoint of Amazon S3"),
        ({"profile": "garage"}, "storage.endpoint: is required for Garage"),
        (
            {"profile": "garage", "endpoint": "http://garage:3900", "encryption": {"type": "SSE-S3"}},
            "storage.encryption: Garage does not offer SSE-S3: remove the key",
        ),
        (
            {"profile": "b2", "endpoint": B2, "encryption": {"type": "KMS", "kmsKey": "k"}},
            "storage.encryption: Backblaze B2 does not offer KMS: use SSE-S3",
        ),
        ({"region": "x", "encryption": {"type": "KMS"}}, "storage.encryption.kmsKey: is required with KMS"),
        ({"region": "x", "encryption": {"type": "SSE-S3", "kmsKey": "k"}}, "kmsKey: has no effect with SSE-S3"),
        ({"region": "x", "endpoint": "https://s3.example.com", "dualStack": True}, "dualStack: has no effect"),
        ({"filesystem": {"size": "1Gi"}}, "storage.bucket: has no effect with filesystem"),
        ({"filesystem": {"size": "1Gi"}, "profile": "gcs"}, "storage.bucket: has no effect with filesystem"),
        (
            {"filesystem": {"size": "1Gi"}, "storageClass": "local-path"},
            "storage.storageClass: is the class of objects in a bucket: set filesystem.storageClass",
        ),
        ({"filesystem": {"size": "1e9999999"}}, "storage.filesystem.size: '1e9999999' is not a quantity"),
        ({"filesystem": {"size": 100}}, "storage.filesystem.size: 100 is less than 1Mi: write a unit, such as 100Gi"),
        ({"profile": "s3"}, "storage.profile: must be"),
        ({"profile": "garage", "endpoint": "http://["}, "storage.endpoint: "),
        ({"profile": "garage", "endpoint": 7}, "storage.endpoint: expected a string"),
    ],
)
def test_a_wrong_combination_is_refused(keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        storage(**keys)
    assert problem in caught.value.message


def test_a_mirror_needs_a_bucket_or_a_volume() -> None:
    with pytest.raises(ConfigurationError, match="without an S3 store, set filesystem"):
        samples.mirror(storage={})
    for filesystem, problem in (({}, "size: is required"), ({"claim": "a", "size": "1Gi"}, "size: has no effect")):
        with pytest.raises(ConfigurationError, match=problem):
            samples.mirror(storage={"filesystem": filesystem})
