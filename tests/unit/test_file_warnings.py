"""What a valid file is warned about: connections without encryption, and accounts that publish what they can read."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from regmirror.config.encryption import is_exposed, is_inside_cluster
from regmirror.config.file_warnings import file_warnings, plain_http_urls, risk_warnings
from regmirror.errors import ConfigurationError
from tests import samples

STORE = {"bucket": "layers", "region": "here"}
ACCOUNT = {"username": {"env": "NAME"}, "password": {"env": "PASSWORD"}}


def upstream(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "one", "anonymousPull": ["library/*"], **changes}]


@pytest.mark.parametrize(
    ("url", "exposed"),
    [
        (None, False),
        ("https://s3.example.com", False),
        ("http://s3.example.com", True),
        ("http://10.0.0.7:9000", True),
        ("http://[2001:db8::7]:9000", True),
        ("http://minio.storage", True),
        ("http://minio.storage.svc:9000", False),
        ("http://minio.storage.svc.cluster.local:9000", False),
        ("http://minio.storage.svc.cluster.local.:9000", False),
        ("http://minio:9000", False),
        ("http://localhost:9000", False),
        ("http://127.0.0.1:9000", False),
        ("http://[::1]:9000", False),
        ("http://svc.example.com", True),
    ],
)
def test_plain_http_is_safe_only_inside_the_cluster(url: str | None, exposed: bool) -> None:
    assert is_exposed(url) is exposed


def test_the_machine_itself_is_not_the_cluster() -> None:
    assert [url for url in ("http://localhost", "http://[::1]:1", "http://minio") if is_inside_cluster(url)] == [
        "http://minio"
    ]


def test_plain_http_of_the_store_and_of_an_upstream_is_a_risk() -> None:
    store = STORE | {"endpoint": "http://s3.example.com", "redirect": True, "redirectEndpoint": "http://s3.example.org"}
    mirror = samples.mirror(storage=store, upstreams=upstream(url="http://hub.example.com"))
    assert [warning.split(" is not encrypted")[0] for warning in risk_warnings(mirror)] == [
        "storage.endpoint: http://s3.example.com",
        "storage.redirectEndpoint: http://s3.example.org",
        "upstreams[0].url: http://hub.example.com",
    ]
    assert plain_http_urls(mirror, mirror.upstreams[0]) == [
        "http://hub.example.com",
        "http://s3.example.com",
        "http://s3.example.org",
    ]


@pytest.mark.parametrize(
    ("keys", "warned"),
    [
        ({}, []),
        ({"className": "traefik"}, ["ingress.className"]),
        ({"tlsSecret": "wild"}, ["ingress.tlsSecret"]),
        ({"tlsSecret": None}, []),
    ],
)
def test_keys_that_a_gateway_replaces_have_no_effect(keys: dict[str, Any], warned: list[str]) -> None:
    document = samples.document(ingress={"gateway": {"parentRefs": [{"name": "public"}]}, **keys})
    root = yaml.compose(yaml.safe_dump(document))
    assert root is not None
    found = file_warnings(samples.mirror(**document), root)
    assert [problem.key_path for problem in found] == warned
    assert all(problem.message.startswith("has no effect: ") for problem in found)


def test_plain_http_can_be_accepted() -> None:
    store = STORE | {"endpoint": "http://s3.example.com", "insecure": True}
    mirror = samples.mirror(storage=store, upstreams=upstream(url="http://hub.example.com", insecure=True))
    assert risk_warnings(mirror) == plain_http_urls(mirror, mirror.upstreams[0]) == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"storage": STORE | {"insecure": True}}, "storage.insecure"),
        ({"storage": STORE | {"endpoint": "https://s3.example.com", "insecure": True}}, "storage.insecure"),
        ({"upstreams": upstream(insecure=True)}, "upstreams[0].insecure"),
    ],
)
def test_an_encrypted_connection_cannot_be_insecure(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        samples.mirror(**changes)
    assert f"{key}: has no effect without an http:// URL" in caught.value.message


@pytest.mark.parametrize(
    ("patterns", "url", "wide"),
    [
        (["library/*", "acme/tool"], "https://registry-1.docker.io", ""),
        (["library/*", "acme/*", "a?me/x"], "https://registry-1.docker.io", "acme/*, a?me/x"),
        (["*/*"], "https://registry-1.docker.io", "*/*"),
        (["library/*"], "https://harbor.example.com", "library/*"),
    ],
)
def test_a_wildcard_with_an_account_is_a_risk(patterns: list[str], url: str, wide: str) -> None:
    changes = {"anonymousPull": patterns, "url": url}
    assert risk_warnings(samples.mirror(upstreams=upstream(**changes))) == []
    warnings = risk_warnings(samples.mirror(upstreams=upstream(**changes, credentials=ACCOUNT)))
    expected = f"upstreams[0].anonymousPull: {wide} together with credentials: every matching repository"
    assert [warning.startswith(expected) for warning in warnings] == ([True] if wide else [])


@pytest.mark.parametrize(
    ("store", "url", "allowed"),
    [
        ({}, "https://layers.s3.here.amazonaws.com/x", False),
        ({"redirect": True}, "https://layers.s3.here.amazonaws.com/x", True),
        ({"redirect": True}, "https://amazonaws.com.example.com/x", False),
        ({"redirect": True}, "http://layers.s3.here.amazonaws.com/x", False),
        ({"redirect": True, "endpoint": "https://s3.example.com:9000"}, "https://layers.s3.example.com:9000/x", True),
        ({"redirect": True, "endpoint": "https://s3.example.com"}, "https://other.example.com/x", False),
        ({"redirect": True, "endpoint": "http://s3.example.com"}, "http://s3.example.com/x", False),
        ({"redirect": True, "endpoint": "http://s3.example.com", "insecure": True}, "http://s3.example.com/x", True),
        (
            {"redirect": True, "endpoint": "http://minio", "redirectEndpoint": "https://s3.example.com"},
            "https://s3.example.com/layers/x",
            True,
        ),
    ],
)
def test_clients_may_be_redirected_to_the_store_only(store: dict[str, Any], url: str, allowed: bool) -> None:
    assert samples.mirror(storage=STORE | store).storage.may_redirect_to(url) is allowed


def texts(**changes: Any) -> list[str]:
    """The warnings about a mirror."""
    text = yaml.safe_dump(samples.document(**changes))
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None
    return [f"{problem.key_path}: {problem.message}" for problem in file_warnings(samples.mirror(**changes), root)]


@pytest.mark.parametrize("region", ["Frankfurt", "eu-central", "eu-central-1a", "EU-CENTRAL-1", "auto"])
def test_what_is_no_region_of_amazon_is_named_before_a_pod_does_not_start(region: str) -> None:
    (warning,) = texts(storage={"bucket": "layers", "region": region})
    assert warning.startswith(f"storage.region: {region} is not a region of Amazon S3 such as eu-central-1")
    assert texts(storage={"bucket": "layers", "region": region, "endpoint": "https://s3.example.com"}) == []


@pytest.mark.parametrize("region", ["us-gov-west-1", "ap-southeast-5", "cn-northwest-1", "us-isob-east-1"])
def test_the_regions_of_every_partition_of_amazon_are_known(region: str) -> None:
    assert texts(storage={"bucket": "layers", "region": region}) == []


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            {"redis": {"external": {"addresses": ["redis:6379"]}}, "overrides": {"redis": {"note": "a"}}},
            "overrides.redis: has no effect with redis.external",
        ),
        (
            {"ingress": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}},
            "ingress.annotations.kubernetes.io/ingress.class: Kubernetes has replaced this annotation: set className",
        ),
        (
            {"upstreams": upstream(annotations={"a.b/c": "d"}), "ingress": {"service": {"type": "LoadBalancer"}}},
            "upstreams[0].annotations: has no effect with ingress.service, because no Ingress is created",
        ),
    ],
)
def test_what_nothing_uses_is_named(changes: dict[str, Any], warning: str) -> None:
    assert warning in texts(**changes)


def rule(**who: Any) -> list[dict[str, Any]]:
    return upstream(rules=[{"allow": ["acme/*"], **who}])


@pytest.mark.parametrize("who", [{"users": ["alice"]}, {"groups": ["team"]}, {"signedIn": ["a@example.com"]}], ids=str)
def test_logins_without_the_addresses_of_clients_are_a_risk(who: dict[str, Any]) -> None:
    (warning,) = risk_warnings(samples.mirror(upstreams=rule(**who)))
    assert warning.startswith("upstreams[0].rules[0]: the rule needs logins, which are limited in total")
    known = {"trustedProxies": ["10.42.0.0/16"]}
    assert risk_warnings(samples.mirror(upstreams=rule(**who), ingress=known)) == []


def test_a_service_that_keeps_addresses_limits_each_client() -> None:
    for policy, number in {"Local": 0, "Cluster": 1}.items():
        service = {"service": {"type": "LoadBalancer", "externalTrafficPolicy": policy}, "className": None}
        mirror = samples.mirror(upstreams=rule(users=["alice"]), ingress=service)
        assert len(risk_warnings(mirror)) == number


def test_a_rule_for_everyone_needs_no_logins() -> None:
    assert risk_warnings(samples.mirror(upstreams=rule())) == []
