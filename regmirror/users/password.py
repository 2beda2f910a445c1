"""Passwords: which are accepted, and how they are made and hashed."""

import secrets
from typing import Final

import bcrypt
from pydantic import SecretStr

from regmirror.errors import PasswordError

COST: Final = 10
"""Of bcrypt: about 50 ms for each login, which bounds how many logins the front of docker_auth lets through."""
SHORTEST: Final = 8
LONGEST: Final = 72
"""Bytes of UTF-8: bcrypt reads no more, so the rest of a longer password would not count."""


def hash_password(password: SecretStr) -> SecretStr:
    """The bcrypt hash; raises PasswordError if the password is not acceptable."""
    if problem := password_problem(password.get_secret_value()):
        raise PasswordError(f"the password cannot be used: {problem}", hint="let regmirror choose one with --generate")
    hashed = bcrypt.hashpw(password.get_secret_value().encode(), bcrypt.gensalt(COST))
    return SecretStr(hashed.decode())


def password_problem(password: str) -> str | None:
    """Why a password cannot be used; None if it can."""
    if len(password) < SHORTEST:
        return f"it has fewer than {SHORTEST} characters"
    if len(password.encode(errors="replace")) > LONGEST:
        return f"it is longer than {LONGEST} bytes, which is all that bcrypt reads"
    if not password.isprintable():
        return "it contains control characters"
    return "it begins or ends with a space" if password != password.strip() else None


def generate_password() -> SecretStr:
    """A random password of 32 characters, with 192 random bits."""
    return SecretStr(secrets.token_urlsafe(24))
