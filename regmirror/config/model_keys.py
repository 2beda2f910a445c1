"""The keys of the configuration model by their paths: which exist, and under which name each is documented."""

from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from regmirror.config.key_paths import KeyPath
from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretReference

_SECRET_REFERENCE: Any = SecretReference


def documented_keys(model: type[BaseModel] = Mirror, prefix: str = "") -> Iterator[str]:
    """Every key of the file, sections before the keys in them: ``storage``, ``storage.bucket``, ``upstreams.name``."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias}"
        yield key
        section = section_of(get_type_hints(model, include_extras=True)[name])
        if section:
            yield from documented_keys(section, f"{key}.")


def documented_key(path: KeyPath) -> str:
    """The documented key that a path is at or below, without indexes; empty for the file as a whole."""
    return ".".join(_resolve(path)[0])


def known_keys(path: KeyPath) -> list[str]:
    """The keys that a section of the file may have; empty if the path is not a section."""
    _, section = _resolve(path)
    return [str(field.alias) for field in section.model_fields.values()] if section else []


def section_of(hint: Any) -> type[BaseModel] | None:
    """The model behind a type of the model; None for a value, which a secret reference is too."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return hint
    if get_origin(hint) is Annotated and any(part in _SECRET_REFERENCE.__metadata__ for part in hint.__metadata__):
        return None
    sections = [section for part in get_args(hint) if (section := section_of(part))]
    return sections[0] if len(sections) == 1 else None


def _resolve(path: KeyPath) -> tuple[list[str], type[BaseModel] | None]:
    """The part of a path that the model has, and the section at its end; None if there is a value, or no such key."""
    section: type[BaseModel] | None = Mirror
    keys: list[str] = []
    for key in (part for part in path if isinstance(part, str)):
        fields = section.model_fields.items() if section else ()
        name = next((name for name, field in fields if field.alias == key), None)
        if section is None or name is None:
            return keys, None
        keys.append(key)
        section = section_of(get_type_hints(section, include_extras=True)[name])
    return keys, section
