"""Client secrets that docker_auth can use."""

import re

from regmirror.config.sign_in import SignIn
from regmirror.errors import ClientSecretError

_PRINTABLE = re.compile(r"[!-~]+")
_UNENCODED = re.compile(r"[&+%;]")
"""docker_auth 1.14.0 puts the secret into the body of a refresh as it is (``refreshAccessToken`` of oidc_auth.go)."""


def check_client_secret(sign_in: SignIn, secret: str, key_path: str) -> None:
    """Raises ClientSecretError, which names ``key_path`` and never the secret, if docker_auth would change it."""
    if not _PRINTABLE.fullmatch(secret):
        raise ClientSecretError(
            f"{key_path}: the client secret has a space, a line break or a character that is not ASCII",
            hint="store the secret exactly as the provider shows it",
        )
    if sign_in.oidc and _UNENCODED.search(secret):
        raise ClientSecretError(
            f"{key_path}: the client secret has one of the characters & + % ; which docker_auth does not encode when "
            "it refreshes a login: every login would end after an hour or less",
            hint="create another client secret at the provider, without these characters",
        )
