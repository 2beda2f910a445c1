"""Shows a diff as text: objects, and below each the fields that would change, with the cause."""

import json
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from regmirror.cli.terminal import Terminal

if TYPE_CHECKING:
    from regmirror.deploy.report import DiffReport, FieldReport, ObjectReport

_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}
_WIDTH = 76
"""Characters of a field, which is indented on a terminal of 80 columns."""
_CONTEXT = 2
"""Unchanged lines around those of a file that differ."""
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
    """A field in one line; if that would be too long, the lines that differ, or both values."""
    if field.cause == "secret":
        return ["pods will be replaced: a Secret that they mount changes"]
    drift = "  (drift)" if field.cause == "drift" else ""
    if field.masked:
        return [f"{field.path}: changed, value hidden{drift}"]
    old, new = _value(field.from_), _value(field.to)
    line = f"{field.path}: {old} -> {new}{drift}"
    if len(line) <= _WIDTH:
        return [line]
    return [f"{field.path}:{drift}", *(_differing_lines(field.from_, field.to) or [f"  - {old}", f"  + {new}"])]


def _differing_lines(old: Any, new: Any) -> list[str]:
    """The lines that differ between two versions of a file, with those around them; empty for other values."""
    if not (isinstance(old, str) and isinstance(new, str) and "\n" in old + new):
        return []
    # The first three lines are the names of two files, and where the first difference is.
    lines = list(unified_diff(old.splitlines(), new.splitlines(), n=_CONTEXT, lineterm=""))[3:]
    return [f"  {'...' if line.startswith('@@') else f'{line[0]} {_printable(line[1:])}'}" for line in lines]


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in line)


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
