"""A download that is read slowly comes to its end, though its pod has been told to go."""

import base64
import http.client
import json
import socket
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from regmirror.registry.client import RegistryClient
from regmirror.registry.reference import parse_image
from regmirror.stack import names
from tests.e2e.deployment import Deployment, Object
from tests.e2e.load import Load

pytestmark = pytest.mark.lab

BIG = parse_image("library/big:1")
REGISTRY = "app.kubernetes.io/name=registry"
ENTRANCE = 8080
"""The port of the pod that its Service leads to: that of the cache in front of the registry."""
FEW_BYTES = 32_768
"""The memory of this machine for a download: it must wait in the pod's."""
DRAINS = '"draintimeout": "60s"'
LAST_PART = 3_000_000
Pace = Callable[[int], float]
"""Bytes per second, by how many are still to come."""


@pytest.fixture
def mirror(new_deployment: Callable[[], Deployment]) -> Deployment:
    """A mirror whose pods can be asked directly: what an Ingress controller holds back would hide what a pod loses."""
    made = new_deployment()
    if not made.setting.is_lab:
        pytest.skip("the pods of another cluster cannot be reached from here")
    assert made.deploy().code == 0
    return made


def test_the_end_of_a_slow_download_is_not_lost_with_its_pod(mirror: Deployment) -> None:
    assert_read_to_its_end(mirror, lambda left: 2_000_000 if left > LAST_PART else 300_000)


def test_the_registry_serves_on_until_the_cache_in_front_of_it_has_ended(mirror: Deployment) -> None:
    """By itself it would end a second after it was told to."""
    secret = names.registry_secret("docker-hub")
    (encoded,) = json.loads(mirror.kubectl("get", "secret", secret, "-o", "json"))["data"].values()
    config = base64.b64decode(encoded).decode()
    assert DRAINS in config
    impatient = {"stringData": {"config.yml": config.replace(DRAINS, '"draintimeout": "1s"')}}
    mirror.kubectl("patch", "secret", secret, "-p", json.dumps(impatient))
    mirror.kubectl("delete", "pod", "-l", REGISTRY)
    mirror.kubectl("wait", "pod", "-l", REGISTRY, "--for=condition=Ready", "--timeout=60s")
    assert_read_to_its_end(mirror, lambda _: 600_000)


def assert_read_to_its_end(mirror: Deployment, pace: Pace) -> None:
    """A layer, whose pod is deleted when its first byte has come."""
    client = RegistryClient(Load(mirror).http(), f"https://{mirror.host}")
    token = client.pull_token(BIG.repository)
    layer = client.manifest(BIG, token).blobs[-1]
    client.check_blob(BIG.repository, layer, token)
    (pod,) = mirror.objects("pods", "-l", REGISTRY)
    with closing(frugal_connection(pod)) as connection:
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


def frugal_connection(pod: Object) -> http.client.HTTPConnection:
    """A connection to a pod that keeps little of what comes before it is read."""
    address = pod["status"]["podIP"]
    plain = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FEW_BYTES)
    plain.settimeout(20)
    plain.connect((address, ENTRANCE))
    connection = http.client.HTTPConnection(address, ENTRANCE)
    connection.sock = plain
    return connection
