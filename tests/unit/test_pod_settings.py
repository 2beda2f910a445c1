"""Where pods run and as whom: what the file accepts, what it says about mistakes, and what the charts get."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.config.problem import InvalidFileError
from regmirror.config.schema import mirror_schema
from regmirror.deploy.rights import deploy_rights, optional_rights
from regmirror.desired.releases import build_stack
from regmirror.desired.rotate_rights import rotate_rights
from tests import samples

SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}


def values(name: str, **changes: Any) -> dict[str, Any]:
    """The values of a release."""
    stack = build_stack(samples.mirror(**changes), samples.mirror_secrets(), {}, samples.NOW)
    (found,) = [release.values for release in stack.releases if release.name == f"regmirror-{name}"]
    return found


def problem(**changes: Any) -> str:
    with pytest.raises(InvalidFileError) as caught:
        samples.mirror(**changes)
    (found,) = caught.value.problems
    return f"{found.key_path}: {found.message}"


@pytest.mark.parametrize(("section", "release"), [("registry", "docker-hub"), ("auth", "auth"), ("redis", "redis")])
def test_every_component_passes_its_pod_settings_on(section: str, release: str) -> None:
    given = {
        "affinity": {"nodeAffinity": {}},
        "topologySpreadConstraints": [SPREAD],
        "priorityClassName": "infrastructure",
        "podAnnotations": {"linkerd.io/inject": "disabled"},
        "podLabels": {"sidecar.istio.io/inject": "false"},
    }
    found = values(release, **{section: {**given, "serviceAccount": "mirror-s3"}}, podSecurity="assigned")
    assert {key: found[key] for key in given} == given
    assert found["serviceAccount"] == {"create": False, "name": "mirror-s3", "annotations": {}}
    assert found["podSecurity"] == "assigned"


def test_without_them_the_charts_get_their_defaults() -> None:
    found = values("docker-hub")
    assert found["podSecurity"] == "fixed"
    assert found["serviceAccount"] == {"create": False, "name": "", "annotations": {}}
    assert "autoscaling" not in found


def test_a_service_account_is_created_with_its_role() -> None:
    account = {"create": True, "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/mirror"}}
    found = values("docker-hub", registry={"serviceAccount": account})
    assert found["serviceAccount"] == {"create": True, "name": "", "annotations": account["annotations"]}


def test_an_autoscaler_takes_the_place_of_replicas() -> None:
    registry = {"ttl": 0, "autoscaling": {"maxReplicas": 6, "targetCPU": 60}}
    expected = {"enabled": True, "minReplicas": 2, "maxReplicas": 6, "targetCPU": 60}
    assert values("docker-hub", registry=registry)["autoscaling"] == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"podSecurity": "none"}, "podSecurity: must be 'fixed' or 'assigned'"),
        ({"auth": {"affinity": {"pods": {}}}}, "auth.affinity: unknown key pods; an affinity has nodeAffinity, "),
        ({"auth": {"topologySpreadConstraints": [{"maxSkew": 1}]}}, "[0]: topologyKey is missing"),
        ({"auth": {"podLabels": {"app.kubernetes.io/name": "x"}}}, "app.kubernetes.io/name is set by regmirror itself"),
        ({"redis": {"podAnnotations": {"regmirror.dev/x": "x"}}}, "regmirror.dev/x is set by regmirror itself"),
        ({"redis": {"priorityClassName": "High Priority"}}, "redis.priorityClassName: 'High Priority' is not a valid"),
        ({"redis": {"serviceAccount": "Mirror"}}, "redis.serviceAccount.name: 'Mirror' is not a valid object name"),
        ({"redis": {"serviceAccount": {}}}, "redis.serviceAccount: name an existing ServiceAccount, or set create"),
        ({"redis": {"serviceAccount": {"name": "x", "annotations": {"a": "b"}}}}, "annotations: requires create: true"),
        (
            {"registry": {"serviceAccount": {"name": "x", "create": True}}, "upstreams": samples.TWO_UPSTREAMS},
            "registry.serviceAccount.name: remove it: with create, the registry of each upstream has",
        ),
        ({"registry": {"autoscaling": {"maxReplicas": 3}}}, "maxReplicas: more than one replica requires ttl: 0"),
        ({"registry": {"ttl": 0, "autoscaling": {"maxReplicas": 1}}}, "maxReplicas: must be at least minReplicas, 2"),
        (
            {"registry": {"ttl": 0, "replicas": 2, "autoscaling": {"maxReplicas": 3}}},
            "registry.replicas: remove it: autoscaling sets the number of pods",
        ),
    ],
)
def test_a_mistake_is_explained_at_its_key(changes: dict[str, Any], message: str) -> None:
    assert message in problem(**changes)


def test_an_editor_accepts_a_service_account_as_a_name_or_a_section() -> None:
    schema = mirror_schema()["$defs"]["ServiceAccount"]
    assert schema["type"] == ["string", "object"]
    assert set(schema["properties"]) == {"name", "create", "annotations"}


def test_what_the_file_adds_to_the_releases_is_in_the_roles_that_change_them() -> None:
    registry = {"ttl": 0, "autoscaling": {"maxReplicas": 2}, "serviceAccount": {"create": True}}
    policies = {"enabled": True, "ingressFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    mirror = samples.mirror(registry=registry, networkPolicies=policies)
    added = {"serviceaccounts", "horizontalpodautoscalers", "poddisruptionbudgets", "networkpolicies"}
    for rights in (deploy_rights(mirror), rotate_rights(mirror)):
        assert added <= {right.resource for right in rights if right.verb == "patch"}
    plain = samples.mirror()
    assert not added & {right.resource for right in deploy_rights(plain)}
    assert not added & {right.resource for right in rotate_rights(plain) if right.verb == "patch"}


def test_the_name_of_a_service_account_is_in_the_role_of_deploy() -> None:
    rights = optional_rights(samples.mirror(registry={"serviceAccount": "mirror-s3"}))
    assert [(right.verb, right.name) for right in rights if right.resource == "serviceaccounts"] == [
        ("get", "mirror-s3")
    ]
