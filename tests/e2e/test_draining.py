"""A slow download completes although its pod is being deleted."""

import http.client
import time
from collections.abc import Callable
from contextlib import closing, nullcontext

import pytest

from regmirror.distribution.client import RegistryClient
from regmirror.verify.sample_pull import parse_image
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.load import Load
from tests.e2e.long_runs import only_in_long_runs
from tests.e2e.s3_proxy import S3Fault, S3Proxy

pytestmark = pytest.mark.lab

BIG = parse_image("library/big:1")
FRONT_PORT = 8080
"""The port of the front, to which the Service sends requests."""
STEADY, SLOW = 2_000_000, 300_000
"""Bytes per second; read faster, the layer would wait in the buffers of this machine, not of the pod."""
LAST_PART = 3_000_000
SLOW_STORE = S3Fault(bytes_per_second=260_000)
"""So slow that the registry is not done when its drain timeout ends, 68 seconds after the deletion of the pod."""
Pace = Callable[[int], float]
"""Bytes per second, as a function of the number of remaining bytes."""


@pytest.fixture
def mirror(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror whose pods can be reached directly: buffers of an Ingress controller would hide what a pod loses."""
    made = new_mirror()
    if not made.target.is_lab:
        pytest.skip("pods can only be reached in the lab")
    return made


def test_a_slow_download_from_a_deleted_pod_completes(mirror: DeployedMirror) -> None:
    assert mirror.deploy().code == 0
    download_from_deleted_pod(mirror, lambda left: STEADY if left > LAST_PART else SLOW)


@only_in_long_runs
def test_the_registry_serves_until_the_front_has_stopped(mirror: DeployedMirror) -> None:
    lab = mirror.target.lab
    assert lab is not None
    with S3Proxy(lab["address"], lab["s3"]["endpoint"]).serving() as proxy:
        mirror.environment["S3_ENDPOINT"] = f"http://{lab['hosts']['s3']}:{proxy.port}"
        assert mirror.init().code == 0
        assert mirror.deploy().code == 0
        download_from_deleted_pod(mirror, lambda _: STEADY, lambda: proxy.fail_with(SLOW_STORE))


def download_from_deleted_pod(mirror: DeployedMirror, pace: Pace, before: Callable[[], object] = nullcontext) -> None:
    """Download a cached layer from a pod that is deleted after the first byte."""
    client = RegistryClient(Load(mirror).http(), f"https://{mirror.host}")
    token = client.pull_token(BIG.repository)
    layer = client.manifest(BIG, token).blobs[-1]
    client.check_blob(BIG.repository, layer, token)
    before()
    (pod,) = mirror.objects("pods", "-l", "app.kubernetes.io/name=registry")
    with closing(http.client.HTTPConnection(pod["status"]["podIP"], FRONT_PORT, timeout=300)) as connection:
        path = f"/v2/{BIG.repository}/blobs/{layer['digest']}"
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        assert answer.status == 200
        mirror.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
        read = 0
        while piece := answer.read(50_000):
            read += len(piece)
            time.sleep(len(piece) / pace(layer["size"] - read))
    assert read == layer["size"]
