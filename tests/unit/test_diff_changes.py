"""What a deployment would change of an object: which fields, why, by whom, and what of others it leaves alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from regmirror.deploy.diff_changes import (
    Action,
    Cause,
    FieldChange,
    ForeignField,
    ObjectChange,
    as_foreign_fields,
    diff_object,
)
from regmirror.deploy.diff_fields import fields_of, format_path
from regmirror.desired import names

CONTAINER = {"name": "auth", "image": "auth:1", "args": ["--v=2"], "ports": [{"name": "http", "containerPort": 5001}]}
WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "regmirror-auth", "labels": {"app.kubernetes.io/name": "auth"}},
    "spec": {"replicas": 1, "template": {"metadata": {}, "spec": {"containers": [CONTAINER]}}},
}
POD = ("spec", "template", "spec")


def changed(base: dict[str, Any], *path: Any, to: Any) -> dict[str, Any]:
    """A copy with another value at one place; None takes it away."""
    copied = copy.deepcopy(base)
    part: Any = copied
    for step in path[:-1]:
        part = part[step] if isinstance(step, int) else part.setdefault(step, {})
    if to is None:
        del part[path[-1]]
    else:
        part[path[-1]] = to
    return copied


def owned(live: dict[str, Any], manager: str, fields: dict[str, Any], **entry: Any) -> dict[str, Any]:
    """The live object with a note of who set some of its fields."""
    entries = [*live["metadata"].get("managedFields", []), {"manager": manager, "fieldsV1": fields, **entry}]
    return {**live, "metadata": {**live["metadata"], "managedFields": entries}}


def compare(wanted: dict[str, Any], live: dict[str, Any], after: dict[str, Any], before: Any = WANTED) -> Any:
    return diff_object(before, wanted, live, after, lambda value: value)


def test_an_object_that_is_as_it_should_be_has_no_change() -> None:
    assert compare(WANTED, WANTED, WANTED) is None


def test_status_and_what_the_server_keeps_are_no_difference() -> None:
    live = {**WANTED, "status": {"replicas": 1}, "metadata": {**WANTED["metadata"], "resourceVersion": "7"}}
    assert compare(WANTED, live, WANTED) is None


def test_another_value_in_the_file_is_told_with_both_values() -> None:
    wanted = changed(WANTED, "spec", "replicas", to=2)
    fields = (FieldChange("spec.replicas", Cause.FILE, 1, 2),)
    assert compare(wanted, WANTED, wanted) == ObjectChange(
        Action.CHANGE, "Deployment", "regmirror-auth", Cause.FILE, fields
    )


def test_an_edit_of_the_cluster_is_drift_with_the_name_of_who_did_it() -> None:
    live = changed(WANTED, *POD, "containers", 0, "image", to="evil:1")
    key = 'k:{"name":"auth"}'
    where: Any = {"f:spec": {"f:template": {"f:spec": {"f:containers": {key: {"f:image": {}}}}}}}
    found = compare(WANTED, owned(live, "kubectl-edit", where), WANTED)
    assert (found.cause, found.by) == (Cause.DRIFT, ("kubectl-edit",))
    assert found.fields == (FieldChange("spec.template.spec.containers[auth].image", Cause.DRIFT, "evil:1", "auth:1"),)


def test_file_and_drift_are_told_apart_field_by_field() -> None:
    live = changed(WANTED, *POD, "containers", 0, "args", to=["--v=9"])
    wanted = changed(WANTED, "spec", "replicas", to=2)
    found = compare(wanted, live, wanted)
    assert found.cause is Cause.DRIFT
    assert {field.path: field.cause for field in found.fields} == {
        "spec.replicas": Cause.FILE,
        "spec.template.spec.containers[auth].args[0]": Cause.DRIFT,
    }


def test_what_the_file_no_longer_has_is_removed_though_a_dry_run_keeps_it() -> None:
    before = changed(WANTED, "metadata", "annotations", to={"a.b/c": "d"})
    found = compare(WANTED, before, before, before=before)
    assert found.fields == (FieldChange("metadata.annotations[a.b/c]", Cause.FILE, "d", None),)


def test_defaults_of_the_server_for_what_is_new_are_not_told() -> None:
    wanted = changed(WANTED, *POD, "containers", 0, "readinessProbe", to={"periodSeconds": 3})
    after = changed(wanted, *POD, "containers", 0, "readinessProbe", "successThreshold", to=1)
    (field,) = compare(wanted, WANTED, after).fields
    assert field == FieldChange("spec.template.spec.containers[auth].readinessProbe.periodSeconds", Cause.FILE, None, 3)


def test_versions_of_secrets_are_told_as_what_they_do() -> None:
    way = ("spec", "template", "metadata", "annotations")
    wanted = changed(WANTED, *way, to={names.SECRET_VERSIONS_ANNOTATION: "2026"})
    (field,) = compare(wanted, WANTED, wanted).fields
    assert (field.cause, field.masked, field.old, field.new) == (Cause.SECRET, True, None, None)


def test_values_are_shown_without_secrets() -> None:
    live = changed(WANTED, *POD, "containers", 0, "args", to=["canary"])
    found = diff_object(WANTED, WANTED, live, WANTED, lambda value: str(value).replace("canary", "***"))
    assert found is not None
    assert found.fields[0].old == "***"


def test_what_somebody_has_added_stays_and_is_told_as_a_whole() -> None:
    variable = {"name": "FOO", "value": "canary"}
    live = changed(WANTED, *POD, "containers", 0, "env", to=[variable])
    key, entry = 'k:{"name":"auth"}', 'k:{"name":"FOO"}'
    env: Any = {"f:env": {".": {}, entry: {".": {}, "f:name": {}, "f:value": {}}}}
    live = owned(live, "kubectl-set", {"f:spec": {"f:template": {"f:spec": {"f:containers": {key: env}}}}})
    assert compare(WANTED, live, live) is None
    path = "spec.template.spec.containers[auth].env[FOO]"
    assert as_foreign_fields(WANTED, live, live) == [ForeignField("Deployment", "regmirror-auth", path, "kubectl-set")]


@pytest.mark.parametrize(
    ("manager", "entry"),
    [("helm", {}), ("regmirror", {}), ("kube-controller-manager", {}), ("traefik", {"subresource": "status"})],
)
def test_what_the_cluster_or_deploy_itself_has_set_is_not_told_as_added(manager: str, entry: dict[str, str]) -> None:
    live = changed(WANTED, "metadata", "annotations", to={"note": "x"})
    live = owned(live, manager, {"f:metadata": {"f:annotations": {".": {}, "f:note": {}}}}, **entry)
    assert as_foreign_fields(WANTED, live, live) == []


def test_a_field_that_is_gone_by_now_has_no_owner() -> None:
    live = owned(WANTED, "kubectl-edit", {"f:metadata": {"f:annotations": {"f:gone": {}}}})
    assert as_foreign_fields(WANTED, live, live) == []


def test_items_of_lists_are_named_by_what_tells_them_apart() -> None:
    spec = {"rules": [{"host": "a.b", "paths": [{"path": "/v2"}]}], "plain": ["x"], "twice": [{"name": "a"}] * 2}
    ways = {format_path(path) for path in fields_of({"kind": "Ingress", "spec": spec})}
    assert ways >= {"spec.rules[a.b].host", "spec.rules[a.b].paths[/v2].path", "spec.plain[0]", "spec.twice[1].name"}
