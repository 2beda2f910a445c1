"""Reads the options of ``rotate-cert``."""

from pathlib import Path

from regmirror.errors import ConfigurationError
from regmirror.rotate.due import parse_days, parse_threshold
from regmirror.rotate.options import RotationOptions, own_key_pair
from regmirror.rotate.rotation_state import Mode

_KEY_SIZES = (2048, 3072, 4096)


def read_options(
    expires_in: str,
    key_size: int | None,
    validity: str | None,
    key: Path | None,
    cert: Path | None,
    *,
    force: bool,
    emergency: bool,
    abort: bool,
    unlock: bool,
) -> RotationOptions:
    """The options of a rotation; raises ConfigurationError or SigningError, naming the option."""
    if abort and (emergency or force or key or cert):
        raise ConfigurationError("--abort cannot be combined with --emergency, --force, --key or --cert")
    if key_size not in {None, *_KEY_SIZES}:
        raise ConfigurationError(f"--key-size: {key_size} is not one of {', '.join(map(str, _KEY_SIZES))}")
    if (key or cert) and (key_size or validity):
        raise ConfigurationError("--key and --cert cannot be combined with --key-size or --validity")
    mode = Mode.ABORT if abort else Mode.EMERGENCY if emergency else Mode.REGULAR
    try:
        threshold = parse_threshold(expires_in)
    except ValueError as error:
        raise ConfigurationError(f"--expires-in: {error}") from None
    try:
        days = parse_days(validity) if validity else None
    except ValueError as error:
        raise ConfigurationError(f"--validity: {error}") from None
    if (key is None) != (cert is None):
        raise ConfigurationError("--key and --cert must be used together")
    pair = own_key_pair(_read("--cert", cert), _read("--key", key)) if key and cert else None
    return RotationOptions(threshold, force, mode, pair, key_size, days, unlock)


def _read(option: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{option}: cannot read {path}: {error.strerror}") from None
