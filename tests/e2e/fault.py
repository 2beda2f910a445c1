"""A fault as data."""

from dataclasses import dataclass, field

from tests.e2e.harm import Harm


@dataclass(frozen=True)
class Fault:
    """A harm, and the check that must tell it; others may tell it as well only where ``consequences`` name them.

    What the check's hint says must mend it. ``by_hand`` is the part of the hint that tells somebody to do what no
    command does; the undoing of the harm stands for that, and the commands of the hint come after it. ``quick`` marks
    the faults that are tried in every run.
    """

    name: str
    check: str
    words: str
    harm: Harm
    quick: bool = False
    by_hand: str = ""
    consequences: frozenset[str] = field(default_factory=frozenset)
