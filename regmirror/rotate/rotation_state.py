"""How far a rotation is, derived from the cluster: the whole input of the plan."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Self

from regmirror.signing.tokens import CLOCK_LEEWAY


class Mode(Enum):
    """What a rotation ends with. The values are stored in an annotation."""

    REGULAR = "regular"
    """Only the new key is trusted; tokens of the old key may expire first."""
    EMERGENCY = "emergency"
    """Only the new key is trusted, immediately."""
    ABORT = "abort"
    """Only the current key is trusted; the new key is discarded."""


@dataclass(frozen=True, slots=True)
class RotationState:
    """One moment of a rotation; keys are identified by their ids.

    ``trusted`` are the keys of the certificate bundle. The pods of a component are ``current`` if all of them, those
    that are still draining included, started with the Secrets as they are now.
    """

    mode: Mode
    current_key: str
    """The key in the signing Secret."""
    next_key: str
    """The key that the rotation introduces."""
    trusted: frozenset[str]
    registries_current: bool
    auth_current: bool
    is_tested: bool
    """Whether this run has seen every registry pod accept a token of the next key."""
    in_use_since: datetime | None
    """When docker_auth was seen to sign only with the next key, in UTC."""
    token_lifetime: timedelta

    @classmethod
    def begun(
        cls,
        mode: Mode,
        current_key: str,
        trusted: frozenset[str],
        token_lifetime: timedelta,
        *,
        registries_current: bool,
        auth_current: bool,
    ) -> Self:
        """The state directly after the start of a rotation, before the next key has an id."""
        return cls(
            mode,
            current_key,
            "new",
            trusted,
            registries_current,
            auth_current,
            is_tested=False,
            in_use_since=None,
            token_lifetime=token_lifetime,
        )

    @property
    def remaining(self) -> str:
        """The only key that is trusted at the end."""
        return self.current_key if self.mode is Mode.ABORT else self.next_key

    @property
    def old_tokens_end(self) -> datetime | None:
        """When the last token of the old key expires, the registry's clock leeway included."""
        return self.in_use_since + self.token_lifetime + CLOCK_LEEWAY if self.in_use_since else None
