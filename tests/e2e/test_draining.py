"""A download that is read slowly comes to its end, though its pod has been told to go."""

import http.client
import socket
import time
from collections.abc import Callable

import pytest

from regmirror.registry.client import RegistryClient
from regmirror.registry.reference import parse_image
from tests.e2e.deployment import Deployment
from tests.e2e.load import Load

pytestmark = pytest.mark.lab

BIG = parse_image("library/big:1")
ENTRANCE = 8080
"""The port of the pod that its Service leads to: that of the cache in front of the registry."""
FEW_BYTES = 32_768
"""The memory of this machine for a download: it must wait in the pod's."""
LAST_PART = 3_000_000
Pace = Callable[[int], float]
"""Bytes per second, by how many are still to come."""


@pytest.mark.parametrize(
    "pace",
    [
        pytest.param(lambda left: 2_000_000 if left > LAST_PART else 300_000, id="slow at its end"),
        pytest.param(lambda _: 200_000, id="longer than the registry itself would drain"),
    ],
)
def test_the_end_of_a_slow_download_is_not_lost_with_its_pod(
    new_deployment: Callable[[], Deployment], pace: Pace
) -> None:
    """The pod itself is asked: whatever an Ingress controller holds back would hide what the pod has not yet sent."""
    mirror = new_deployment()
    if not mirror.setting.is_lab:
        pytest.skip("the pods of another cluster cannot be reached from here")
    assert mirror.deploy().code == 0
    client = RegistryClient(Load(mirror).http(), f"https://{mirror.host}")
    token = client.pull_token(BIG.repository)
    layer = client.manifest(BIG, token).blobs[-1]
    client.check_blob(BIG.repository, layer, token)
    (pod,) = mirror.objects("pods", "-l", "app.kubernetes.io/name=registry")
    connection = http.client.HTTPConnection(pod["status"]["podIP"], ENTRANCE, timeout=20)
    connection.sock = frugal_connection(pod["status"]["podIP"])
    path = f"/v2/{BIG.repository}/blobs/{layer['digest']}"
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    with connection.getresponse() as answer:
        assert answer.status == 200
        mirror.kubectl("delete", "pod", pod["metadata"]["name"], "--wait=false")
        read = 0
        while piece := answer.read(50_000):
            read += len(piece)
            time.sleep(len(piece) / pace(layer["size"] - read))
    assert read == layer["size"]
    connection.close()


def frugal_connection(address: str) -> socket.socket:
    """A connection to a pod that keeps little of what comes before it is read."""
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FEW_BYTES)
    connection.settimeout(20)
    connection.connect((address, ENTRANCE))
    return connection
