"""What people see of a diff."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.cli.diff_table import show_diff
from regmirror.cli.terminal import terminal


def field(path: str, cause: str = "file", **more: Any) -> dict[str, Any]:
    return {"path": path, "cause": cause, "masked": False, "from": None, "to": None} | more


def changed(name: str, *fields: dict[str, Any], action: str = "change", cause: str = "file") -> dict[str, Any]:
    by = ["kubectl-edit"] if cause == "drift" and action == "change" else []
    return {
        "step": name,
        "action": action,
        "kind": "Deployment",
        "name": name,
        "cause": cause,
        "changedBy": by,
        "fields": list(fields),
    }


def shown(capsys: pytest.CaptureFixture[str], **parts: Any) -> list[str]:
    report = {"objects": [], "steps": [], "kept": [], "orphans": [], "warnings": []} | parts
    with terminal() as streams:
        show_diff(streams, report)
    return capsys.readouterr().out.splitlines()


def test_each_object_has_its_sign_and_drift_its_author(capsys: pytest.CaptureFixture[str]) -> None:
    objects = [
        changed("new", action="create"),
        changed("lost", action="create", cause="drift"),
        changed("edited", cause="drift"),
        changed("old", action="remove"),
    ]
    assert shown(capsys, objects=objects) == [
        "+ Deployment new",
        "+ Deployment lost  (drift: somebody has deleted it)",
        "~ Deployment edited  (drift: changed by kubectl-edit)",
        "- Deployment old",
    ]


def test_fields_are_shown_with_both_values_and_masked_ones_without(capsys: pytest.CaptureFixture[str]) -> None:
    fields = [
        field("spec.replicas", "drift", **{"from": 2, "to": 1}),
        field("spec.image", **{"from": "a" * 60, "to": "b"}),
        field("data.key", masked=True),
        field("spec.versions", "secret", masked=True),
        field("metadata.annotations.x", **{"from": "y"}),
    ]
    assert shown(capsys, objects=[changed("auth", *fields)])[1:] == [
        "    spec.replicas: 2 -> 1  (drift)",
        "    spec.image:",
        f'      - "{"a" * 60}"',
        '      + "b"',
        "    data.key: changed, not shown",
        "    pods are replaced: they read a Secret that changes",
        '    metadata.annotations.x: "y" -> nothing',
    ]


def test_what_stays_and_what_changes_without_an_object_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    kept = {"kind": "Deployment", "name": "auth", "path": "spec.env[A]", "by": "kubectl-set"}
    steps = [{"name": "bucket", "changed": True, "detail": "layers would be created"}]
    assert shown(capsys, kept=[kept], steps=steps, orphans=["regmirror-quay"]) == [
        "~ bucket: layers would be created",
        "= Deployment auth: spec.env[A] added by kubectl-set, stays",
        "= regmirror-quay: no longer in the file, stays without --prune",
    ]
