"""Sums up steps that did not all end well: what failed and why, what was done, what was not, and what to do."""

from collections.abc import Sequence

from regmirror.deploy.attempt import Attempt
from regmirror.deploy.steps import Done
from regmirror.errors import DeadlineError, ExitCode, InterruptedRunError, PartlyAppliedError, RegmirrorError

_AGAIN = "run the command again: it goes on from here"


def failed(attempts: Sequence[Attempt], work: str) -> RegmirrorError:
    """All errors as one: the first tells the kind and the cure, and the summary has all of them as its causes.

    ``work`` is what all steps together do. Where something was changed it is a PartlyAppliedError, unless the first is
    a timeout, which stays one.
    """
    errors = [attempt.outcome for attempt in attempts if isinstance(attempt.outcome, RegmirrorError)]
    first = errors[0]
    lines_of_others = [_also(error, first.hint) for error in errors[1:]]
    others = [line for line in dict.fromkeys(lines_of_others) if line != _also(first, first.hint)]
    if not _changed(attempts) and not any(error.left_changes for error in errors):
        first.message = "\n".join([first.message, *others])
        return first
    lines = [*others, *_where(attempts)]
    summary: RegmirrorError
    if first.exit_code is ExitCode.TIMED_OUT:
        summary = DeadlineError("\n".join([first.message, *lines]), hint=f"{first.hint}; then {_AGAIN}")
    else:
        message = f"the {work} is incomplete: {first.code}: {first.message}"
        summary = PartlyAppliedError("\n".join([message, *lines]), hint=f"{first.hint or 'mend it'}; then {_AGAIN}")
    summary.causes, summary.left_changes = tuple(errors), True
    return summary


def interrupted(attempts: Sequence[Attempt]) -> InterruptedRunError:
    """What to tell whoever has interrupted the steps."""
    running = [
        attempt.step.title + (f" ({attempt.waits_for.splitlines()[0]})" if attempt.waits_for else "")
        for attempt in attempts
        if attempt.begun and attempt.outcome is None
    ]
    lines = [f"  in the middle of: {', '.join(running)}"] if running else []
    return InterruptedRunError("\n".join(["interrupted", *lines, *_where(attempts)]), hint=_AGAIN)


def _where(attempts: Sequence[Attempt]) -> list[str]:
    """How far all steps together have come."""
    parts = {
        "changed": _changed(attempts),
        "not begun": [attempt.step.title for attempt in attempts if not attempt.begun],
    }
    return [f"  {what}: {', '.join(which)}" for what, which in parts.items() if which]


def _changed(attempts: Sequence[Attempt]) -> list[str]:
    return [
        f"{attempt.step.title} ({attempt.outcome.detail})"
        for attempt in attempts
        if isinstance(attempt.outcome, Done) and attempt.outcome.changed
    ]


def _also(error: RegmirrorError, told: str | None) -> str:
    """A further error, with its hint where that is not the one that is ``told`` at the end anyway."""
    hint = f"\n  Try: {error.hint}" if error.hint and error.hint != told else ""
    return f"also {error.code}: {error.message}{hint}"
