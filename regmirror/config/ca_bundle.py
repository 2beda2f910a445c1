"""References to CA bundles: PEM certificates that are trusted in addition to those of the system."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic.alias_generators import to_camel

from regmirror.config.kubernetes_fields import OBJECT_NAME
from regmirror.config.secret_references import KEY, kind_by_key
from regmirror.errors import CaBundleError

_DEFAULT_KEY = "ca.crt"
"""The key of cert-manager, trust-manager and kube-root-ca.crt."""


class _Reference(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


def _object_name(value: object) -> str:
    if not isinstance(value, str) or not OBJECT_NAME.fullmatch(value):
        raise ValueError('expected the name of an object: lowercase letters, digits, "-" and "."')
    return value


def _object_key(value: object) -> str:
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise ValueError("expected a key of the object, such as ca.crt")
    return value


class CaBundleObject(_Reference):
    """One key of a ConfigMap or Secret in the mirror's namespace."""

    name: Annotated[
        str,
        BeforeValidator(_object_name),
        WithJsonSchema({"type": "string", "pattern": f"^{OBJECT_NAME.pattern}$"}),
        Field(description="Name of the object.", examples=["company-ca"]),
    ]
    key: Annotated[
        str,
        BeforeValidator(_object_key),
        WithJsonSchema({"type": "string", "pattern": f"^{KEY.pattern}$"}),
        Field(description="Key in the data of the object.", examples=["ca.crt"]),
    ] = _DEFAULT_KEY


class CaBundleFile(_Reference):
    """A file on the machine that runs ``regmirror deploy``."""

    file: Annotated[
        Path, Field(description="Path of the file, relative to the configuration file.", examples=["company-ca.pem"])
    ]


class CaBundleConfigMap(_Reference):
    """A key of an existing ConfigMap in the mirror's namespace."""

    config_map: Annotated[CaBundleObject, Field(description="The ConfigMap and its key.")]


class CaBundleSecret(_Reference):
    """A key of an existing Secret in the mirror's namespace."""

    secret: Annotated[CaBundleObject, Field(description="The Secret and its key.")]


CA_BUNDLE_KINDS = {
    "file": CaBundleFile,
    "configMap": CaBundleConfigMap,
    "config_map": CaBundleConfigMap,
    "secret": CaBundleSecret,
}


def _kind(value: object) -> str | None:
    return kind_by_key(value, CA_BUNDLE_KINDS)


CaBundle = Annotated[
    Annotated[CaBundleFile, Tag("CaBundleFile")]
    | Annotated[CaBundleConfigMap, Tag("CaBundleConfigMap")]
    | Annotated[CaBundleSecret, Tag("CaBundleSecret")],
    Discriminator(
        _kind,
        custom_error_type="ca_bundle",
        custom_error_message="expected {file: PATH}, {configMap: {name: NAME, key: KEY}} or "
        "{secret: {name: NAME, key: KEY}}",
    ),
]
"""The type of every key ``caBundle``."""
ReadClusterKey = Callable[[str, str], bytes | None]
"""Looks up (object name, key); None if either is missing."""
ParseCertificates = Callable[[bytes], bytes]
"""The certificates of a PEM text and nothing else; raises ValueError, which says what is wrong and never shows it."""


_HINT = "write the certificates of the CA, and nothing else, as PEM"


class CaBundleResolver:
    """Reads the CA bundles that the configuration refers to. A CaBundleError names the key and the place."""

    def __init__(
        self,
        directory: Path,
        read_config_map: ReadClusterKey | None,
        read_secret: ReadClusterKey | None,
        parse: ParseCertificates,
    ) -> None:
        """``directory`` is that of the configuration file; ``parse`` is ``only_certificates`` of signing/.

        A command that does not read the cluster has no readers, and gets an error for a bundle that is there.
        """
        self._directory, self._parse = directory, parse
        self._readers = {"ConfigMap": read_config_map, "Secret": read_secret}

    def resolve(self, reference: CaBundle, key_path: str) -> bytes:
        """The certificates at ``reference``, as PEM; the error names ``key_path``, the key that has the reference."""
        place = bundle_place(reference)
        match reference:
            case CaBundleFile(file=path):
                content = self._read_file(path, key_path)
            case CaBundleConfigMap(config_map=wanted):
                content = self._read_key("ConfigMap", wanted, key_path)
            case CaBundleSecret(secret=wanted):
                content = self._read_key("Secret", wanted, key_path)
        if content is None:
            raise CaBundleError(f"{key_path}: the {place} does not exist", hint=f"create it, or change {key_path}")
        try:
            return self._parse(content)
        except ValueError as error:
            raise CaBundleError(f"{key_path}: the {place} {error}", hint=_HINT) from None

    def _read_key(self, kind: str, wanted: CaBundleObject, key_path: str) -> bytes | None:
        if reader := self._readers[kind]:
            return reader(wanted.name, wanted.key)
        message = f"{key_path}: this command does not read the cluster, and so not the {kind} {wanted.name}"
        raise CaBundleError(message, hint="write the certificates to a file, and use {file: PATH}")

    def _read_file(self, path: Path, key_path: str) -> bytes | None:
        try:
            return (self._directory / path).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CaBundleError(f"{key_path}: cannot read the file {path}: {error.strerror}", hint=_HINT) from error


def bundle_place(reference: CaBundle) -> str:
    """Where a bundle is stored, for messages: ``file ca.pem``, ``key ca.crt of ConfigMap company-ca``."""
    match reference:
        case CaBundleFile(file=path):
            return f"file {path}"
        case CaBundleConfigMap(config_map=wanted):
            return f"key {wanted.key} of ConfigMap {wanted.name}"
        case CaBundleSecret(secret=wanted):
            return f"key {wanted.key} of Secret {wanted.name}"
    raise TypeError(type(reference))


def is_ca_bundle(hint: Any) -> bool:
    """Whether the metadata of a type of the model are those of a CA bundle."""
    return any(part in CaBundle.__metadata__ for part in hint)  # type: ignore[attr-defined] # of Annotated
