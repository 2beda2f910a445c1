"""A download that takes long comes to its end, though its pod has been told to go."""

import http.client
import time
from collections.abc import Callable
from contextlib import closing, nullcontext

import pytest

from regmirror.distribution.client import RegistryClient
from regmirror.distribution.reference import parse_image
from tests.e2e.deployed_mirror import Deployment
from tests.e2e.load import Load
from tests.e2e.s3_proxy import S3Door, S3Fault

pytestmark = pytest.mark.lab

BIG = parse_image("library/big:1")
ENTRANCE = 8080
"""The port of the pod that its Service leads to: that of the cache in front of the registry."""
STEADY, SLOW = 2_000_000, 300_000
"""Bytes per second; read at once, the layer would wait in the memory of this machine and not in the pod's."""
LAST_PART = 3_000_000
SLOW_STORE = S3Fault(bytes_per_second=260_000)
"""So the registry is not done with the layer when its own time for draining is over, 68 seconds after the pod's end."""
Pace = Callable[[int], float]
"""Bytes per second, by how many are still to come."""


@pytest.fixture
def mirror(new_deployment: Callable[[], Deployment]) -> Deployment:
    """A mirror whose pods can be asked directly: what an Ingress controller holds back would hide what a pod loses."""
    made = new_deployment()
    if not made.setting.is_lab:
        pytest.skip("the pods of another cluster cannot be reached from here")
    return made


def test_the_end_of_a_slow_download_is_not_lost_with_its_pod(mirror: Deployment) -> None:
    assert mirror.deploy().code == 0
    download_from_pod_that_goes(mirror, lambda left: STEADY if left > LAST_PART else SLOW)


def test_the_registry_serves_on_until_the_cache_in_front_of_it_has_ended(mirror: Deployment) -> None:
    lab = mirror.setting.lab
    assert lab is not None
    with S3Door(lab["address"], lab["s3"]["endpoint"]).serving() as door:
        mirror.environment["S3_ENDPOINT"] = f"http://{lab['hosts']['s3']}:{door.port}"
        assert mirror.init().code == 0
        assert mirror.deploy().code == 0
        download_from_pod_that_goes(mirror, lambda _: STEADY, lambda: door.break_by(SLOW_STORE))


def download_from_pod_that_goes(mirror: Deployment, pace: Pace, before: Callable[[], object] = nullcontext) -> None:
    """A layer that the mirror has is read to its end, from a pod that is deleted when its first byte has come."""
    client = RegistryClient(Load(mirror).http(), f"https://{mirror.host}")
    token = client.pull_token(BIG.repository)
    layer = client.manifest(BIG, token).blobs[-1]
    client.check_blob(BIG.repository, layer, token)
    before()
    (pod,) = mirror.objects("pods", "-l", "app.kubernetes.io/name=registry")
    with closing(http.client.HTTPConnection(pod["status"]["podIP"], ENTRANCE, timeout=20)) as connection:
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
