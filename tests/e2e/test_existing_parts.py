"""A mirror that uses a Redis and a docker_auth of the cluster's owner: deployed, verified and pulled through."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from tests.e2e import own_redis
from tests.e2e.deployed_mirror import DeployedMirror, Outcome

pytestmark = pytest.mark.lab


def results(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {check["id"]: check for check in outcome.document["checks"]}


def names(mirror: DeployedMirror) -> set[str]:
    return {found["metadata"]["name"] for found in mirror.objects("deployments")}


def use_external(mirror: DeployedMirror, part: str, **external: Any) -> None:
    """Replace the section of a part, which describes regmirror's own."""
    content = yaml.safe_load(mirror.file.read_text())
    mirror.file.write_text(yaml.safe_dump(content | {part: {"external": external}}))


def test_a_redis_with_tls_and_a_user_is_used_and_verify_shows_when_it_cannot_be(
    new_mirror: Callable[[], DeployedMirror],
) -> None:
    mirror = new_mirror()
    authority = own_redis.start(mirror)
    (mirror.directory / "redis-ca.pem").write_bytes(authority)
    use_external(
        mirror,
        "redis",
        addresses=[f"{own_redis.NAME}.{mirror.namespace}.svc:6380"],
        username=own_redis.USER,
        password={"env": "OWN_REDIS_PASSWORD"},
        tls={"caBundle": {"file": "redis-ca.pem"}},
        database=3,
    )
    mirror.environment["OWN_REDIS_PASSWORD"] = own_redis.PASSWORD
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    assert "regmirror-redis" not in names(mirror)
    outcome = mirror.verify()
    assert outcome.code == 0, outcome.stdout
    found = results(outcome)
    assert found["cache-lookups"]["result"] == "success"
    assert found["cache-password"]["result"] == "skipped"
    assert "redis.external" in found["cache-password"]["message"]
    assert mirror.deploy("--dry-run").code == 0

    outcome = mirror.deploy(OWN_REDIS_PASSWORD="another")
    assert outcome.code == 0, outcome.stderr
    found = results(mirror.verify())
    assert found["cache-lookups"]["result"] == "error"
    assert "WRONGPASS" in found["cache-lookups"]["message"]
    assert found["clients-pull"]["result"] == "success"

    own_redis.start_with_sentinel(mirror, "watched", "sentinel-primary")
    service = f"watched-sentinel.{mirror.namespace}.svc:26379"
    use_external(
        mirror, "redis", addresses=[service], password={"env": "OWN_REDIS_PASSWORD"}, sentinel={"master": "main"}
    )
    outcome = mirror.deploy(OWN_REDIS_PASSWORD="sentinel-primary")
    assert outcome.code == 0, outcome.stderr
    found = results(mirror.verify())
    assert found["cache-lookups"]["result"] == "success", found["cache-lookups"]


def test_a_docker_auth_that_exists_issues_the_tokens(new_mirror: Callable[[], DeployedMirror]) -> None:
    """That of another mirror, which knows nothing of this one."""
    other, mirror = new_mirror(), new_mirror()
    assert other.deploy().code == 0
    secret = other.kubectl("get", "secret", "regmirror-bundle", "-o", "jsonpath={.data.bundle\\.crt}")
    (mirror.directory / "token-server.pem").write_bytes(base64.b64decode(secret))
    external = {
        "realm": f"https://{other.host}/auth",
        "issuer": "regmirror",
        "certificate": {"file": "token-server.pem"},
        "service": other.host,
    }
    use_external(mirror, "auth", **external)
    resolve = mirror.target.resolve(other.host)
    outcome = mirror.deploy(*resolve)
    assert outcome.code == 0, outcome.stderr
    assert "regmirror-auth" not in names(mirror)
    assert "regmirror-signing" not in {found["metadata"]["name"] for found in mirror.objects("secrets")}

    outcome = mirror.verify(*resolve)
    assert outcome.code == 0, outcome.stdout
    found = results(outcome)
    proven = ("token-signature", "token-claims", "token-accepted", "clients-pull", "clients-unlisted-denied")
    assert {found[check]["result"] for check in proven} == {"success"}
    assert found["token-key-pair"]["result"] == "skipped"

    outcome = mirror.rotate()
    assert (outcome.code, "auth.external" in outcome.stderr) == (1, True), outcome.stderr
