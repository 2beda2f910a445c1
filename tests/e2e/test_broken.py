"""Parts of a running mirror are broken: verify or deploy names them, and deploy fixes them."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from regmirror.signing.key_pair import generate_private_key, self_signed
from tests.e2e.deployed_mirror import DeployedMirror

pytestmark = pytest.mark.lab

AUTH = ("regmirror-auth-config", "auth_config.yml", "regmirror-auth")
REGISTRY = ("regmirror-docker-hub-config", "config.yml", "regmirror-docker-hub")
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def broken(mirror: DeployedMirror) -> Iterator[DeployedMirror]:
    """The mirror, for a test that breaks it; afterwards `deploy` must repair it."""
    yield mirror
    repaired = mirror.deploy()
    assert repaired.code == 0, repaired.stderr
    mirror.await_healthy()


def test_deploy_repairs_everything_that_was_changed_in_the_cluster(broken: DeployedMirror) -> None:
    stranger = self_signed(generate_private_key(2048), "stranger", datetime.now(UTC), timedelta(days=90), 1)
    put_secret(broken, "regmirror-bundle", "bundle.crt", stranger.certificate_pem)
    change_config(broken, AUTH, change_auth)
    change_config(broken, REGISTRY, change_registry)
    name = broken.objects("ingress")[0]["metadata"]["name"]
    patch = [{"op": "replace", "path": "/spec/rules/0/host", "value": f"wrong-{broken.host}"}]
    broken.kubectl("patch", "ingress", name, "--type=json", "-p", json.dumps(patch))
    failures = broken.failures()
    expected = {
        "config-issuer": 'docker_auth signs as issuer "somebody else"',
        "config-service": 'service is "another.example.com"',
        "config-access": "access list is missing: library/*",
        "config-ingress": f"no Ingress of the mirror has host {broken.host}",
        "token-bundle": "does not contain the signing key",
        "storage-bucket": "the S3 key is refused",
    }
    assert {id_: words for id_, words in expected.items() if words not in failures.get(id_, "")} == {}, failures


def change_auth(config: dict[str, Any]) -> None:
    config["token"].update(issuer="somebody else")
    config.update(acl=config["acl"][1:])


def change_registry(config: dict[str, Any]) -> None:
    config["auth"]["token"].update(service="another.example.com")
    config["storage"]["s3"].update(secretkey="not-the-key")
    config["redis"].update(password="not-the-password")


def test_s3_key_refused_by_deploy(mirror: DeployedMirror) -> None:
    before = mirror.pods()
    outcome = mirror.deploy("-o", "json", AWS_SECRET_ACCESS_KEY="not-the-key")
    assert outcome.code == 1
    assert "the S3 key is refused" in outcome.document["error"]["message"]
    assert mirror.pods() == before


def test_unready_pod_is_explained(broken: DeployedMirror) -> None:
    """A deployment that does not become ready reports the pod and the reason, and exits with the code of a timeout."""
    original = broken.file.read_text()
    image = yaml.safe_load(original).get("redis", {}).get("image", "docker.io/valkey/valkey:9.1.1-alpine")
    missing = "lab.regmirror.test/no-such-image:1"
    content = yaml.safe_load(original)
    content["redis"] = {**content.get("redis", {}), "image": missing}
    broken.file.write_text(yaml.safe_dump(content))
    expected = (
        "regmirror-redis: timed out waiting for Deployment regmirror-redis (0/1 ready)",
        "ImagePull",
        missing,
    )
    try:
        # A loaded machine needs longer until the kubelet reports the image.
        for timeout in (15, 60, 240):
            outcome = broken.deploy("--timeout", f"{timeout}s", "-o", "json")
            message = outcome.document["error"]["message"]
            if all(words in message for words in expected):
                break
    finally:
        broken.file.write_text(original)
    assert image != missing
    assert outcome.code == 124
    assert [words for words in expected if words not in message] == [], message


def change_config(mirror: DeployedMirror, where: tuple[str, str, str], change: Change) -> None:
    """Edit a configuration file in its Secret, and restart the component that reads it."""
    name, key, workload = where
    secret = json.loads(mirror.kubectl("get", "secret", name, "-o", "json"))
    config = yaml.safe_load(base64.b64decode(secret["data"][key]))
    change(config)
    put_secret(mirror, name, key, yaml.safe_dump(config).encode())
    mirror.kubectl("rollout", "restart", f"deployment/{workload}")


def put_secret(mirror: DeployedMirror, name: str, key: str, value: bytes) -> None:
    patch = {"data": {key: base64.b64encode(value).decode()}}
    mirror.kubectl("patch", "secret", name, "-p", json.dumps(patch))
