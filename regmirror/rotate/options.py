"""What is asked of a rotation, and whether the cluster allows it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from regmirror.config.model import AuthComponent
from regmirror.deploy.resolve_secrets import new_signing_pair
from regmirror.errors import RotationError
from regmirror.rotate.due import Threshold
from regmirror.rotate.rotation_state import Mode
from regmirror.rotate.state import ObservedState, id_of
from regmirror.signing.key_pair import KeyPair

_SMALLEST_KEY = 2048


@dataclass(frozen=True, slots=True)
class RotationOptions:
    """The options of ``rotate-cert``; ``pair`` is a key pair to bring in, in place of a new one."""

    threshold: Threshold
    force: bool = False
    mode: Mode = Mode.REGULAR
    pair: KeyPair | None = None
    key_size: int | None = None
    validity: timedelta | None = None
    unlock: bool = False

    def is_for(self, live: ObservedState, now: datetime) -> bool:
        """Whether there is something to do: a rotation was begun, is asked for, or is due."""
        asked = self.force or self.pair is not None or self.mode is not Mode.REGULAR
        return asked or live.successor is not None or self.threshold.is_due(live.signing.certificate, now)

    def replaces(self, live: ObservedState) -> bool:
        """Whether the key of a rotation that is under way is itself to be replaced.

        In an emergency nobody can tell which of the two has leaked, unless that emergency has begun already.
        """
        if live.successor is None or self.mode is not Mode.EMERGENCY:
            return False
        return live.situation(proven=False).mode is not Mode.EMERGENCY

    def check(self, live: ObservedState, now: datetime) -> None:
        """Raises RotationError where the wish cannot be granted as the cluster is."""
        if self.mode is Mode.ABORT:
            _check_abort(live)
        if self.pair is not None:
            _check_pair(self.pair, live, now)
            if live.successor is not None and not self.replaces(live) and id_of(live.successor) != id_of(self.pair):
                raise RotationError(
                    "a rotation to another key than that of --key is under way",
                    hint="let it end without --key and --cert, or give it up: regmirror rotate-cert --abort",
                )

    def chosen_pair(self, auth: AuthComponent, now: datetime) -> KeyPair:
        """The key pair to bring in: the one given, or a new one, as the configuration and the wish say."""
        if self.pair is not None:
            return self.pair
        days = auth.certificate_days if self.validity is None else max(1, round(self.validity / timedelta(days=1)))
        return new_signing_pair(
            auth.model_copy(update={"key_size": self.key_size or auth.key_size, "certificate_days": days}), now
        )


def _check_abort(live: ObservedState) -> None:
    if live.successor is None:
        raise RotationError("no rotation is under way: there is nothing to abort")
    if id_of(live.signing) == id_of(live.successor):
        raise RotationError(
            "docker_auth has the new key already: going back would be one more rotation",
            hint="let it end: regmirror rotate-cert",
        )
    if live.situation(proven=False).mode is Mode.EMERGENCY:
        raise RotationError(
            "an emergency rotation is under way: the key in use is not to be trusted",
            hint="let it end: regmirror rotate-cert",
        )


def _check_pair(pair: KeyPair, live: ObservedState, now: datetime) -> None:
    certificate, bits = pair.certificate, pair.private_key.key_size
    if live.successor is None and id_of(pair) == id_of(live.signing):
        raise RotationError("the key of --key is the one in use", hint="make a new key")
    if bits < _SMALLEST_KEY:
        raise RotationError(f"the key of --key has {bits} bits; {_SMALLEST_KEY} are the least")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise RotationError("the certificate of --cert is not valid at this time")
