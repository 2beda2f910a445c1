"""What a deployment would change: objects, their fields, and the cause of each change."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from regmirror.deploy.diff_fields import Path, fields_of, format_path, outermost_unowned
from regmirror.deploy.field_managers import foreign_fields
from regmirror.desired import names
from regmirror.ports.cluster import Kind, Object
from regmirror.steps.step import Step

_HELM = ("helm", names.FIELD_MANAGER)


class Action(StrEnum):
    """What a deployment would do with an object."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"


class Cause(StrEnum):
    """Why something differs."""

    FILE = "file"
    """The file, a secret that it refers to, or regmirror itself changed since the last deployment."""
    DRIFT = "drift"
    """Someone changed the cluster since the last deployment."""
    SECRET = "secret"  # noqa: S105 - a cause, not a secret
    """A Secret changes, so the pods that read it are replaced."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field; ``old`` or ``new`` is None if it is absent. A masked field has neither: its values may be secret."""

    path: str
    cause: Cause
    old: Any = None
    new: Any = None
    masked: bool = False


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object that would be created, changed or removed; ``by`` lists the field managers that caused drift."""

    action: Action
    kind: str
    name: str
    cause: Cause
    fields: tuple[FieldChange, ...] = ()
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignField:
    """A field that another field manager added and that deploy does not change."""

    kind: str
    name: str
    path: str
    manager: str


@dataclass(frozen=True, slots=True)
class StepDiff:
    """What a step would change; ``detail`` is a summary in a few words."""

    detail: str
    changed: bool = False
    objects: tuple[ObjectChange, ...] = ()
    foreign: tuple[ForeignField, ...] = ()


class DiffableStep(Step, Protocol):
    """A step that can show what it would change."""

    async def diff(self) -> StepDiff:
        """What ``apply`` would change; changes nothing. Raises RegmirrorError."""


def count_actions(objects: Iterable[ObjectChange]) -> str:
    """The number of objects to create, change and remove, as text."""
    actions = [change.action for change in objects]
    return ", ".join(f"{actions.count(a)} to {a.value}" for a in Action if a in actions) or "unchanged"


def object_created(wanted: Object, *, was_there: bool) -> ObjectChange:
    """The creation of a missing object; one that ``was_there`` before was deleted by someone."""
    return _change(Action.CREATE, wanted, Cause.DRIFT if was_there else Cause.FILE)


def object_removed(live: Object) -> ObjectChange:
    """The removal of an object that the configuration no longer contains."""
    return _change(Action.REMOVE, live, Cause.FILE)


def diff_object(
    before: Object | None, wanted: Object, live: Object, after: Object, redact: Callable[[Any], Any]
) -> ObjectChange | None:
    """The change of a live object; None if nothing would change.

    ``before`` and ``wanted`` are as the chart renders them, for the last deployment and for this one; ``after`` is the
    API server's answer to a dry run. ``redact`` removes secrets from a value.
    """
    old, new = fields_of(before or {}), fields_of(wanted)
    by_file = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    current = fields_of(live)
    # Helm removes what its chart no longer has; a dry run as another field manager does not know about it.
    then = {path: value for path, value in fields_of(after).items() if path not in by_file or path in new}
    differing = [path for path in current.keys() | then.keys() if current.get(path) != then.get(path)]
    # Defaults that the API server adds to new parts are of no interest.
    relevant = [path for path in differing if path in current or path in new] or differing
    if not relevant:
        return None
    others = foreign_fields(live, _HELM)
    fields = [
        _field(path, _cause(path, by_file), redact(current.get(path)), redact(then.get(path)))
        for path in sorted(relevant)
    ]
    drifted = any(field.cause is Cause.DRIFT for field in fields)
    cause = Cause.DRIFT if drifted else fields[0].cause if len({f.cause for f in fields}) == 1 else Cause.FILE
    by = sorted({others[path] for path in relevant if path in others}) if drifted else []
    return _change(Action.CHANGE, wanted, cause, fields, by)


def as_foreign_fields(wanted: Object, live: Object, after: Object) -> list[ForeignField]:
    """The fields of an object that others added and a deployment would not change."""
    planned, then, current = fields_of(wanted), fields_of(after), fields_of(live)
    added = {
        path: manager
        for path, manager in foreign_fields(live, _HELM).items()
        if path not in planned and then.get(path) == current.get(path)
    }
    others = current.keys() - added.keys()
    whole = {outermost_unowned(path, others): manager for path, manager in added.items()}
    name = wanted["metadata"]["name"]
    return [ForeignField(wanted["kind"], name, format_path(path), whole[path]) for path in sorted(whole)]


def kind_of(manifest: Object) -> Kind:
    """The kind of a manifest."""
    return Kind(manifest["apiVersion"], manifest["kind"])


def _cause(path: Path, by_file: set[Path]) -> Cause:
    if path[-1] == names.SECRET_VERSIONS_ANNOTATION:
        return Cause.SECRET
    is_nearby = any(changed[: len(path) - 1] == path[:-1] and len(path) > 2 for changed in by_file)
    return Cause.FILE if path in by_file or is_nearby else Cause.DRIFT


def _field(path: Path, cause: Cause, old: Any, new: Any) -> FieldChange:
    # A version of Secrets is a time: it differs in each diff and means nothing to a reader.
    if cause is Cause.SECRET:
        return FieldChange(format_path(path), cause, masked=True)
    return FieldChange(format_path(path), cause, old, new)


def _change(
    action: Action, target: Object, cause: Cause, fields: Iterable[FieldChange] = (), by: Iterable[str] = ()
) -> ObjectChange:
    return ObjectChange(action, target["kind"], target["metadata"]["name"], cause, tuple(fields), tuple(by))
