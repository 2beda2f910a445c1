"""References to secrets: the configuration file says where a secret is stored, and never contains it."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, SecretStr, Tag, WithJsonSchema

from regmirror.config.kubernetes_fields import OBJECT_NAME
from regmirror.errors import MissingSecretError

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# k8s.io/apimachinery pkg/util/validation: IsConfigMapKey.
KEY = re.compile(r"(?!\.\.)(?!\.$)[-._a-zA-Z0-9]{1,253}")


def _matching(grammar: re.Pattern[str], what: str) -> list[Any]:
    """The type of a text of a grammar."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not grammar.fullmatch(value):
            # The value is not repeated: it may be the secret itself.
            raise ValueError(f"expected {what}")
        return value

    return [BeforeValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{grammar.pattern}$"})]


class _Reference(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EnvironmentReference(_Reference):
    """An environment variable of the machine that runs ``regmirror deploy``."""

    env: Annotated[
        str,
        *_matching(_VARIABLE, "the name of an environment variable, such as S3_SECRET"),
        Field(description="Name of the environment variable.", examples=["S3_SECRET"]),
    ]


class FileReference(_Reference):
    """A file on the machine that runs ``regmirror deploy``; one trailing newline is ignored."""

    file: Annotated[
        Path, Field(description="Path of the file, relative to the configuration file.", examples=["secrets/token"])
    ]


class ClusterSecretKey(_Reference):
    """One key of a Kubernetes Secret in the mirror's namespace."""

    name: Annotated[
        str,
        *_matching(OBJECT_NAME, "the name of a Kubernetes Secret, such as cache"),
        Field(description="Name of the Secret.", examples=["cache"]),
    ]
    key: Annotated[
        str,
        *_matching(KEY, "a key of a Kubernetes Secret, such as password"),
        Field(description="Key in the data of the Secret.", examples=["password"]),
    ]


class ClusterReference(_Reference):
    """A key of an existing Kubernetes Secret in the mirror's namespace."""

    secret: Annotated[ClusterSecretKey, Field(description="The Secret and its key.")]


def kind_by_key(value: object, kinds: Mapping[str, type]) -> str | None:
    """The name of the class whose key is the only one of a value; None if there is none."""
    keys = list(value) if isinstance(value, dict) else [name for name in kinds if hasattr(value, name)]
    return kinds[keys[0]].__name__ if len(keys) == 1 and keys[0] in kinds else None


def reference_kind(value: object) -> str | None:
    """The name of the class that a value is written for; None if it is in none of the three forms."""
    return kind_by_key(value, {"env": EnvironmentReference, "file": FileReference, "secret": ClusterReference})


SecretReference = Annotated[
    Annotated[EnvironmentReference, Tag("EnvironmentReference")]
    | Annotated[FileReference, Tag("FileReference")]
    | Annotated[ClusterReference, Tag("ClusterReference")],
    Discriminator(
        reference_kind,
        custom_error_type="secret_reference",
        custom_error_message="expected {env: NAME}, {file: PATH} or {secret: {name: NAME, key: KEY}}; "
        "secrets are not allowed in this file",
    ),
]
ReadClusterSecret = Callable[[str, str], bytes | None]
"""Looks up (Secret name, key); None if either is missing."""


class SecretResolver:
    """Looks up the secrets that the configuration refers to. A MissingSecretError names the place, never the value."""

    def __init__(
        self,
        environ: Mapping[str, str],
        directory: Path,
        read_cluster_secret: ReadClusterSecret,
        namespace: str = "NAMESPACE",
    ) -> None:
        """``directory`` is that of the configuration file; ``namespace`` is named in hints."""
        self._environ = environ
        self._directory = directory
        self._read_cluster_secret = read_cluster_secret
        self._namespace = namespace

    def resolve(self, reference: SecretReference, key_path: str) -> SecretStr:
        """The secret at ``reference``; the error names ``key_path``, the key that has the reference."""
        match reference:
            case EnvironmentReference(env=name):
                value = self._environ.get(name)
                missing = f"the environment variable {name} is not set"
                hint = f"export {name}=..."
            case FileReference(file=path):
                value = self._read_file(path, key_path)
                missing = f"the file {path} does not exist"
                hint = f"create the file, or change {key_path}"
            case ClusterReference(secret=wanted):
                value = self._read_cluster(wanted, key_path)
                missing = f"the namespace has no Secret {wanted.name} with a key {wanted.key}"
                hint = f"kubectl create secret generic {wanted.name} -n {self._namespace} --from-file={wanted.key}=FILE"
        if value is None:
            raise MissingSecretError(f"{key_path}: {missing}", hint=hint)
        if not value:
            raise MissingSecretError(f"{key_path}: the secret is empty", hint=f"set a value, or change {key_path}")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _not_text(key_path)
        return SecretStr(value)

    def _read_cluster(self, wanted: ClusterSecretKey, key_path: str) -> str | None:
        content = self._read_cluster_secret(wanted.name, wanted.key)
        try:
            return None if content is None else content.decode().removesuffix("\n")
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
            raise MissingSecretError(f"{key_path}: cannot read the file {path}: {error.strerror}") from error


def _not_text(key_path: str) -> MissingSecretError:
    """Not chained: a UnicodeDecodeError has the bytes of the secret."""
    return MissingSecretError(f"{key_path}: the secret is not UTF-8 text", hint="store it as UTF-8 text")
