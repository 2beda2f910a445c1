"""Manifests that distribution accepts from nobody, and that an upstream has all the same."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from lab.oci import CONFIGURATION, MANIFEST
from regmirror.distribution.client import MANIFEST_TYPES
from regmirror.ports.http import Answer
from tests.e2e.any_registry import AnyRegistry
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.layer import client_of, token_for
from tests.e2e.upstream_artifacts import digest_of

pytestmark = pytest.mark.lab

REPOSITORY = "library/odd"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
UNKNOWN = "application/vnd.example.manifest+json"


def image(size: int = 0, kind: str = MANIFEST) -> bytes:
    config = {"mediaType": CONFIGURATION, "digest": digest_of(b"{}"), "size": 2}
    annotations = {"padding": "x" * size}
    document = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [], "annotations": annotations}
    return json.dumps(document).encode()


@dataclass(frozen=True)
class Odd:
    """A manifest of the upstream, and how the mirror answers; without a message, with the manifest."""

    body: bytes
    kind: str = MANIFEST
    status: int = 200
    message: str = ""


ODD = {
    "5-MB": Odd(image(5_000_000)),
    "9-MB": Odd(image(9_000_000), status=502, message="the body is too large"),
    "schema-1": Odd(b'{"schemaVersion": 1}', SCHEMA1, 404, f"does not support manifests of the type {SCHEMA1}"),
    "unknown-type": Odd(image(0, UNKNOWN), UNKNOWN, 404, f"does not support manifests of the type {UNKNOWN}"),
    "type-with-parameter": Odd(image(1), f"{MANIFEST}; charset=utf-8"),
    # Such as the page of an HTTP proxy: a failure, and not the absence of the image.
    "page": Odd(b"<html>", "text/html", 500, "text/html"),
    "broken": Odd(b"{", MANIFEST, 500, "unexpected end of JSON input"),
}


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> Iterator[DeployedMirror]:
    """A mirror of an upstream that has all of these manifests."""
    mirror, upstream = new_mirror(), AnyRegistry()
    lab = mirror.target.lab
    if lab is None:
        pytest.skip("only the lab's pods can reach an upstream that runs here")
    for tag, odd in ODD.items():
        upstream.add(tag, odd.body, odd.kind)
    with upstream.serving(lab["address"]):
        mirror.change_upstream(url=f"http://{lab['hosts']['hub']}:{upstream.port}")
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.stderr
        yield mirror


def ask(mirror: DeployedMirror, reference: str, method: str = "GET") -> Answer:
    path = f"/v2/{REPOSITORY}/manifests/{reference}"
    return client_of(mirror).request(method, path, token_for(mirror, REPOSITORY), MANIFEST_TYPES)


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_manifest_is_served_as_it_is_or_refused_with_a_reason(mirror: DeployedMirror, kind: str) -> None:
    odd, digest = ODD[kind], digest_of(ODD[kind].body)
    for reference in (kind, digest, kind):
        head, answer = ask(mirror, reference, "HEAD"), ask(mirror, reference)
        assert (head.status, answer.status) == (odd.status, odd.status), answer.body[:500]
        if odd.message:
            (error,) = json.loads(answer.body)["errors"]
            assert odd.message in f"{error['message']} {error.get('detail', '')}"
        else:
            assert answer.body == odd.body
            assert {found.headers["docker-content-digest"] for found in (head, answer)} == {digest}


def test_a_manifest_can_be_pulled_by_another_algorithm(mirror: DeployedMirror) -> None:
    odd = ODD["type-with-parameter"]
    digest = digest_of(odd.body, "sha512")
    for _ in range(2):
        answer = ask(mirror, digest)
        assert (answer.status, answer.body) == (200, odd.body)
        assert answer.headers["docker-content-digest"] == digest
