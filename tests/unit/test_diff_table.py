"""A diff as text."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.cli.diff_table import show_diff
from regmirror.cli.terminal import terminal
from regmirror.deploy.report import (
    DiffReport,
    FieldReport,
    ForeignFieldReport,
    ObjectReport,
    StepReport,
    heading,
)
from tests import samples


def field(path: str, cause: Any = "file", **more: Any) -> FieldReport:
    return FieldReport(**{"path": path, "cause": cause, "masked": False, "from_": None, "to": None} | more)


def changed(
    name: str, *fields: FieldReport, action: Any = "change", cause: Any = "file", step: str = ""
) -> ObjectReport:
    by = ["kubectl-edit"] if cause == "drift" and action == "change" else []
    return ObjectReport(
        step=step or name,
        action=action,
        kind="Deployment",
        name=name,
        cause=cause,
        changed_by=by,
        fields=list(fields),
    )


def report(**parts: Any) -> DiffReport:
    lists = ("steps", "objects", "foreign_fields", "orphans", "overrides", "prerequisites", "warnings")
    known: dict[str, Any] = {key: [] for key in lists}
    return DiffReport(**heading(samples.mirror(), "fake"), differs=True, **known | parts)


def shown(capsys: pytest.CaptureFixture[str], **parts: Any) -> list[str]:
    with terminal() as streams:
        show_diff(streams, report(**parts))
    return capsys.readouterr().out.splitlines()


def test_each_object_has_a_sign_and_drift_its_author(capsys: pytest.CaptureFixture[str]) -> None:
    objects = [
        changed("new", action="create"),
        changed("lost", action="create", cause="drift"),
        changed("edited", cause="drift"),
        changed("old", action="remove"),
        changed("left", action="remove", step="prune"),
    ]
    assert shown(capsys, objects=objects) == [
        "+ Deployment new",
        "+ Deployment lost  (drift: someone deleted it)",
        "~ Deployment edited  (drift: changed by kubectl-edit)",
        "- Deployment old",
        "- Deployment left  (orphan: removed only with --prune)",
    ]


def test_only_the_lines_of_a_file_that_differ_are_shown_with_the_lines_around_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = "\n".join(f"line {number}" for number in range(40))
    files = [
        field("data[a.yaml]", from_=old, to=old.replace("line 20", "an \x1b[31m other")),
        field("data[b.yaml]", from_="a\nb\n", to="a\nb"),
    ]
    assert shown(capsys, objects=[changed("m", *files)]) == [
        "~ Deployment m",
        "    data[a.yaml]:",
        "        line 18",
        "        line 19",
        "      - line 20",
        "      + an \\u001b[31m other",
        "        line 21",
        "        line 22",
        '    data[b.yaml]: "a\\nb\\n" -> "a\\nb"',
    ]


def test_fields_are_shown_with_both_values_and_masked_ones_without(capsys: pytest.CaptureFixture[str]) -> None:
    fields = [
        field("spec.replicas", "drift", from_=2, to=1),
        field("spec.image", from_="a" * 60, to="b"),
        field("data.key", masked=True),
        field("spec.versions", "secret", masked=True),
        field("metadata.annotations.x", from_="y"),
    ]
    assert shown(capsys, objects=[changed("auth", *fields)])[1:] == [
        "    spec.replicas: 2 -> 1  (drift)",
        "    spec.image:",
        f'      - "{"a" * 60}"',
        '      + "b"',
        "    data.key: changed, value hidden",
        "    pods will be replaced: a Secret that they mount changes",
        '    metadata.annotations.x: "y" -> absent',
    ]


def test_what_is_kept_and_what_changes_without_an_object_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    foreign = ForeignFieldReport(kind="Deployment", name="auth", path="spec.env[A]", manager="kubectl-set")
    steps = [StepReport(name="bucket", changed=True, detail="layers would be created")]
    assert shown(capsys, foreign_fields=[foreign], steps=steps, orphans=["release regmirror-quay"]) == [
        "~ bucket: layers would be created",
        "= Deployment auth: spec.env[A] added by kubectl-set, kept",
        "= release regmirror-quay: orphan, kept unless --prune is given",
    ]
