"""What a deployment would change in a Secret: keys and settings by name; values only of settings known to be public."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import yaml

from regmirror.deploy.diff_changes import Action, Cause, FieldChange, ForeignField, ObjectChange
from regmirror.deploy.diff_fields import Path, format_path
from regmirror.deploy.field_managers import foreign_fields
from regmirror.desired import names
from regmirror.desired.access_rules import entry_name
from regmirror.desired.differences import differing_paths
from regmirror.desired.sign_in_config import CLIENT_SECRET_KEY
from regmirror.ports.cluster import Object

_OUR_MANAGERS = (names.FIELD_MANAGER,)
_VERSION = ("metadata", "annotations", names.VERSION_ANNOTATION)
_ACL = ("acl",)
_PUBLIC = {
    # docker_auth
    ("token", "issuer"),
    ("token", "expiration"),
    # registry
    ("proxy", "remoteurl"),
    ("proxy", "ttl"),
    ("auth", "token", "realm"),
    ("auth", "token", "service"),
    ("auth", "token", "issuer"),
    *(("storage", "s3", key) for key in ("bucket", "region", "rootdirectory", "regionendpoint", "redirectendpoint")),
    ("storage", "redirect", "disable"),
    ("redis", "db"),
    # Redis
    ("maxmemory",),
    ("maxmemory-policy",),
}
"""Settings whose values are in the configuration file of the mirror as well, and are no secret."""


_OPTIONAL = {names.CA_KEY, names.PROXY_KEY, CLIENT_SECRET_KEY}
"""Keys that only some configuration files lead to."""


def diff_secret(wanted: Object, live: Object) -> ObjectChange | None:
    """The change of a live Secret; None if nothing would change.

    A key that another field manager set is drift; one that regmirror set differs because the file, or a secret that
    it refers to, changed.
    """
    others = foreign_fields(live, _OUR_MANAGERS)
    fields: list[FieldChange] = []
    managers: set[str] = set()
    for path, wants, has in _parts(wanted, live):
        if wants == has:
            continue
        owner = others.get(path)
        if wants is None and owner:
            # Not removed by deploy: it is in foreign_keys.
            continue
        # A missing label or annotation is one that an older regmirror did not set; most keys were always the same.
        is_drift = has is None and path[0] == "data" and path[1] not in _OPTIONAL
        cause = Cause.DRIFT if owner or is_drift else Cause.FILE
        managers |= {owner} if owner else set()
        fields += _data_changes(path, wants, has, cause) if path[0] == "data" else [_masked(path, cause)]
    if not fields and _version(wanted) == _version(live):
        return None
    fields = fields or [_masked(_VERSION, Cause.DRIFT)]
    cause = Cause.DRIFT if any(field.cause is Cause.DRIFT for field in fields) else Cause.FILE
    name = wanted["metadata"]["name"]
    return ObjectChange(Action.CHANGE, "Secret", name, cause, tuple(fields), tuple(sorted(managers)))


def foreign_keys(wanted: Object, live: Object) -> list[ForeignField]:
    """The keys, labels and annotations that others added to a Secret; deploy does not change them."""
    planned = {("type",), _VERSION, *(path for path, _, _ in _parts(wanted, {}))}
    added = {path: by for path, by in foreign_fields(live, _OUR_MANAGERS).items() if path not in planned}
    name = wanted["metadata"]["name"]
    return [ForeignField("Secret", name, format_path(path), added[path]) for path in sorted(added)]


def _parts(wanted: Object, live: Object) -> Iterator[tuple[Path, Any, Any]]:
    """Each part that regmirror sets, except the version, which is new whenever another part is."""
    for path in (("data",), ("metadata", "labels"), ("metadata", "annotations")):
        wants, has = _at(wanted, path), _at(live, path)
        for key in sorted(wants):
            if key != names.VERSION_ANNOTATION:
                yield (*path, key), wants[key], has.get(key)
        for key in sorted((_OPTIONAL & has.keys()) - wants.keys() if path == ("data",) else ()):
            yield (*path, key), None, has[key]


def _version(secret: Object) -> Any:
    return _at(secret, _VERSION[:-1]).get(names.VERSION_ANNOTATION)


def _at(target: Object, path: Path) -> dict[str, Any]:
    for key in path:
        target = target.get(key) or {}
    return target


def _masked(path: Path, cause: Cause) -> FieldChange:
    return FieldChange(format_path(path), cause, masked=True)


def _data_changes(key: Path, wants: str | None, has: str | None, cause: Cause) -> list[FieldChange]:
    """The changed settings of a configuration file; the whole key if it is not a configuration file.

    Only paths of the wanted file are shown: the live file may contain anything.
    """
    old, new = _document(has), _document(wants)
    if old is None or new is None:
        return [_masked(key, cause)]
    changes: list[FieldChange] = []
    for path in _differing_paths(new, old):
        rules = _rule_changes(new, old) if path == _ACL else {}
        values = rules or ({path: (_value(old, path), _value(new, path))} if path in _PUBLIC else {})
        if values and not any("@" in str(value) for pair in values.values() for value in pair):
            changes += [FieldChange(format_path((*key, *p)), cause, *values[p]) for p in sorted(values)]
        else:
            changes.append(_masked((*key, *path), cause))
    return changes or [_masked(key, cause)]


def _rule_changes(new: dict[str, Any], old: dict[str, Any]) -> dict[Path, tuple[Any, Any]]:
    """The access rules that were added, changed or removed, with the actions that they allow; none if only their
    order changed, or if a live rule is not like those of regmirror."""
    try:
        wants, has = ({_rule_path(rule): rule["actions"] for rule in document["acl"]} for document in (new, old))
    except (AttributeError, KeyError, TypeError):
        return {}
    changed = [path for path in {**has, **wants} if wants.get(path) != has.get(path)]
    return {path: (_actions(has.get(path)), _actions(wants.get(path))) for path in changed}


def _rule_path(rule: dict[str, Any]) -> Path:
    match = rule["match"]
    others = match.keys() - {"type", "name", "service"}
    if rule.keys() - {"match", "actions", "comment"} or others - {"account", "labels", "ip"}:
        raise KeyError("a rule of someone else")
    return (*_ACL, f"[{match['service']}/{entry_name(match)}]")


def _actions(actions: Any) -> str | None:
    return None if actions is None else ", ".join(map(str, actions))


def _value(document: dict[str, Any], path: Path) -> Any:
    """A plain value; None if it is missing or not plain."""
    part: Any = document
    for key in path:
        part = part.get(key) if isinstance(part, dict) else None
    return part if isinstance(part, str | int | float | bool) else None


def _differing_paths(new: dict[str, Any], old: dict[str, Any]) -> list[Path]:
    return sorted({path if _has(new, path) else path[:-1] for path in differing_paths(new, old)})


def _has(document: Any, path: Path) -> bool:
    return not path or (isinstance(document, dict) and path[0] in document and _has(document[path[0]], path[1:]))


def _document(encoded: str | None) -> dict[str, Any] | None:
    """A configuration file as a mapping; None if it is not one."""
    try:
        text = base64.b64decode(encoded or "", validate=True).decode()
        content = yaml.safe_load(text)
    except (binascii.Error, UnicodeDecodeError, yaml.YAMLError):
        return None
    if isinstance(content, dict):
        return content
    # redis.conf: a keyword, a space, and the value.
    words = [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {pair[0]: pair[1] for pair in words} if words and all(len(pair) == 2 for pair in words) else None
