"""A fault as data."""

from dataclasses import dataclass, field

from tests.e2e.inject import InjectFault


@dataclass(frozen=True)
class Fault:
    """A fault, and the check that reports it; only the checks in ``consequences`` may fail as well.

    The hint of the check must fix the fault. ``manual_step`` is the part of the hint that is not a command; instead of
    it, the fault is undone before the commands of the hint run. ``quick`` faults are tested in every run.
    """

    name: str
    check: str
    words: str
    inject: InjectFault
    quick: bool = False
    manual_step: str = ""
    consequences: frozenset[str] = field(default_factory=frozenset)
