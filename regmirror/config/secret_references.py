"""References to secrets: the configuration names where a secret is kept and never holds it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Discriminator, Field, SecretStr, Tag

from regmirror.errors import MissingSecretError


class _Reference(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EnvironmentReference(_Reference):
    """A secret in an environment variable of the machine that runs ``regmirror deploy``."""

    env: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Name of the environment variable.", examples=["S3_SECRET"]
        ),
    ]


class FileReference(_Reference):
    """A secret in a file of the machine that runs ``regmirror deploy``; one trailing newline is not part of it."""

    file: Annotated[
        Path, Field(description="Path of the file; relative to the configuration file.", examples=["secrets/token"])
    ]


class ClusterSecretKey(_Reference):
    """One key of a Kubernetes Secret in the mirror's namespace."""

    name: Annotated[str, Field(description="Name of the Secret.", examples=["cache"])]
    key: Annotated[str, Field(description="Key in the Secret's data.", examples=["password"])]


class ClusterReference(_Reference):
    """A secret that a Kubernetes Secret of the mirror's namespace already holds."""

    secret: Annotated[ClusterSecretKey, Field(description="Which Secret, and which of its keys.")]


def _kind(value: object) -> str | None:
    kinds = {"env": EnvironmentReference, "file": FileReference, "secret": ClusterReference}
    keys = list(value) if isinstance(value, dict) else [name for name in kinds if hasattr(value, name)]
    return kinds[keys[0]].__name__ if len(keys) == 1 and keys[0] in kinds else None


SecretReference = Annotated[
    Annotated[EnvironmentReference, Tag("EnvironmentReference")]
    | Annotated[FileReference, Tag("FileReference")]
    | Annotated[ClusterReference, Tag("ClusterReference")],
    Discriminator(
        _kind,
        custom_error_type="secret_reference",
        custom_error_message="say where the secret is kept, with {env: NAME}, {file: PATH} or "
        "{secret: {name: NAME, key: KEY}}; the secret itself does not belong in this file",
    ),
]
ReadClusterSecret = Callable[[str, str], bytes | None]
"""Looks up (Secret name, key); None where either is missing."""


class SecretResolver:
    """Finds the value behind a reference; a problem is a MissingSecretError that names the place, never the value."""

    def __init__(self, environ: Mapping[str, str], directory: Path, read_cluster_secret: ReadClusterSecret) -> None:
        self._environ = environ
        self._directory = directory
        self._read_cluster_secret = read_cluster_secret

    def resolve(self, reference: SecretReference, key_path: str) -> SecretStr:
        """The secret at ``reference``; ``key_path`` is where the configuration names it, for the error."""
        match reference:
            case EnvironmentReference(env=name):
                value = self._environ.get(name)
                missing = f"the environment variable {name} is not set"
                cure = f"export {name}=... and run the command again"
            case FileReference(file=path):
                value = self._read_file(path, key_path)
                missing = f"the file {path} is missing"
                cure = "create the file, or name another one"
            case ClusterReference(secret=wanted):
                value = self._read_cluster(wanted, key_path)
                missing = f"the namespace has no Secret {wanted.name} with a key {wanted.key}"
                cure = f"kubectl create secret generic {wanted.name} --from-file={wanted.key}=..."
        if value is None:
            raise MissingSecretError(f"{key_path}: {missing}", hint=cure)
        if not value:
            raise MissingSecretError(f"{key_path}: the secret is empty", hint="give it a value")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _not_text(key_path)
        return SecretStr(value)

    def _read_cluster(self, wanted: ClusterSecretKey, key_path: str) -> str | None:
        found = self._read_cluster_secret(wanted.name, wanted.key)
        try:
            return None if found is None else found.decode().removesuffix("\n")
        except UnicodeDecodeError:
            raise _not_text(key_path) from None

    def _read_file(self, path: Path, key_path: str) -> str | None:
        try:
            return (self._directory / path).read_text(encoding="utf-8").removesuffix("\n")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise _not_text(key_path) from None
        except OSError as error:
            raise MissingSecretError(f"{key_path}: the file {path} cannot be read: {error.strerror}") from error


def _not_text(key_path: str) -> MissingSecretError:
    """Chained to nothing: a UnicodeDecodeError carries the bytes."""
    return MissingSecretError(f"{key_path}: the secret is not UTF-8 text", hint="write it anew as text")
