"""Records the progress of steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from regmirror.errors import RegmirrorError


@dataclass
class RecordedWaiting:
    """What one step has waited for, in order."""

    reasons: list[str] = field(default_factory=list)

    def waiting(self, reason: str) -> None:
        self.reasons.append(reason)


@dataclass
class RecordedProgress:
    """The events in order, each as a line."""

    events: list[str] = field(default_factory=list)

    def warning(self, text: str) -> None:
        self.events.append(f"warning {text}")

    def started(self, title: str) -> None:
        self.events.append(f"started {title}")

    def waiting(self, title: str, reason: str) -> None:
        self.events.append(f"waiting {title}: {reason}")

    def finished(self, title: str, detail: str, **_: bool) -> None:
        self.events.append(f"finished {title}: {detail}")

    def failed(self, title: str, error: RegmirrorError) -> None:
        self.events.append(f"failed {title}: {error.message}")

    def skipped(self, title: str, reason: str) -> None:
        self.events.append(f"skipped {title}: {reason}")
