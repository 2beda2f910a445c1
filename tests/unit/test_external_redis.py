"""``redis.external``: the registries use an existing Redis, regmirror deploys none, and no database is shared."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import SecretStr

from regmirror.config.problem import InvalidFileError
from regmirror.deploy.redis_databases import ensure_databases_unused
from regmirror.desired.registry_config import registry_config
from regmirror.desired.releases import Stack, build_stack
from regmirror.errors import RedisDatabaseError
from regmirror.verify.check import NotApplicable, Passed
from tests import samples
from tests.unit.deployed import deployed

ADDRESS = "redis.example.com:6379"
FULL: dict[str, Any] = {
    "addresses": ["sentinel-0.example.com:26379", "sentinel-1.example.com:26379"],
    "username": "regmirror",
    "password": {"env": "REDIS_PASSWORD"},
    "tls": {},
    "sentinel": {"master": "main", "username": "watch", "password": {"env": "SENTINEL_PASSWORD"}},
    "database": 4,
}


def external(**changes: Any) -> dict[str, Any]:
    return {"external": {"addresses": [ADDRESS], **changes}}


def config(redis: dict[str, Any], password: str = "", sentinel: str | None = None) -> dict[str, Any]:
    mirror = samples.mirror(redis={"external": redis}, upstreams=samples.TWO_UPSTREAMS)
    secrets = samples.mirror_secrets(
        redis_password=SecretStr(password), sentinel_password=SecretStr(sentinel) if sentinel else None
    )
    section: dict[str, Any] = registry_config(mirror, mirror.upstreams[1], secrets)["redis"]
    return section


def test_the_registry_gets_what_distribution_reads() -> None:
    section = config(FULL, "secret", "another")
    assert section == {
        "addrs": FULL["addresses"],
        "username": "regmirror",
        "password": "secret",
        "mastername": "main",
        "sentinelusername": "watch",
        "sentinelpassword": "another",
        "tls": {"rootcas": ["/etc/ssl/certs/ca-certificates.crt"]},
        "db": 5,
        "dialtimeout": "1s",
        "readtimeout": "250ms",
        "writetimeout": "250ms",
        "maxretries": -1,
        "poolsize": 16,
    }


def test_what_redis_does_not_need_is_left_out() -> None:
    section = config({"addresses": [ADDRESS]})
    assert section["addrs"] == [ADDRESS]
    assert not {"username", "password", "tls", "mastername"} & section.keys()


def stack(**changes: Any) -> Stack:
    return build_stack(samples.mirror(**changes), samples.mirror_secrets(), {}, samples.NOW)


def test_no_redis_is_deployed() -> None:
    found = stack(redis=external())
    assert "regmirror-redis" not in [release.name for release in found.releases]
    assert "regmirror-redis-config" not in [secret["metadata"]["name"] for secret in found.secrets]


@pytest.mark.parametrize(
    ("redis", "message"),
    [
        ({**external(), "maxMemory": "1gb"}, "redis.maxMemory: has no effect with redis.external"),
        (external(addresses=["redis://a:1"]), "write HOST:PORT without a scheme"),
        (external(addresses=["user:secret@a:1"]), "credentials are not allowed in an address"),
        (external(addresses=["redis.example.com"]), "is not HOST:PORT"),
        (external(addresses=["a:0"]), "is not HOST:PORT"),
        (external(addresses=["a:1", "b:1"], database=1), "a Redis Cluster has database 0 only"),
        (external(username="a"), "username: requires password"),
        (external(sentinel={"master": "a", "username": "b"}), "requires sentinel.password"),
        (external(database=-1), "redis.external.database"),
    ],
)
def test_what_cannot_work_is_refused(redis: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        samples.mirror(redis=redis)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_upstreams_cannot_share_a_cluster() -> None:
    redis = external(addresses=["a:1", "b:1"])
    samples.mirror(redis=redis)
    with pytest.raises(InvalidFileError, match="upstreams cannot share one"):
        samples.mirror(redis=redis, upstreams=samples.TWO_UPSTREAMS)


REVERSED = samples.TWO_UPSTREAMS[::-1]
"""Each upstream would get the database of the other."""
MOVED = {"storage": {**samples.MINIMAL["storage"], "prefix": "elsewhere"}}


def ensure(before: dict[str, Any], after: dict[str, Any]) -> None:
    live = {secret["metadata"]["name"]: secret for secret in stack(**before).secrets}
    ensure_databases_unused(samples.mirror(**after), stack(**after).secrets, live)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"upstreams": samples.TWO_UPSTREAMS}, {"upstreams": REVERSED}),
        ({"upstreams": samples.TWO_UPSTREAMS}, {"upstreams": [samples.TWO_UPSTREAMS[1]]}),
        ({}, MOVED),
    ],
)
def test_a_database_is_not_given_to_another_upstream_or_place(before: dict[str, Any], after: dict[str, Any]) -> None:
    with pytest.raises(RedisDatabaseError, match=r"database 0 of .*redis.example.com") as caught:
        ensure(before | {"redis": external()}, after | {"redis": external()})
    assert "redis.external.database" in str(caught.value.hint)
    ensure(before | {"redis": external()}, after | {"redis": external(database=8)})


def test_the_same_databases_and_another_redis_are_fine() -> None:
    ensure({"redis": external()}, {"redis": external(), "registry": {"ttl": "1h"}})
    ensure({"redis": external()}, MOVED | {"redis": external(addresses=["other:6379"])})
    ensure({}, MOVED | {"redis": external()})
    ensure({"redis": external()}, MOVED)


def test_a_secret_that_was_edited_does_not_stop_a_deployment() -> None:
    broken = {"metadata": {"name": "regmirror-old-config"}, "data": {"config.yml": base64.b64encode(b"[").decode()}}
    changes = {"redis": external()}
    ensure_databases_unused(samples.mirror(**changes), stack(**changes).secrets, {"regmirror-old-config": broken})


def test_no_empty_password_is_redacted() -> None:
    secrets = samples.mirror_secrets(redis_password=SecretStr(""), sentinel_password=SecretStr("canary-sentinel"))
    assert secrets.redact("a canary-sentinel b canary-s3-secret") == "a *** b ***"


def test_verify_checks_what_the_registry_sees_of_it_and_names_what_it_cannot_check() -> None:
    outcomes = deployed(redis=external()).ask_all()
    skipped = {id_: outcome for id_, outcome in outcomes.items() if not isinstance(outcome, Passed)}
    assert skipped.keys() == {"config-redis", "cache-password", "cache-policy", "storage-cache-agrees"}
    assert set(skipped.values()) == {
        NotApplicable("redis.external is set, so regmirror does not run this part"),
    }
    assert outcomes["cache-lookups"] == Passed("2 lookups, 0 errors since pod regmirror-docker-hub-0 started")


def test_the_secret_values_of_a_rendering_have_references() -> None:
    from regmirror.desired.secret_templates import secret_templates, secret_values

    mirror = samples.mirror(redis={"external": FULL})
    values = {value.name: value.key_path for value in secret_values(mirror)}
    assert values["redis-password"] == "redis.external.password"
    assert values["sentinel-password"] == "redis.external.sentinel.password"
    (template,) = [found for found in secret_templates(mirror) if found.name == "regmirror-docker-hub-config"]
    assert {"redis-password", "sentinel-password"} <= set(template.placeholders)
    assert "redis-password" not in {value.name for value in secret_values(samples.mirror(redis=external()))}
