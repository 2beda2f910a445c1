"""A download that is read slowly comes to its end, though its pod has been told to go."""

import http.client
import time
from collections.abc import Callable

import pytest

from regmirror.registry.client import RegistryClient
from regmirror.registry.reference import parse_image
from tests.e2e.deployment import Deployment
from tests.e2e.load import Load

pytestmark = pytest.mark.lab

BIG = parse_image("library/big:1")
STEADY, SLOW = 2_000_000, 300_000
"""Bytes per second; read at once, the layer would wait in the memory of this machine and not in the pod's."""
LAST_PART = 3_000_000
ENTRANCE = 8080
"""The port of the pod that its Service leads to: that of the cache in front of the registry."""


def test_the_end_of_a_slow_download_is_not_lost_with_its_pod(new_deployment: Callable[[], Deployment]) -> None:
    """The pod itself is asked: whatever an Ingress controller holds back would hide what the pod has not yet sent."""
    mirror = new_deployment()
    if not mirror.setting.is_lab:
        pytest.skip("the pods of another cluster cannot be reached from here")
    assert mirror.deploy().code == 0
    client = RegistryClient(Load(mirror).http(), f"https://{mirror.host}")
    token = client.pull_token(BIG.repository)
    layer = client.manifest(BIG, token).blobs[-1]
    (pod,) = mirror.objects("pods", "-l", "app.kubernetes.io/name=registry")
    connection = http.client.HTTPConnection(pod["status"]["podIP"], ENTRANCE, timeout=20)
    path = f"/v2/{BIG.repository}/blobs/{layer['digest']}"
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    with connection.getresponse() as answer:
        assert answer.status == 200
        mirror.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
        read = 0
        while piece := answer.read(50_000):
            read += len(piece)
            time.sleep(len(piece) / (STEADY if read < layer["size"] - LAST_PART else SLOW))
    assert read == layer["size"]
    connection.close()
