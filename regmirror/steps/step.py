"""Steps of a deployment: what a step is, and who hears how it goes."""

from dataclasses import dataclass
from typing import Protocol

from regmirror.errors import RegmirrorError


@dataclass(frozen=True, slots=True)
class Done:
    """What a step found or did."""

    detail: str
    changed: bool = False


class Waiting(Protocol):
    """Hears what a running step waits for; called from the event loop."""

    def waiting(self, title: str, reason: str) -> None:
        """A running step waits for something: what, and in further lines why it takes so long."""


class Progress(Waiting, Protocol):
    """Hears how steps go; called from the event loop."""

    def started(self, title: str) -> None:
        """A step begins."""

    def finished(self, title: str, done: Done) -> None:
        """A step ended well."""

    def failed(self, title: str, error: RegmirrorError) -> None:
        """A step failed."""

    def skipped(self, title: str, reason: str) -> None:
        """A step was not tried."""


class Step(Protocol):
    """One thing to do, which does nothing where it is done already."""

    @property
    def name(self) -> str:
        """Unique among the steps; what others call it in their needs."""

    @property
    def title(self) -> str:
        """What the step is about, for people."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the steps that must have ended well before this one starts."""

    async def apply(self, progress: Waiting) -> Done:
        """Do it, telling ``progress`` what it waits for; raises RegmirrorError."""
