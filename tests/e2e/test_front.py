"""The front is the only way to docker_auth and the registry, and limits what reaches them."""

import http.client
import secrets
import socket
from collections.abc import Callable
from contextlib import closing

import pytest

from regmirror.distribution.client import RegistryClient
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_hub import requests
from tests.e2e.load import Load

pytestmark = pytest.mark.lab

FRONT_PORT = 8080
BEHIND = {"auth": 5001, "registry": 5000}
"""The ports of the programs, on loopback."""


@pytest.fixture
def client(mirror: DeployedMirror) -> RegistryClient:
    return RegistryClient(Load(mirror).http(), f"https://{mirror.host}")


@pytest.mark.parametrize("name", BEHIND)
def test_only_the_front_of_a_pod_can_be_reached(mirror: DeployedMirror, name: str) -> None:
    if not mirror.target.is_lab:
        pytest.skip("pods can only be reached in the lab")
    for pod in mirror.objects("pods", "-l", f"app.kubernetes.io/name={name}"):
        address = pod["status"]["podIP"]
        with closing(socket.create_connection((address, FRONT_PORT), timeout=30)):
            pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((address, BEHIND[name]), timeout=30)


def test_docker_auth_is_asked_for_tokens_only(mirror: DeployedMirror, client: RegistryClient) -> None:
    question = f"/auth?service={mirror.host}"
    assert client.request("GET", question).status == 200
    assert [client.request(method, question).status for method in ("POST", "PUT", "DELETE")] == [405] * 3
    # The Ingress controller itself answers paths that lead nowhere.
    assert [client.request("GET", path).status for path in ("/google_auth", "/auth/x")] == [404, 404]


def test_a_url_with_very_many_scopes_is_refused(mirror: DeployedMirror, client: RegistryClient) -> None:
    scope = "&scope=repository%3Alibrary%2Fabcdefgh%3Apull"
    assert client.request("GET", f"/auth?service={mirror.host}{scope * 300}").status == 200
    assert client.request("GET", f"/auth?service={mirror.host}{scope * 2000}").status in {400, 414, 431}


def test_a_tag_that_does_not_exist_is_looked_up_once_in_a_while(mirror: DeployedMirror, client: RegistryClient) -> None:
    if not mirror.target.is_lab:
        pytest.skip("requests to the upstream are counted in the lab")
    path, token = f"/v2/library/demo/manifests/absent-{secrets.token_hex(4)}", client.pull_token("library/demo")
    assert client.request("GET", path, token).status == 404
    before = requests(mirror.target, "library/demo")
    assert [client.request("GET", path, token).status for _ in range(3)] == [404] * 3
    assert requests(mirror.target, "library/demo") == before
    assert client.request("GET", path).status == 401


def test_a_mirror_with_network_policies_is_healthy(new_mirror: Callable[[], DeployedMirror]) -> None:
    """Whether the cluster enforces them is up to its network plugin."""
    made = new_mirror()
    everyone = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    made.change_file(networkPolicies={"enabled": True, "ingressFrom": everyone})
    outcome = made.deploy()
    assert outcome.code == 0, outcome.stderr
    policies = {policy["metadata"]["name"] for policy in made.objects("networkpolicies")}
    assert policies == {"regmirror-redis", "regmirror-auth", "regmirror-docker-hub"}
    made.await_healthy()
    made.change_file(networkPolicies={"enabled": False, "ingressFrom": []})
    assert made.deploy().code == 0
    assert made.objects("networkpolicies") == []


def test_a_large_body_is_answered_as_a_request_without_it(mirror: DeployedMirror) -> None:
    """That it does not reach the registry is proven with nginx itself (tests/charts/test_front.py)."""
    if not mirror.target.is_lab:
        pytest.skip("pods can only be reached in the lab")
    (pod,) = mirror.objects("pods", "-l", "app.kubernetes.io/name=registry")
    with closing(http.client.HTTPConnection(pod["status"]["podIP"], FRONT_PORT, timeout=60)) as connection:
        connection.request("POST", "/v2/library/demo/blobs/uploads/", bytes(33_000_000), {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        assert (answer.status, b"UNAUTHORIZED" in answer.read()) == (401, True)
