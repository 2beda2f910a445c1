"""What a step is, and who is notified of its progress."""

from dataclasses import dataclass
from typing import Protocol

from regmirror.errors import RegmirrorError


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a step that did not fail."""

    detail: str
    changed: bool = False
    skipped: bool = False
    """Whether nothing was checked or done; ``detail`` has the reason."""


class Waiting(Protocol):
    """Is notified of what one running step waits for; called from the event loop."""

    def waiting(self, reason: str) -> None:
        """The step waits: the first line says for what, further lines say why it takes so long."""


class Progress(Protocol):
    """Is notified of the progress of steps, by their titles; called from the event loop."""

    def warning(self, text: str) -> None:
        """The steps that follow have an effect that needs attention."""

    def started(self, title: str) -> None:
        """A step has started."""

    def waiting(self, title: str, reason: str) -> None:
        """A running step waits: the first line says for what, further lines say why it takes so long."""

    def finished(self, title: str, detail: str, *, changed: bool = False, skipped: bool = False) -> None:
        """A step has ended without an error; the rest is as in Done."""

    def failed(self, title: str, error: RegmirrorError) -> None:
        """A step has failed."""

    def skipped(self, title: str, reason: str) -> None:
        """A step was not tried."""


class Step(Protocol):
    """One thing to do; it changes nothing if that is done already."""

    @property
    def name(self) -> str:
        """Unique among the steps; other steps refer to it in their needs."""

    @property
    def title(self) -> str:
        """What the step is about, for people."""

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of the steps that must succeed before this one starts."""

    async def apply(self, progress: Waiting) -> Done:
        """Do it, and notify ``progress`` of what it waits for; raises RegmirrorError.

        An error after which something may have changed has ``left_changes`` set.
        """
