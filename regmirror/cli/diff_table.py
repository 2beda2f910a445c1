"""Shows a diff to people: objects, and below each the fields that would change, with why."""

import json
from typing import Any

from regmirror.cli.terminal import Terminal

_SIGNS = {"create": ("+", "green"), "change": ("~", "yellow"), "remove": ("-", "red")}
_WIDTH = 76
"""Characters of a field, which stands indented on a screen of 80."""


def show_diff(streams: Terminal, report: dict[str, Any]) -> None:
    """The whole report, on standard output; warnings go to standard error."""
    for found in report["objects"]:
        _show_object(streams, found)
    for step in report["steps"]:
        if step["changed"] and not any(found["step"] == step["name"] for found in report["objects"]):
            streams.result(f"~ {step['name']}: {step['detail']}", "yellow")
    for kept in report["kept"]:
        streams.result(f"= {kept['kind']} {kept['name']}: {kept['path']} added by {kept['by']}, stays", "dim")
    for name in report["orphans"]:
        streams.result(f"= {name}: no longer in the file, stays without --prune", "dim")
    for warning in report["warnings"]:
        streams.info(f"Warning: {warning}", "yellow")


def _show_object(streams: Terminal, found: dict[str, Any]) -> None:
    sign, style = _SIGNS[found["action"]]
    streams.result(f"{sign} {found['kind']} {found['name']}{_note(found)}", style)
    for field in found["fields"]:
        for line in _field(field):
            streams.result(f"    {line}")


def _field(field: dict[str, Any]) -> list[str]:
    """A field in one line, or in three where one would be too long."""
    if field["cause"] == "secret":
        return ["pods are replaced: they read a Secret that changes"]
    drift = "  (drift)" if field["cause"] == "drift" else ""
    if field["masked"]:
        return [f"{field['path']}: changed, not shown{drift}"]
    old, new = _value(field["from"]), _value(field["to"])
    line = f"{field['path']}: {old} -> {new}{drift}"
    return [line] if len(line) <= _WIDTH else [f"{field['path']}:{drift}", f"  - {old}", f"  + {new}"]


def _note(found: dict[str, Any]) -> str:
    if found["cause"] != "drift":
        return ""
    if found["action"] == "create":
        return "  (drift: somebody has deleted it)"
    return f"  (drift: changed by {', '.join(found['changedBy']) or 'somebody'})"


def _value(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
