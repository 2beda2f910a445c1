"""One thing is broken at a time in a running mirror: verify or deploy names that thing, and deploy mends it."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from regmirror.signing.key_pair import generate_private_key, self_signed
from tests.e2e.deployed_mirror import Deployment

pytestmark = pytest.mark.lab

AUTH = ("regmirror-auth-config", "auth_config.yml", "regmirror-auth")
REGISTRY = ("regmirror-docker-hub-config", "config.yml", "regmirror-docker-hub")
Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def broken(mirror: Deployment) -> Iterator[Deployment]:
    """The mirror, to be harmed; afterwards `deploy` alone must bring it back to health."""
    yield mirror
    repaired = mirror.deploy()
    assert repaired.code == 0, repaired.words
    assert mirror.failures() == {}


def test_issuer(broken: Deployment) -> None:
    change_config(broken, AUTH, lambda config: config["token"].update(issuer="somebody else"))
    failures = broken.failures()
    assert 'docker_auth signs as issuer "somebody else"' in failures["config-issuer"]


def test_service(broken: Deployment) -> None:
    change_config(broken, REGISTRY, lambda config: config["auth"]["token"].update(service="another.example.com"))
    assert 'the service "another.example.com"' in broken.failures()["config-service"]


def test_certificate_bundle(broken: Deployment) -> None:
    stranger = self_signed(generate_private_key(2048), "stranger", datetime.now(UTC), timedelta(days=90), 1)
    put_secret(broken, "regmirror-bundle", "bundle.crt", stranger.certificate_pem)
    restart(broken, "regmirror-docker-hub")
    assert "certificate bundle of the registry lacks the signing key" in broken.failures()["token-bundle"]


def test_access_list(broken: Deployment) -> None:
    change_config(broken, AUTH, lambda config: config.update(acl=config["acl"][1:]))
    assert "ACL lacks: library/*" in broken.failures()["config-access"]


def test_s3_key_refused_by_deploy(mirror: Deployment) -> None:
    before = mirror.pods()
    outcome = mirror.deploy("-o", "json", AWS_SECRET_ACCESS_KEY="not-the-key")
    assert outcome.code == 1
    assert "the S3 key is refused" in outcome.document["error"]["message"]
    assert mirror.pods() == before


def test_s3_key_changed_in_the_cluster(broken: Deployment) -> None:
    change_config(broken, REGISTRY, lambda config: config["storage"]["s3"].update(secretkey="not-the-key"), wait=False)
    assert "the S3 key is refused" in broken.failures()["storage-bucket"]


def test_redis_password(broken: Deployment) -> None:
    change_config(broken, REGISTRY, lambda config: config["redis"].update(password="not-the-password"))
    assert "Redis refuses the registry's password" in broken.failures()["cache-password"]


def test_ingress_host(broken: Deployment) -> None:
    name = broken.objects("ingress")[0]["metadata"]["name"]
    patch = [{"op": "replace", "path": "/spec/rules/0/host", "value": f"wrong-{broken.host}"}]
    broken.kubectl("patch", "ingress", name, "--type=json", "-p", json.dumps(patch))
    assert f"no Ingress of the mirror has the host {broken.host}" in broken.failures()["config-ingress"]


def test_unready_pod_is_explained(broken: Deployment) -> None:
    """A deployment that cannot become ready says which pod, why, and leaves with the exit code of a timeout."""
    original = broken.file.read_text()
    image = yaml.safe_load(original).get("redis", {}).get("image", "docker.io/valkey/valkey:9.1.1-alpine")
    missing = "lab.regmirror.test/no-such-image:1"
    content = yaml.safe_load(original)
    content["redis"] = {**content.get("redis", {}), "image": missing}
    broken.file.write_text(yaml.safe_dump(content))
    try:
        outcome = broken.deploy("--timeout", "15s", "-o", "json")
    finally:
        broken.file.write_text(original)
    assert image != missing
    assert outcome.code == 124
    message = outcome.document["error"]["message"]
    assert "regmirror-redis: timed out waiting for Deployment regmirror-redis (0/1 ready)" in message
    assert "ImagePull" in message
    assert missing in message


def change_config(mirror: Deployment, where: tuple[str, str, str], change: Change, *, wait: bool = True) -> None:
    """Edit a configuration file inside its Secret, as a hasty operator would, and restart what reads it."""
    name, key, workload = where
    secret = json.loads(mirror.kubectl("get", "secret", name, "-o", "json"))
    config = yaml.safe_load(base64.b64decode(secret["data"][key]))
    change(config)
    put_secret(mirror, name, key, yaml.safe_dump(config).encode())
    restart(mirror, workload, wait=wait)


def put_secret(mirror: Deployment, name: str, key: str, value: bytes) -> None:
    patch = {"data": {key: base64.b64encode(value).decode()}}
    mirror.kubectl("patch", "secret", name, "-p", json.dumps(patch))


def restart(mirror: Deployment, workload: str, *, wait: bool = True) -> None:
    mirror.kubectl("rollout", "restart", f"deployment/{workload}")
    if wait:
        mirror.kubectl("rollout", "status", f"deployment/{workload}", "--timeout=60s")
