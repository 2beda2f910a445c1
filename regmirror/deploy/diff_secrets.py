"""What would change in a Secret, told by keys and by the names of settings alone, never by values."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import yaml

from regmirror.deploy.diff_changes import Action, Cause, FieldChange, ForeignField, ObjectChange
from regmirror.deploy.diff_fields import Path, written
from regmirror.deploy.field_managers import foreign_fields
from regmirror.desired import names
from regmirror.desired.differences import differing_paths
from regmirror.ports.cluster import Object

_OURS = (names.FIELD_MANAGER,)
_VERSION = ("metadata", "annotations", names.VERSION_ANNOTATION)


def secret_change(wanted: Object, live: Object) -> ObjectChange | None:
    """What would become of a live Secret; None where nothing would.

    A key that somebody else has set is drift; one that regmirror has set itself differs because the file, or what it
    refers to, does.
    """
    others = foreign_fields(live, _OURS)
    fields: list[FieldChange] = []
    by: set[str] = set()
    for path, wants, has in _parts(wanted, live):
        if wants == has:
            continue
        owner = others.get(path)
        # A label or annotation that is missing is one that an older regmirror did not have; keys were always the same.
        cause = Cause.DRIFT if owner or (has is None and path[0] == "data") else Cause.FILE
        by |= {owner} if owner else set()
        inner = _settings(wants, has) if path[0] == "data" else []
        fields += [FieldChange(written((*path, *one)), cause, masked=True) for one in inner or [()]]
    if not fields and _version(wanted) == _version(live):
        return None
    fields = fields or [FieldChange(written(_VERSION), Cause.DRIFT, masked=True)]
    cause = Cause.DRIFT if any(field.cause is Cause.DRIFT for field in fields) else Cause.FILE
    found = wanted["metadata"]["name"]
    return ObjectChange(Action.CHANGE, "Secret", found, cause, tuple(fields), tuple(sorted(by)))


def kept_keys(wanted: Object, live: Object) -> list[ForeignField]:
    """The keys, labels and annotations that somebody has added to a Secret, and that stay."""
    planned = {("type",), _VERSION, *(path for path, _, _ in _parts(wanted, {}))}
    added = {path: by for path, by in foreign_fields(live, _OURS).items() if path not in planned}
    return [ForeignField("Secret", wanted["metadata"]["name"], written(path), added[path]) for path in sorted(added)]


def _parts(wanted: Object, live: Object) -> Iterator[tuple[Path, Any, Any]]:
    """Each part that regmirror sets, but for the version, which is new wherever something else is."""
    for way in (("data",), ("metadata", "labels"), ("metadata", "annotations")):
        wants, has = _at(wanted, way), _at(live, way)
        for key in sorted(wants):
            if key != names.VERSION_ANNOTATION:
                yield (*way, key), wants[key], has.get(key)


def _version(secret: Object) -> Any:
    return _at(secret, _VERSION[:-1]).get(names.VERSION_ANNOTATION)


def _at(found: Object, way: Path) -> dict[str, Any]:
    for step in way:
        found = found.get(step) or {}
    return found


def _settings(wants: str, has: str | None) -> list[Path]:
    """The ways to what differs within a configuration file; none where it is no such file.

    Only ways of the file as it should be are told: what stands in a live one may be anything.
    """
    old, new = _document(has), _document(wants)
    if old is None or new is None:
        return []
    return sorted({path if _has(new, path) else path[:-1] for path in differing_paths(new, old)})


def _has(document: Any, path: Path) -> bool:
    return not path or (isinstance(document, dict) and path[0] in document and _has(document[path[0]], path[1:]))


def _document(encoded: str | None) -> dict[str, Any] | None:
    """A configuration file as a mapping; None where it is none."""
    try:
        text = base64.b64decode(encoded or "", validate=True).decode()
        content = yaml.safe_load(text)
    except (binascii.Error, UnicodeDecodeError, yaml.YAMLError):
        return None
    if isinstance(content, dict):
        return content
    # Redis's own form: a word, a space, and the value.
    words = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {pair[0]: pair[1] for pair in words} if words and all(len(pair) == 2 for pair in words) else None
