"""``overrides``: merged as Helm merges, the last one wins, and what other parts rely on cannot be overridden."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.config.problem import InvalidFileError
from regmirror.desired.overrides import OverriddenValue
from regmirror.desired.pod_security import pod_security_warnings
from regmirror.desired.releases import Release, build_stack
from tests import samples


def release(name: str, **changes: Any) -> Release:
    stack = build_stack(samples.mirror(**changes), samples.mirror_secrets(), {}, samples.NOW)
    (found,) = [one for one in stack.releases if one.name == f"regmirror-{name}"]
    return found


def test_mappings_are_merged_and_lists_are_replaced() -> None:
    redis = {"resources": {"limits": {"memory": "1Gi"}}, "tolerations": [{"key": "a", "operator": "Exists"}]}
    values = {"resources": {"limits": {"cpu": "1"}}, "tolerations": []}
    found = release("redis", redis=redis, overrides={"redis": values})
    assert found.values["resources"] == {"limits": {"memory": "1Gi", "cpu": "1"}}
    assert found.values["tolerations"] == []


def test_it_is_known_whose_value_won() -> None:
    redis = {"resources": {"limits": {"memory": "1Gi"}}}
    values = {"resources": {"limits": {"memory": "2Gi"}}, "podLabels": {"team": "a"}, "nodeSelector": {}}
    found = release("redis", redis=redis, overrides={"redis": values})
    label, memory = found.overridden
    assert memory == OverriddenValue(
        "regmirror-redis", "resources.limits.memory", "2Gi", instead_of="1Gi", source="overrides.redis"
    )
    assert str(memory) == ('regmirror-redis: resources.limits.memory is "2Gi" (overrides.redis) instead of "1Gi"')
    assert str(label).endswith('podLabels.team is "a" (overrides.redis) instead of the chart\'s default')


def test_the_value_of_an_upstream_wins_over_that_of_every_registry() -> None:
    quay = {**samples.TWO_UPSTREAMS[1], "overrides": {"podLabels": {"team": "quay"}}}
    changes = {
        "upstreams": [samples.TWO_UPSTREAMS[0], quay],
        "overrides": {"registry": {"podLabels": {"team": "all", "site": "one"}}},
    }
    assert release("docker-hub", **changes).values["podLabels"] == {"team": "all", "site": "one"}
    found = release("quay", **changes)
    assert found.values["podLabels"] == {"team": "quay", "site": "one"}
    assert {value.path: value.source for value in found.overridden} == {
        "podLabels.team": "upstreams[1].overrides",
        "podLabels.site": "overrides.registry",
    }


def test_null_removes_a_default_of_the_chart_as_in_helm() -> None:
    assert release("redis", overrides={"redis": {"affinity": None}}).values["affinity"] is None


def test_the_file_without_overrides_changes_nothing() -> None:
    found = release("redis", overrides={"redis": {}})
    assert (found.values, found.overridden) == (release("redis").values, ())


@pytest.mark.parametrize(
    ("component", "values", "message"),
    [
        ("redis", {"config": {"secretName": "other"}}, "overrides.redis.config: this value cannot be overridden"),
        ("registry", {"replicas": 2}, "set registry.replicas instead"),
        ("registry", {"front": {"image": {"tag": "1"}}}, "overrides.registry.front.image: .*set front.image instead"),
        ("registry", {"extraEnv": [{"name": "REGISTRY_AUTH", "value": "none"}]}, "the variable REGISTRY_AUTH"),
        ("auth", {"signing": {"secretName": "other"}}, "other parts of the mirror rely on"),
        ("ingress", {"hosts": []}, "overrides.ingress.hosts"),
        ("ingress", {1: "a"}, "the key 1 is not text"),
        ("ingress", {"annotations": {"on": __import__("datetime").date(2026, 1, 1)}}, "annotations.on is a date"),
        ("redis", [], "expected a mapping of Helm values"),
        ("front", {}, "unknown key"),
    ],
)
def test_what_the_mirror_relies_on_is_refused(component: str, values: Any, message: str) -> None:
    with pytest.raises(InvalidFileError, match=message):
        samples.mirror(overrides={component: values})


def test_an_upstream_cannot_override_it_either() -> None:
    upstream = {**samples.MINIMAL["upstreams"][0], "overrides": {"bundle": {"secretName": "other"}}}
    with pytest.raises(InvalidFileError, match=r"upstreams\[0\].overrides.bundle: this value cannot be overridden"):
        samples.mirror(upstreams=[upstream])


def warnings(**spec: Any) -> list[str]:
    overridden = release("redis", overrides={"redis": {"podLabels": {"a": "b"}}})
    cache = {"kind": "Deployment", "metadata": {"name": "cache"}, "spec": {"template": {"spec": spec}}}
    return pod_security_warnings([overridden, release("auth")], {"regmirror-redis": [cache]})


_OWN = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_SHARED = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_a_restricted_pod_has_no_warning() -> None:
    containers = [{"name": "a", "securityContext": _OWN}]
    assert warnings(securityContext=_SHARED, containers=containers) == []


@pytest.mark.parametrize(
    ("shared", "own", "more", "reason"),
    [
        ({"runAsNonRoot": None}, {}, {}, "container a: runAsNonRoot is not true"),
        ({"runAsUser": 0}, {}, {}, "runAsUser is 0"),
        ({"seccompProfile": None}, {}, {}, "seccompProfile is not RuntimeDefault"),
        ({}, {"runAsNonRoot": False}, {}, "runAsNonRoot is not true"),
        ({}, {"allowPrivilegeEscalation": None}, {}, "allowPrivilegeEscalation is not false"),
        ({}, {"capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}, {}, "it keeps capabilities"),
        ({}, {"privileged": True}, {}, "it is privileged"),
        ({}, {}, {"hostNetwork": True}, "hostNetwork is true"),
        ({}, {}, {"volumes": [{"name": "disk", "hostPath": {"path": "/"}}]}, "volume disk is of a type"),
    ],
)
def test_a_pod_that_is_not_restricted_has_a_warning(
    shared: dict[str, Any], own: dict[str, Any], more: dict[str, Any], reason: str
) -> None:
    containers = [{"name": "a", "securityContext": _OWN | own}]
    (warning,) = warnings(securityContext=_SHARED | shared, containers=containers, **more)
    assert warning.startswith("regmirror-redis: the pods of Deployment cache do not pass Pod Security restricted")
    assert reason in warning
