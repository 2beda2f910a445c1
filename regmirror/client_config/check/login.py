"""Checks the logins that a machine has stored for the mirror; no finding contains a password."""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from regmirror.client_config.check.finding import Finding, error, warning
from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.check.settings import mapping
from regmirror.client_config.setup import PASSWORD

_PLACEHOLDERS = (PASSWORD, "LOGIN")
_OTHERS = 0o077
_HUB_KEYS = ("https://index.docker.io/v1/", "index.docker.io", "docker.io", "registry-1.docker.io")


def check_user(
    inspection: Inspection, path: str, user: str, password: str | None, replacement: str = "the password"
) -> Iterator[Finding]:
    """Whether a stored login is that of --user, and no placeholder; ``replacement`` is what the file needs instead."""
    wanted = inspection.options.user
    if password in _PLACEHOLDERS:
        fix = f"replace it with {replacement}"
        yield error("login-placeholder", path, f"still has the placeholder {password}", fix)
    elif wanted and user != wanted:
        # The name that is there is not shown: it may be the password, if both were swapped.
        yield error("login-user", path, f"has a login of another account than {wanted}", "correct the login")
    yield from check_mode(inspection, path)


def check_mode(inspection: Inspection, path: str) -> Iterator[Finding]:
    """Whether a file with a login can be read by other users."""
    mode = inspection.machine.mode(path) or 0
    if mode & _OTHERS:
        yield warning("login-readable", path, f"has a password and mode {mode:04o}", f"chmod 600 {path}")


def missing_login(inspection: Inspection, path: str, host: str, fix: str) -> Iterator[Finding]:
    """The error about a login that --user asks for and the machine does not have."""
    if inspection.options.user:
        yield error("login-missing", path, f"there is no login of {inspection.options.user} at {host}", fix)


def check_header(inspection: Inspection, path: str, host: str, header: dict[str, Any]) -> Iterator[Finding]:
    """A header of hosts.toml; containerd sends it as it is spelled."""
    names = [name for name in header if name.lower() == "authorization"]
    if not names:
        fix = f"add it as {inspection.setup_command} --user {inspection.options.user} prints it"
        yield from missing_login(inspection, path, host, fix)
        return
    if names != ["Authorization"]:
        message = f"has the header {names[0]}, which is sent as well as that of the token, and is refused"
        yield error("login-header", path, message, "spell it Authorization")
        return
    value = header["Authorization"]
    login = decode_login(value[0] if isinstance(value, list) and value else value)
    if login is None:
        message = "the header Authorization is not Basic and base64 of NAME:PASSWORD"
        yield error("login-header", path, message, f"write it as {inspection.setup_command} --user NAME says")
    else:
        command = f"{inspection.setup_command} --user {inspection.options.user or 'NAME'}"
        yield from check_user(inspection, path, *login, f"base64 of NAME:PASSWORD, as {command} says")


def decode_login(value: Any) -> tuple[str, str] | None:
    """Name and password of ``Basic BASE64``; a placeholder has itself as password. None if it is something else."""
    encoded = value.removeprefix("Basic ") if isinstance(value, str) and value.startswith("Basic ") else None
    if encoded is None:
        return None
    if encoded in _PLACEHOLDERS:
        return "", encoded
    try:
        name, colon, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if name and colon else None


def auth_file(home: str) -> str:
    """Where docker login stores logins."""
    return f"{home}/.docker/config.json"


def stored_user(document: dict[str, Any] | None, host: str) -> str | None:
    """The account of a host in a file of docker login or podman login; "" if it is in a credential helper.

    None if there is no login.
    """
    auths = mapping(document, "auths")
    if host in mapping(document, "credHelpers"):
        return ""
    if host not in auths:
        return None
    login = decode_login(f"Basic {mapping(auths, host).get('auth', '')}")
    return login[0] if login else ""


def is_logged_in_to_hub(document: dict[str, Any] | None) -> bool:
    """Whether a file of docker login has an account at Docker Hub."""
    return any(stored_user(document, key) is not None for key in _HUB_KEYS)
