"""Sentences and steps about logins at the mirror, which several runtimes share. No step takes a password as argument.

Source: measured with docker_auth and each runtime; containerd's core/remotes/docker/config/hosts.go (2.1.0 and newer
send a header of hosts.toml to the token endpoint as well).
"""

from shlex import quote

PULL_SECRETS = (
    "containerd sends a pod's pull secret for Docker Hub to the mirror as well. The mirror rejects it, and the image "
    "silently comes from Docker Hub. Remove such secrets from pods whose images come from the mirror."
)
SILENT_FALLBACK = "If the mirror rejects a pull, the image silently comes from the registry itself."


def login_commands(program: str, user: str, hosts: list[str]) -> list[str]:
    """Commands that log in to each host and prompt for the password."""
    return [f"{program} --username {quote(user)} {host}" for host in hosts]


def header_step(path: str, user: str) -> str:
    """How to write the login into the files below a directory; printf is built into the shell, so no process shows it.

    The command prompts for the password and prints what replaces LOGIN, on a line of its own.
    """
    read = "read -rsp 'Password: ' p; echo >&2"
    command = f"""{read}; printf '%s:%s' {quote(user)} "$p" | base64 | tr -d '\\n'; echo"""
    return f"replace LOGIN in every hosts.toml below {path} with the output of this command (bash): {command}"


def password_step(path: str) -> str:
    """How to write the password into a file."""
    return f"replace PASSWORD in {path} with the account's password, in an editor"
