"""The Helm releases: what they are given, in which order, and that no value of theirs is a secret."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from regmirror.config.problem import InvalidFileError
from regmirror.deploy.self_signed import find_self_signed
from regmirror.desired.ingress_controllers import controller_annotations
from regmirror.desired.mirror_secrets import Account
from regmirror.desired.releases import Release, Stack, build_stack
from tests import samples
from tests.fakes.cluster import FakeCluster

DIGEST = "sha256:" + "0123456789abcdef" * 4


def stack(**changes: Any) -> Stack:
    return build_stack(samples.mirror(**changes), samples.mirror_secrets(), {}, samples.NOW)


def release(name: str, **changes: Any) -> Release:
    (found,) = [one for one in stack(**changes).releases if one.name == f"regmirror-{name}"]
    return found


def test_the_same_input_gives_the_same_stack() -> None:
    assert stack(upstreams=samples.TWO_UPSTREAMS) == stack(upstreams=samples.TWO_UPSTREAMS)


def test_the_ingress_waits_for_all_that_it_routes_to() -> None:
    releases = stack(upstreams=samples.TWO_UPSTREAMS).releases
    assert [(one.name, one.component, one.needs) for one in releases] == [
        ("regmirror-redis", "redis", ()),
        ("regmirror-auth", "auth", ()),
        ("regmirror-docker-hub", "registry", ()),
        ("regmirror-quay", "registry", ()),
        ("regmirror-ingress", "ingress", ("regmirror-auth", "regmirror-docker-hub", "regmirror-quay")),
    ]


def test_every_chart_is_there() -> None:
    assert all((one.chart / "Chart.yaml").is_file() for one in stack().releases)


def test_no_value_is_a_secret() -> None:
    values = json.dumps([one.values for one in stack(upstreams=samples.TWO_UPSTREAMS).releases])
    assert not [canary for canary in samples.CANARIES if canary in values]
    assert "PRIVATE KEY" not in values


def test_every_secret_that_a_release_names_is_applied() -> None:
    built = stack(upstreams=samples.TWO_UPSTREAMS)
    applied = {manifest["metadata"]["name"] for manifest in built.secrets}
    for one in built.releases:
        if one.component != "ingress":
            named = [
                value["secretName"]
                for value in one.values.values()
                if isinstance(value, dict) and "secretName" in value
            ]
            assert named
            assert set(named) <= applied


def test_the_private_key_is_mounted_by_docker_auth_alone() -> None:
    holders = [one.name for one in stack().releases if "regmirror-signing" in json.dumps(one.values)]
    assert holders == ["regmirror-auth"]


@pytest.mark.parametrize(
    ("changed", "rolled"),
    [
        ({"redis_password": SecretStr("other")}, {"regmirror-redis", "regmirror-docker-hub"}),
        ({"s3": Account(SecretStr("a"), SecretStr("b"))}, {"regmirror-docker-hub"}),
        ({"bundle": samples.key_pair(2).certificate_pem}, {"regmirror-docker-hub"}),
        ({"signing": samples.key_pair(2)}, {"regmirror-auth"}),
        # The credential helper reads its Secret anew every few minutes: nothing needs to restart.
        ({"upstreams": {}}, set()),
    ],
)
def test_a_changed_secret_rolls_its_readers_alone(changed: dict[str, Any], rolled: set[str]) -> None:
    before = build_stack(samples.mirror(), samples.mirror_secrets(), {}, samples.NOW)
    live = {secret["metadata"]["name"]: secret for secret in before.secrets}
    after = build_stack(samples.mirror(), samples.mirror_secrets(**changed), live, samples.NOW + timedelta(seconds=1))
    pairs = zip(before.releases, after.releases, strict=True)
    assert {new.name for old, new in pairs if old != new} == rolled


def test_a_workload_gets_what_the_file_says_of_its_pods() -> None:
    registry = {
        "image": f"registry.internal:5000/mirror/registry@{DIGEST}",
        "replicas": 2,
        "ttl": 0,
        "resources": {"limits": {"memory": "2Gi"}},
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "mirror", "operator": "Exists"}],
        "imagePullSecrets": ["internal"],
    }
    values = release("docker-hub", registry=registry).values
    assert values["image"] == {"repository": "registry.internal:5000/mirror/registry", "tag": "", "digest": DIGEST}
    for key in ("replicas", "resources", "nodeSelector", "tolerations"):
        assert values[key] == registry[key]
    assert values["imagePullSecrets"] == [{"name": "internal"}]


@pytest.mark.parametrize("name", ["auth", "docker-hub"])
def test_every_front_gets_the_same_settings(name: str) -> None:
    resources = {"limits": {"memory": "2Gi"}}
    front = {"image": f"registry.internal/nginx:1@{DIGEST}", "resources": resources}
    peers = [{"ipBlock": {"cidr": "192.0.2.0/24"}}]
    policies = {"enabled": True, "ingressFrom": peers}
    sections = {"networkPolicies": policies, "monitoring": {"scrapeFrom": peers}}
    values = release(name, front=front, ingress={"trustedProxies": ["10.0.0.0/8"]}, **sections).values
    image = {"repository": "registry.internal/nginx", "tag": "1", "digest": DIGEST}
    assert values["front"] == {"image": image, "trustedProxies": ["10.0.0.0/8"], "resources": resources}
    assert values["networkPolicy"] == {**policies, "metricsFrom": peers}
    assert release("redis", networkPolicies=policies).values["networkPolicy"] == {"enabled": True}


@pytest.mark.parametrize("name", ["redis", "auth", "docker-hub"])
def test_the_default_images_are_the_versions_of_the_charts(name: str) -> None:
    """The pods run what was tested: docker_auth's digest is not known, all others are pinned."""
    found = release(name)
    chart = yaml.safe_load((found.chart / "values.yaml").read_text())
    images = {"": (found.values, chart)} | (
        {"front": (found.values["front"], chart["front"])} if "front" in chart else {}
    )
    for part, (values, defaults) in images.items():
        assert all(values["image"][key] == defaults["image"][key] for key in ("repository", "tag"))
        assert values["image"]["digest"] or (name, part) == ("auth", "")


def test_policies_that_let_nobody_in_are_refused() -> None:
    with pytest.raises(InvalidFileError, match="nobody else could pull"):
        samples.mirror(networkPolicies={"enabled": True})


def test_what_the_file_leaves_out_is_left_to_the_chart() -> None:
    values = release("redis").values
    assert "resources" not in values
    assert (values["imagePullSecrets"], values["nodeSelector"], values["tolerations"]) == ([], {}, [])


def test_every_host_is_routed_to_its_own_registry_with_its_own_certificate() -> None:
    values = release("ingress", upstreams=samples.TWO_UPSTREAMS).values
    hub, quay = values["hosts"]
    assert hub == {
        "host": "mirror.example.com",
        "registryService": "regmirror-docker-hub",
        "registryPort": 5000,
        "tlsSecretName": "regmirror-tls",
    }
    assert (quay["host"], quay["registryService"]) == ("quay.example.com", "regmirror-quay")
    assert quay["tlsSecretName"] == "regmirror-tls-quay"
    assert (values["authService"], values["authPort"]) == ("regmirror-auth", 5001)


def test_without_a_secret_the_controller_brings_the_certificate() -> None:
    values = release("ingress", ingress={"tlsSecret": None}).values
    assert values["tls"] == {"enabled": True}
    assert "tlsSecretName" not in values["hosts"][0]


TRAEFIK = {"traefik.ingress.kubernetes.io/router.tls": "true"}


@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ({}, {"className": "", "annotations": controller_annotations(None), "tls": {"enabled": True}}),
        ({"className": "traefik"}, {"className": "traefik", "annotations": TRAEFIK}),
        ({"className": "traefik", "annotations": {"a": "b"}}, {"annotations": {**TRAEFIK, "a": "b"}}),
    ],
)
def test_the_ingress_is_as_the_file_says(ingress: dict[str, Any], expected: dict[str, Any]) -> None:
    values = release("ingress", ingress=ingress).values
    assert {key: values[key] for key in expected} == expected


def test_a_certificate_is_issued_for_each_secret_with_all_its_hosts() -> None:
    first, second = samples.TWO_UPSTREAMS
    issuer = {"name": "pca", "kind": "AWSPCAIssuer", "group": "awspca.cert-manager.io"}
    values = release("certificates", upstreams=[first, second], ingress={"issuer": issuer}).values
    assert values["issuer"] == issuer
    assert values["certificates"] == [
        {"secretName": "regmirror-tls", "hosts": ["mirror.example.com"]},
        {"secretName": "regmirror-tls-quay", "hosts": ["quay.example.com"]},
    ]
    shared = [first, {**second, "tlsSecret": "regmirror-tls"}]
    values = release("certificates", upstreams=shared, ingress={"issuer": {"name": "le"}}).values
    assert values["certificates"] == [
        {"secretName": "regmirror-tls", "hosts": ["mirror.example.com", "quay.example.com"]}
    ]
    assert values["issuer"] == {"name": "le", "kind": "ClusterIssuer", "group": "cert-manager.io"}


def test_without_an_issuer_there_are_no_certificates() -> None:
    annotated = {"annotations": {"cert-manager.io/cluster-issuer": "le"}}
    for ingress in ({}, annotated, {"selfSigned": True}):
        assert "regmirror-certificates" not in [one.name for one in stack(ingress=ingress).releases]


def test_only_the_secret_of_the_ca_has_its_key() -> None:
    mirror = samples.mirror(ingress={"selfSigned": True})
    self_signed = find_self_signed(FakeCluster(), mirror, samples.NOW)
    secrets = build_stack(mirror, samples.mirror_secrets(self_signed=self_signed), {}, samples.NOW).secrets
    key = base64.b64encode(self_signed.authority.key_pem).decode()
    assert [one["metadata"]["name"] for one in secrets if key in one["data"].values()] == ["regmirror-ca"]
    (tls,) = [one for one in secrets if one["metadata"]["name"] == "regmirror-tls"]
    assert (tls["type"], sorted(tls["data"])) == ("kubernetes.io/tls", ["ca.crt", "tls.crt", "tls.key"])


def test_metrics_are_on_with_the_image_of_the_fetcher_unless_the_file_says_otherwise() -> None:
    image = {"repository": "registry.internal/python", "tag": "3", "digest": ""}
    found = {
        name: release(name, fetcher={"image": "registry.internal/python:3"}).values for name in ("auth", "docker-hub")
    }
    assert found["docker-hub"]["metrics"] == {"enabled": True, "image": image, "upstream": "docker-hub"}
    results = {"verificationConfigMap": "regmirror-verification-result"}
    assert found["auth"]["metrics"] == {"enabled": True, "image": image, **results}
    assert release("auth", monitoring={"metrics": False}).values["metrics"]["enabled"] is False
