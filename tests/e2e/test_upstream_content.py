"""Content of the upstream that the mirror must not keep, or that only its account can read."""

import hashlib
import json
import re
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import addresses, sample_images
from regmirror.adapters.http import Urllib3Http, parse_resolve
from regmirror.distribution.client import MANIFEST_TYPES, Manifest, RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError
from regmirror.verify.sample_pull import parse_image
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_hub import published
from tests.e2e.inject import bucket_client, hub
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.lab

_STORED = re.compile(r".*/blobs/sha256/../([0-9a-f]{64})/data")


@pytest.fixture
def in_lab(mirror: DeployedMirror) -> DeployedMirror:
    if mirror.target.lab is None:
        pytest.skip("only the lab's Docker Hub can send wrong content, and has a private repository")
    return mirror


@pytest.fixture
def client(in_lab: DeployedMirror) -> RegistryClient:
    resolve = parse_resolve([f"{in_lab.host}:443:{in_lab.target.address}"])
    return RegistryClient(Urllib3Http(resolve, in_lab.target.authority, timeout=300.0), f"https://{in_lab.host}")


@pytest.fixture
def image(in_lab: DeployedMirror, tmp_path: Path) -> Iterator[ImageReference]:
    """A new image at the upstream, by digest; at the end, the bucket holds nothing that does not match its digest."""
    name = published(f"acme/checked-{secrets.token_hex(4)}", tmp_path)
    words = ["crane", "digest", "--insecure", f"{addresses.HUB_STORAGE}/{name}"]
    digest = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    yield ImageReference(name.partition(":")[0], digest)
    assert wrong_objects(in_lab) == []


def corrupt(kind: str, mirror: DeployedMirror) -> None:
    hub("/faults", {"registry": {"mode": "corrupt", "only": kind}}, {})(mirror)


def end_faults(mirror: DeployedMirror) -> None:
    hub("/faults", {}, {})(mirror)


def wrong_objects(mirror: DeployedMirror) -> list[str]:
    """The objects of the bucket whose content does not match the digest in their key."""
    store, bucket = bucket_client(mirror), mirror.environment["S3_BUCKET"]
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    found = [_STORED.fullmatch(entry["Key"]) for page in pages for entry in page.get("Contents", [])]
    return [
        match[0]
        for match in found
        if match
        and hashlib.sha256(store.get_object(Bucket=bucket, Key=match[0])["Body"].read()).hexdigest() != match[1]
    ]


def test_a_wrong_manifest_is_refused_and_forgotten(
    in_lab: DeployedMirror, client: RegistryClient, image: ImageReference
) -> None:
    token = client.pull_token(image.repository)
    path = f"/v2/{image.repository}/manifests/{image.reference}"
    corrupt("manifests", in_lab)
    try:
        assert client.request("GET", path, token, MANIFEST_TYPES).status >= 500
    finally:
        end_faults(in_lab)
    # The front keeps the refusal for two seconds.
    wait_until(lambda: client.request("GET", path, token, MANIFEST_TYPES).status == 200)
    assert client.manifest(image, token).digest == image.reference


def test_a_wrong_layer_is_refused_and_forgotten(
    in_lab: DeployedMirror, client: RegistryClient, image: ImageReference
) -> None:
    token = client.pull_token(image.repository)
    (layer,) = _layers(client.manifest(image, token))
    corrupt("blobs", in_lab)
    try:
        with pytest.raises(RegistryError):
            client.check_blob(image.repository, {"digest": layer}, token)
    finally:
        end_faults(in_lab)
    assert client.check_blob(image.repository, {"digest": layer}, token) > 0


def _layers(manifest: Manifest) -> list[str]:
    return [blob["digest"] for blob in manifest.blobs[1:]]


def test_verify_warns_of_an_image_that_only_the_account_can_read(
    in_lab: DeployedMirror, client: RegistryClient
) -> None:
    """A wildcard and an account publish it: everyone gets it, and verify says so."""
    private = parse_image(f"{sample_images.PRIVATE}:1")
    assert client.manifest(private, client.pull_token(private.repository)).digest
    report = in_lab.verify("--image", str(private), "--check", "upstream-private").document
    (check,) = [check for check in report["checks"] if check["id"] == "upstream-private"]
    assert check["result"] == "warning"
    assert f"only the mirror's account can read {private}" in check["message"]
    validated = in_lab.regmirror("config", "validate", "-o", "json")
    assert "acme/* together with credentials" in json.dumps(validated.document["warnings"])
