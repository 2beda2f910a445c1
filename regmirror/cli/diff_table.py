"""Shows a diff as text: objects, and below each the fields that would change, with the cause."""

import json
from typing import TYPE_CHECKING, Any

from regmirror.cli.terminal import Terminal

if TYPE_CHECKING:
    from regmirror.deploy.report import DiffReport, FieldReport, ObjectReport

_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}
_WIDTH = 76
"""Characters of a field, which is indented on a terminal of 80 columns."""
_PRUNE = "prune"


def show_diff(streams: Terminal, report: "DiffReport") -> None:
    """The whole report, on standard output; what is missing and warnings on standard error."""
    for target in report.objects:
        _show_object(streams, target)
    with_objects = {target.step for target in report.objects}
    for step in report.steps:
        if step.changed and step.name not in with_objects:
            streams.result(f"~ {step.name}: {step.detail}", "yellow")
    for field in report.foreign_fields:
        streams.result(f"= {field.kind} {field.name}: {field.path} added by {field.manager}, kept", "dim")
    if _PRUNE not in {step.name for step in report.steps}:
        for name in report.orphans:
            streams.result(f"= {name}: orphan, kept unless --prune is given", "dim")
    for value in report.overrides:
        theirs = "the chart's default" if value.instead_of is None else _value(value.instead_of)
        text = f"= {value.release}: {value.path} is {_value(value.value)} ({value.source}) instead of {theirs}"
        streams.result(text, "dim")
    for missing in report.prerequisites:
        hint = f"\n    Try: {missing.hint}" if missing.hint else ""
        streams.info(f"{streams.symbols.error} {missing.message}{hint}", "red")
    for warning in report.warnings:
        streams.info(f"{streams.symbols.warning} {warning}", "yellow")


def _show_object(streams: Terminal, target: "ObjectReport") -> None:
    sign, style = _SIGNS[target.action]
    streams.result(f"{sign} {target.kind} {target.name}{_note(target)}", style)
    for field in target.fields:
        for line in _lines(field):
            streams.result(f"    {line}")


def _lines(field: "FieldReport") -> list[str]:
    """A field in one line, or in three if that would be too long."""
    if field.cause == "secret":
        return ["pods will be replaced: a Secret that they mount changes"]
    drift = "  (drift)" if field.cause == "drift" else ""
    if field.masked:
        return [f"{field.path}: changed, value hidden{drift}"]
    old, new = _value(field.from_), _value(field.to)
    line = f"{field.path}: {old} -> {new}{drift}"
    return [line] if len(line) <= _WIDTH else [f"{field.path}:{drift}", f"  - {old}", f"  + {new}"]


def _note(target: "ObjectReport") -> str:
    if target.step == _PRUNE:
        return "  (orphan: removed only with --prune)"
    if target.cause != "drift":
        return ""
    if target.action == "create":
        return "  (drift: someone deleted it)"
    return f"  (drift: changed by {', '.join(target.changed_by) or 'someone'})"


def _value(value: Any) -> str:
    return "absent" if value is None else json.dumps(value, ensure_ascii=False)
