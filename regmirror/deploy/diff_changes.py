"""What a deployment would change, object by object and field by field, and why."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from regmirror.deploy.diff_fields import Path, fields_of, outermost_unowned, written
from regmirror.deploy.field_managers import foreign_fields
from regmirror.desired import names
from regmirror.ports.cluster import Kind, Object
from regmirror.steps.step import Step

_HELM = ("helm", names.FIELD_MANAGER)


class Action(StrEnum):
    """What would become of an object."""

    CREATE = "create"
    CHANGE = "change"
    REMOVE = "remove"


class Cause(StrEnum):
    """Why something differs."""

    FILE = "file"
    """The file, a secret that it refers to, or regmirror itself is another than at the last deployment."""
    DRIFT = "drift"
    """Somebody has changed the cluster since."""
    SECRET = "secret"  # noqa: S105 - a cause, not a secret
    """A Secret changes, so the pods that read it are replaced."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field; ``old`` or ``new`` is None where there is none. Of a masked one neither is known here."""

    path: str
    cause: Cause
    old: Any = None
    new: Any = None
    masked: bool = False


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object that would be created, changed or removed; ``by`` names who has changed the cluster."""

    action: Action
    kind: str
    name: str
    cause: Cause
    fields: tuple[FieldChange, ...] = ()
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignField:
    """A field that somebody has added, and that deploy leaves alone."""

    kind: str
    name: str
    path: str
    by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a step would do; ``detail`` is in few words."""

    detail: str
    changed: bool = False
    objects: tuple[ObjectChange, ...] = ()
    kept: tuple[ForeignField, ...] = ()


class PlannedStep(Step, Protocol):
    """A step that can tell what it would do."""

    async def plan(self) -> Plan:
        """What ``apply`` would do, without doing any of it; raises RegmirrorError."""


def counted(objects: Iterable[ObjectChange]) -> str:
    """How many objects would be created, changed and removed, in words."""
    actions = [change.action for change in objects]
    past = {Action.CREATE: "create", Action.CHANGE: "change", Action.REMOVE: "remove"}
    return ", ".join(f"{actions.count(action)} to {word}" for action, word in past.items() if action in actions) or (
        "unchanged"
    )


def creation(wanted: Object, *, was_there: bool) -> ObjectChange:
    """The change that makes a missing object; one that was there before is missing by somebody's hand."""
    return _change(Action.CREATE, wanted, Cause.DRIFT if was_there else Cause.FILE)


def removal(found: Object) -> ObjectChange:
    """The change that takes an object away, for the file no longer has it."""
    return _change(Action.REMOVE, found, Cause.FILE)


def diff_object(
    before: Object | None, wanted: Object, live: Object, after: Object, shown: Callable[[Any], Any]
) -> ObjectChange | None:
    """What would become of a live object; None where nothing would.

    ``before`` and ``wanted`` are as the chart renders them, for the last deployment and for this one; ``after`` is the
    API server's answer to a dry run. ``shown`` blots secrets out of a value.
    """
    old, new = fields_of(before or {}), fields_of(wanted)
    by_file = {path for path in old.keys() | new.keys() if old.get(path) != new.get(path)}
    there = fields_of(live)
    # Helm removes what its chart no longer has; a dry run as another field manager cannot know of it.
    then = {path: value for path, value in fields_of(after).items() if path not in by_file or path in new}
    differing = [path for path in there.keys() | then.keys() if there.get(path) != then.get(path)]
    # Defaults that the API server adds to what is new say nothing more.
    telling = [path for path in differing if path in there or path in new] or differing
    if not telling:
        return None
    others = foreign_fields(live, _HELM)
    fields = [
        _field(path, _cause(path, by_file), shown(there.get(path)), shown(then.get(path))) for path in sorted(telling)
    ]
    drifted = any(field.cause is Cause.DRIFT for field in fields)
    cause = Cause.DRIFT if drifted else fields[0].cause if len({f.cause for f in fields}) == 1 else Cause.FILE
    by = sorted({others[path] for path in telling if path in others}) if drifted else []
    return _change(Action.CHANGE, wanted, cause, fields, by)


def as_foreign_fields(wanted: Object, live: Object, after: Object) -> list[ForeignField]:
    """What others have added to an object and a deployment would leave as it is."""
    planned, then, there = fields_of(wanted), fields_of(after), fields_of(live)
    added = {
        path: manager
        for path, manager in foreign_fields(live, _HELM).items()
        if path not in planned and then.get(path) == there.get(path)
    }
    taken = there.keys() - added.keys()
    whole = {outermost_unowned(path, taken): manager for path, manager in added.items()}
    name = wanted["metadata"]["name"]
    return [ForeignField(wanted["kind"], name, written(path), whole[path]) for path in sorted(whole)]


def kind_of(manifest: Object) -> Kind:
    """The kind that a manifest names."""
    return Kind(manifest["apiVersion"], manifest["kind"])


def _cause(path: Path, by_file: set[Path]) -> Cause:
    if path[-1] == names.SECRET_VERSIONS_ANNOTATION:
        return Cause.SECRET
    is_near = any(changed[: len(path) - 1] == path[:-1] and len(path) > 2 for changed in by_file)
    return Cause.FILE if path in by_file else Cause.DRIFT if not is_near else Cause.FILE


def _field(path: Path, cause: Cause, old: Any, new: Any) -> FieldChange:
    # A version of Secrets is a time: it would make each diff another, and tells nobody anything.
    if cause is Cause.SECRET:
        return FieldChange(written(path), cause, masked=True)
    return FieldChange(written(path), cause, old, new)


def _change(
    action: Action, found: Object, cause: Cause, fields: Iterable[FieldChange] = (), by: Iterable[str] = ()
) -> ObjectChange:
    return ObjectChange(action, found["kind"], found["metadata"]["name"], cause, tuple(fields), tuple(by))
