"""How far a rotation is, as the cluster shows it: the whole input of the plan."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Self

from regmirror.signing.tokens import CLOCK_LEEWAY


class Mode(Enum):
    """What a rotation is to end with."""

    REGULAR = "regular"
    """The new key alone; tokens of the old one may expire first."""
    EMERGENCY = "emergency"
    """The new key alone, at once."""
    ABORT = "abort"
    """The key in use alone; the new one is forgotten."""


@dataclass(frozen=True, slots=True)
class RotationState:
    """One moment of a rotation; keys are named by their ids.

    ``trusted`` are the keys of the certificate bundle. The pods of a component are ``current`` when all of them, those
    that are still draining included, have started with the Secrets as they are now.
    """

    mode: Mode
    signing: str
    """The key in the signing Secret."""
    successor: str
    """The key that the rotation brings in."""
    trusted: frozenset[str]
    registries_current: bool
    auth_current: bool
    proven: bool
    """Whether this run has seen every registry pod accept a token of the successor."""
    in_use_since: datetime | None
    """When docker_auth was seen to sign by the successor alone, in UTC."""
    token_lifetime: timedelta

    @classmethod
    def begun(
        cls,
        mode: Mode,
        signing: str,
        trusted: frozenset[str],
        token_lifetime: timedelta,
        *,
        registries_current: bool,
        auth_current: bool,
    ) -> Self:
        """The situation right after a rotation has begun, before its key has an id."""
        return cls(
            mode,
            signing,
            "new",
            trusted,
            registries_current,
            auth_current,
            proven=False,
            in_use_since=None,
            token_lifetime=token_lifetime,
        )

    @property
    def remaining(self) -> str:
        """The key that is left at the end."""
        return self.signing if self.mode is Mode.ABORT else self.successor

    @property
    def old_tokens_end(self) -> datetime | None:
        """When the last token of the old key has expired, the registry's leeway included."""
        return self.in_use_since + self.token_lifetime + CLOCK_LEEWAY if self.in_use_since else None
