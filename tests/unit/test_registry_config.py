"""The registry's configuration holds what a read-only mirror that asks for tokens must hold."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.desired.registry_config import registry_config, storage_prefix
from tests import samples


def config(**changes: Any) -> dict[str, Any]:
    mirror = samples.mirror(**changes)
    return registry_config(mirror, mirror.upstreams[0], samples.mirror_secrets())


def test_tokens_are_accepted_from_our_issuer_for_our_service_alone() -> None:
    token = config(auth={"issuer": "acme"})["auth"]["token"]
    assert token == {
        "realm": "https://mirror.example.com/auth",
        "service": "mirror.example.com",
        "issuer": "acme",
        "rootcertbundle": "/etc/regmirror/bundle/bundle.crt",
        "signingalgorithms": ["RS256"],
    }


def test_clients_can_only_read() -> None:
    assert config()["storage"]["maintenance"]["readonly"] == {"enabled": True}


def test_nothing_walks_the_whole_bucket() -> None:
    assert config()["storage"]["maintenance"]["uploadpurging"] == {"enabled": False}


def test_what_expires_can_be_deleted() -> None:
    assert config()["storage"]["delete"] == {"enabled": True}
    assert config()["proxy"]["ttl"] == "168h"


def test_several_replicas_keep_everything() -> None:
    assert config(registry={"replicas": 3, "ttl": 0})["proxy"]["ttl"] == 0


def test_redis_is_a_cache_that_nothing_waits_for() -> None:
    found = config()
    assert found["storage"]["cache"] == {"blobdescriptor": "redis"}
    assert found["redis"]["addrs"] == ["regmirror-redis:6379"]
    assert {found["redis"][key] for key in ("dialtimeout", "readtimeout", "writetimeout")} == {"100ms"}
    assert found["redis"]["maxretries"] == -1


def test_without_the_store_the_registry_still_answers_what_needs_none() -> None:
    """A failing check of health would make it answer every request with 503."""
    assert not any(check["enabled"] for check in config()["health"].values())


def test_the_upstream_may_be_down_at_start() -> None:
    """With a user name and a password here, the registry would ask the upstream before it serves."""
    proxy = config()["proxy"]
    assert proxy["remoteurl"] == "https://registry-1.docker.io"
    assert proxy["exec"] == {"command": "/etc/regmirror/helper/docker-credential-regmirror", "lifetime": "5m"}
    assert not {"username", "password"} & set(proxy)


def test_large_layers_and_stopping_pods_get_their_time() -> None:
    assert config()["proxy"]["cachewritetimeout"] == "60m"
    assert config()["http"]["draintimeout"] == "60s"


def test_only_the_front_reaches_it() -> None:
    assert config()["http"]["addr"] == "127.0.0.1:5000"


def test_the_debug_port_that_prints_secrets_is_on_loopback_alone() -> None:
    assert config()["http"]["debug"]["addr"] == "127.0.0.1:5001"


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ({}, {"forcepathstyle": False}),
        (
            {"endpoint": "http://minio.storage.svc:9000"},
            {"forcepathstyle": True, "regionendpoint": "http://minio.storage.svc:9000", "secure": False},
        ),
        (
            {"endpoint": "https://s3.example.com", "pathStyle": False},
            {"forcepathstyle": False, "regionendpoint": "https://s3.example.com", "secure": True},
        ),
    ],
)
def test_an_endpoint_is_reached_as_its_store_expects(storage: dict[str, Any], expected: dict[str, Any]) -> None:
    driver = config(storage={"bucket": "layers", "region": "here", **storage})["storage"]["s3"]
    known = {
        "bucket": "layers",
        "region": "here",
        "rootdirectory": "/docker-hub",
        "accesskey": "canary-s3-id",
        "secretkey": "canary-s3-secret",
    }
    assert driver == known | expected


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ({"encryption": {"type": "SSE-S3"}}, {"encrypt": True}),
        ({"encryption": {"type": "KMS", "kmsKey": "alias/mirror"}}, {"encrypt": True, "keyid": "alias/mirror"}),
        ({"storageClass": "NONE"}, {"storageclass": "NONE"}),
        ({"dualStack": True}, {"usedualstack": True}),
        ({}, {}),
    ],
)
def test_options_of_objects_are_those_of_the_file(storage: dict[str, Any], expected: dict[str, Any]) -> None:
    driver = config(storage={"bucket": "layers", "region": "eu-central-1", **storage})["storage"]["s3"]
    options = {"encrypt", "keyid", "storageclass", "usedualstack"}
    assert {key: value for key, value in driver.items() if key in options} == expected


def test_a_cloud_role_needs_no_key() -> None:
    mirror = samples.mirror()
    driver = registry_config(mirror, mirror.upstreams[0], samples.mirror_secrets(s3=None))["storage"]["s3"]
    assert not {"accesskey", "secretkey"} & set(driver)


@pytest.mark.parametrize("redirect", [True, False])
def test_clients_are_sent_to_the_store_only_when_asked(redirect: bool) -> None:
    storage = {"bucket": "layers", "region": "here", "redirect": redirect}
    assert config(storage=storage)["storage"]["redirect"] == {"disable": not redirect}


@pytest.mark.parametrize(
    ("prefix", "expected"), [("", "/docker-hub"), ("/a/b/", "/a/b/docker-hub"), ("mirrors", "/mirrors/docker-hub")]
)
def test_each_upstream_has_a_path_of_its_own(prefix: str, expected: str) -> None:
    mirror = samples.mirror(storage={"bucket": "layers", "region": "here", "prefix": prefix})
    assert storage_prefix(mirror.storage, mirror.upstreams[0]) == expected


def test_two_upstreams_share_nothing() -> None:
    mirror = samples.mirror(upstreams=samples.TWO_UPSTREAMS)
    hub, quay = (registry_config(mirror, upstream, samples.mirror_secrets()) for upstream in mirror.upstreams)
    for path in (
        ("redis", "db"),
        ("storage", "s3", "rootdirectory"),
        ("proxy", "remoteurl"),
        ("auth", "token", "realm"),
        ("auth", "token", "service"),
        ("log", "fields", "service"),
    ):
        assert at(hub, path) != at(quay, path), path


def at(content: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        content = content[key]
    return content
