"""The options of a rotation, and whether the state of the cluster allows them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from regmirror.config.model import AuthComponent
from regmirror.deploy.resolve_secrets import new_signing_pair
from regmirror.errors import RotationError
from regmirror.rotate.due import Threshold
from regmirror.rotate.rotation_state import Mode
from regmirror.rotate.state import ObservedState, id_of
from regmirror.signing.bundle import parse_bundle
from regmirror.signing.key_pair import KeyPair, is_authority, load_key_pair

_SMALLEST_KEY = 2048
_CREATE = (
    "openssl req -x509 -newkey rsa:2048 -sha256 -nodes -days 1825 -subj /CN=regmirror "
    "-addext basicConstraints=critical,CA:FALSE -keyout signing.key -out signing.crt"
)
_LET_IT_FINISH = "let it finish: regmirror rotate-cert"


@dataclass(frozen=True, slots=True)
class RotationOptions:
    """The options of ``rotate-cert``; ``pair`` is the user's own key pair, used instead of a new one."""

    threshold: Threshold
    force: bool = False
    mode: Mode = Mode.REGULAR
    pair: KeyPair | None = None
    key_size: int | None = None
    validity: timedelta | None = None
    unlock: bool = False

    def requires_rotation(self, live: ObservedState, now: datetime) -> bool:
        """Whether there is something to do: a rotation is in progress, is requested, or is due."""
        is_requested = self.force or self.pair is not None or self.mode is not Mode.REGULAR
        is_due = self.threshold.is_due(live.current_key.certificate, now)
        return is_requested or live.next_key is not None or is_due

    def replaces_next_key(self, live: ObservedState) -> bool:
        """Whether the key of a rotation in progress must itself be replaced.

        In an emergency either of the two keys may have leaked, unless that emergency has started already.
        """
        if live.next_key is None or self.mode is not Mode.EMERGENCY:
            return False
        return live.rotation_state(is_tested=False).mode is not Mode.EMERGENCY

    def validate(self, live: ObservedState, now: datetime) -> None:
        """Raises RotationError if the state of the cluster does not allow these options."""
        if self.mode is Mode.ABORT:
            _validate_abort(live)
        if self.pair is not None:
            _validate_pair(self.pair, live, now)
            self._validate_lifetime(self.pair, now)
            is_other = live.next_key is not None and id_of(live.next_key) != id_of(self.pair)
            if is_other and not self.replaces_next_key(live):
                raise RotationError(
                    "a rotation to a key other than that of --key is in progress",
                    hint="let it finish without --key and --cert, or abort it: regmirror rotate-cert --abort",
                )

    def _validate_lifetime(self, pair: KeyPair, now: datetime) -> None:
        """A certificate that is due would be replaced by the next run, on a schedule perhaps today."""
        if self.threshold.is_due(pair.certificate, now) and not self.force:
            due_at = self.threshold.due_at(pair.certificate)
            raise RotationError(
                f"the certificate of --cert is due for rotation itself since {due_at:%Y-%m-%d}",
                hint="create one that is valid for longer, or use this one anyway: --force",
            )

    def new_key_pair(self, auth: AuthComponent, now: datetime) -> KeyPair:
        """The next key pair: the user's own, or a new one according to the configuration and these options."""
        if self.pair is not None:
            return self.pair
        days = auth.certificate_days if self.validity is None else max(1, round(self.validity / timedelta(days=1)))
        return new_signing_pair(
            auth.model_copy(update={"key_size": self.key_size or auth.key_size, "certificate_days": days}), now
        )


def _validate_abort(live: ObservedState) -> None:
    if live.next_key is None:
        raise RotationError("no rotation is in progress: there is nothing to abort")
    if id_of(live.current_key) == id_of(live.next_key):
        raise RotationError("cannot abort: docker_auth already has the new key", hint=_LET_IT_FINISH)
    if live.rotation_state(is_tested=False).mode is Mode.EMERGENCY:
        raise RotationError(
            "cannot abort an emergency rotation: the current key must not be trusted", hint=_LET_IT_FINISH
        )


def _validate_pair(pair: KeyPair, live: ObservedState, now: datetime) -> None:
    certificate, bits = pair.certificate, pair.private_key.key_size
    if live.next_key is None and id_of(pair) == id_of(live.current_key):
        raise RotationError("the key of --key is already in use", hint="create a new key")
    if bits < _SMALLEST_KEY:
        raise RotationError(f"the key of --key has {bits} bits; at least {_SMALLEST_KEY} are required")
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise RotationError("the certificate of --cert is not valid at this time")
    # Earlier versions of regmirror made authorities; the registries trust those of this mirror already.
    known = [*parse_bundle(live.bundle), *([live.next_key.certificate] if live.next_key else [])]
    if is_authority(certificate) and certificate not in known:
        raise RotationError(
            "the certificate of --cert is a certificate authority: all its certificates could sign tokens",
            hint=f"create one that is not, for example: {_CREATE}",
        )


def own_key_pair(certificate_pem: bytes, key_pem: bytes) -> KeyPair:
    """The user's own key pair, for ``RotationOptions.pair``; raises SigningError if the two do not match."""
    return load_key_pair(certificate_pem, key_pem)
