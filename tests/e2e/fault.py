"""A fault as data."""

from dataclasses import dataclass, field

from tests.e2e.harm import Harm


@dataclass(frozen=True)
class Fault:
    """A harm, and the check that must tell it; others may tell it as well only where ``consequences`` name them.

    ``quick`` marks those that are tried in every run. ``by_deploy``: what cures it is ``regmirror deploy``.
    """

    name: str
    check: str
    words: str
    harm: Harm
    quick: bool = False
    by_deploy: bool = True
    consequences: frozenset[str] = field(default_factory=frozenset)
