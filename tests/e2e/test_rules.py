"""Rules about networks, behind the lab's Ingress controller: the address decides, whatever the client claims."""

import http.client
import json
import secrets
import socket
import ssl
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest

from lab import addresses
from regmirror.distribution.client import MANIFEST_TYPES, request_headers
from regmirror.signing.tokens import decode_token
from regmirror.verify.sample_pull import parse_image
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_hub import copy_image, published
from tests.e2e.inject import faulty_hub
from tests.e2e.layer import Layer

pytestmark = pytest.mark.lab

OFFICE, INSIDE, OUTSIDE = "127.0.77.0/24", "127.0.77.1", "127.0.78.1"
CLAIMS = [
    {"X-Forwarded-For": INSIDE},
    {"X-Real-IP": INSIDE},
    {"X-Forwarded-For": f"{INSIDE}, {INSIDE}", "X-Real-IP": INSIDE, "Forwarded": f"for={INSIDE}"},
]


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror that lets the office pull more than everyone, and an account that does not exist yet."""
    mirror = new_mirror()
    if mirror.target.lab is None:
        pytest.skip("only the lab has clients with several addresses")
    gateway = next(ip_network(addresses.POD_SUBNET).hosts())
    mirror.change_file(ingress={"trustedProxies": [f"{gateway}/32", f"{addresses.NODE_ADDRESS}/32"]})
    rules = [{"allow": ["acme/*"], "from": [OFFICE]}, {"allow": ["outside/*"], "users": ["ci-robot"]}]
    mirror.change_upstream(anonymousPull=["library/*"], rules=rules)
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    assert "every pod of the cluster that reaches docker_auth can claim any address" in outcome.stderr
    mirror.await_healthy()
    return mirror


def answered(
    mirror: DeployedMirror, source: str, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and body of the answer to a client at this address."""
    context = ssl.create_default_context(cafile=str(mirror.target.authority))
    plain = socket.create_connection((mirror.target.address, 443), 60, (source, 0))
    connection = http.client.HTTPConnection(mirror.host, timeout=60)
    with context.wrap_socket(plain, server_hostname=mirror.host) as connection.sock:
        connection.request("GET", path, headers=dict(headers or {}))
        with connection.getresponse() as answer:
            return answer.status, answer.read()


def token_at(mirror: DeployedMirror, source: str, repository: str, headers: Mapping[str, str] | None = None) -> str:
    """The token that a client at this address gets."""
    scope = f"/auth?service={mirror.host}&scope=repository:{repository}:pull"
    status, body = answered(mirror, source, scope, headers)
    assert status == 200, body
    token = str(json.loads(body)["token"])
    assert decode_token(token).claims["sub"] == ""
    return token


def granted(mirror: DeployedMirror, source: str, repository: str, headers: Mapping[str, str] | None = None) -> int:
    """The status of a pull, with the token that this client gets."""
    token = token_at(mirror, source, repository, headers)
    return answered(mirror, source, f"/v2/{repository}/manifests/1", request_headers(token, MANIFEST_TYPES))[0]


def test_the_address_decides(mirror: DeployedMirror) -> None:
    assert granted(mirror, INSIDE, "acme/tool") == 200
    assert granted(mirror, OUTSIDE, "acme/tool") == 401
    assert granted(mirror, INSIDE, "outside/forbidden") == 401


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_client_cannot_choose_its_address(mirror: DeployedMirror, claim: dict[str, str]) -> None:
    assert granted(mirror, OUTSIDE, "acme/tool", claim) == 401


def test_a_signing_key_is_rotated(mirror: DeployedMirror) -> None:
    """A rotation asks docker_auth without its front."""
    outcome = mirror.rotate("--emergency")
    assert outcome.code == 0, outcome.stderr
    mirror.await_healthy()
    assert granted(mirror, INSIDE, "acme/tool") == 200


def acme_layer(mirror: DeployedMirror, directory: Path) -> Layer:
    """A new layer of a repository that only the office may pull, which a client there has brought into the cache."""
    image = parse_image(published(f"acme/layer-{secrets.token_hex(4)}", directory))
    token = token_at(mirror, INSIDE, image.repository)
    status, body = answered(
        mirror, INSIDE, f"/v2/{image.repository}/manifests/{image.reference}", request_headers(token, MANIFEST_TYPES)
    )
    assert status == 200, body
    found = json.loads(body)["layers"][-1]
    layer = Layer(mirror, image.repository, found["digest"], found["size"], token)
    assert [answered(mirror, INSIDE, layer.path, request_headers(token))[0] for _ in range(2)] == [200, 200]
    return layer


def test_a_cached_layer_of_a_private_repository_is_not_served_under_an_open_one(
    mirror: DeployedMirror, tmp_path: Path
) -> None:
    layer = acme_layer(mirror, tmp_path)
    opened = Layer(mirror, "library/demo", layer.digest, layer.size, token_at(mirror, OUTSIDE, "library/demo"))
    status, body = answered(mirror, OUTSIDE, opened.path, request_headers(opened.token))
    assert (status, b"BLOB_UNKNOWN" in body) == (404, True)
    assert answered(mirror, INSIDE, layer.path, request_headers(layer.token))[0] == 200


def test_a_base_that_repositories_share_is_downloaded_once(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = acme_layer(mirror, tmp_path)
    repository = layer.repository.replace("acme", "library")
    copy_image(layer.repository, repository)
    opened = Layer(mirror, repository, layer.digest, layer.size, token_at(mirror, OUTSIDE, repository))
    for _ in range(2):
        status, body = answered(mirror, OUTSIDE, opened.path, request_headers(opened.token))
        assert (status, opened.is_content(body)) == (200, True)
    assert (layer.downloads, opened.downloads) == (1, 0)


def test_while_the_upstream_is_down_only_confirmed_layers_are_served(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = acme_layer(mirror, tmp_path)
    token = token_at(mirror, OUTSIDE, "library/demo")
    with faulty_hub(mirror, down=True):
        path = f"/v2/library/demo/blobs/{layer.digest}"
        status, body = answered(mirror, OUTSIDE, path, request_headers(token))
        assert status in {404, 502}, body
        assert answered(mirror, INSIDE, layer.path, request_headers(layer.token))[0] == 200
