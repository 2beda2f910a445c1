"""The effective configuration: every key with its value, and where each value comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from regmirror.config.ca_bundle import CaBundle, CaBundleFile, bundle_place
from regmirror.config.find_references import find_ca_bundles, find_references
from regmirror.config.key_paths import KeyPath, contains, format_path, line_of
from regmirror.config.model import Mirror
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference


@dataclass(frozen=True, slots=True)
class ValueSources:
    """Where the values come from: lines of the YAML, or, by key path, places outside the file."""

    root: yaml.Node
    outside: Mapping[str, str]

    def of(self, path: KeyPath) -> str:
        """The source of one value: ``line 3``, ``default`` or a place outside the file."""
        if format_path(path) in self.outside:
            return self.outside[format_path(path)]
        return f"line {line_of(self.root, path)}" if contains(self.root, path) else "default"


@dataclass(frozen=True, slots=True)
class ReferencedSecret:
    """A secret or CA bundle that the configuration refers to; ``found`` is None if only the cluster knows."""

    key_path: str
    location: str
    found: bool | None


def effective(mirror: Mirror) -> dict[str, Any]:
    """The whole configuration as the content of a file; it has references to secrets, never their values."""
    return mirror.model_dump(mode="json", by_alias=True)


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value that contains no other values, in the order of the document."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def referenced_secrets(mirror: Mirror, environ: Mapping[str, str], directory: Path) -> list[ReferencedSecret]:
    """Every secret and CA bundle that the configuration refers to, and whether it is available; none is read."""
    secrets = [_referenced_secret(path, reference, environ, directory) for path, reference in find_references(mirror)]
    return secrets + [_referenced_bundle(path, reference, directory) for path, reference in find_ca_bundles(mirror)]


def _referenced_bundle(path: KeyPath, reference: CaBundle, directory: Path) -> ReferencedSecret:
    found = (directory / reference.file).is_file() if isinstance(reference, CaBundleFile) else None
    return ReferencedSecret(format_path(path), bundle_place(reference), found)


def _referenced_secret(
    path: KeyPath, reference: object, environ: Mapping[str, str], directory: Path
) -> ReferencedSecret:
    match reference:
        case EnvironmentReference(env=name):
            return ReferencedSecret(format_path(path), f"variable {name}", bool(environ.get(name)))
        case FileReference(file=file):
            return ReferencedSecret(format_path(path), f"file {file}", (directory / file).is_file())
        case ClusterReference(secret=wanted):
            return ReferencedSecret(format_path(path), f"Secret {wanted.name}, key {wanted.key}", None)
    raise TypeError(type(reference))


def yaml_lines(value: Any, path: KeyPath = (), indent: str = "") -> list[tuple[str, KeyPath]]:
    """A document as lines of YAML, each with the path of its value; the path is empty for a line without a value."""
    lines: list[tuple[str, KeyPath]] = []
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        here, label = (*path, key), "-" if isinstance(value, list) else f"{_literal(key)}:"
        if not isinstance(inner, dict | list) or not inner:
            lines.append((f"{indent}{label} {_literal(inner)}", here))
            continue
        nested = yaml_lines(inner, here, indent + "  ")
        if label == "-":
            # The first line of a list's entry follows its dash.
            nested[0] = (f"{indent}- {nested[0][0].lstrip()}", nested[0][1])
        else:
            lines.append((f"{indent}{label}", ()))
        lines += nested
    return lines


def _literal(value: Any) -> str:
    for style in (None, '"'):
        text = yaml.safe_dump(value, default_style=style, default_flow_style=True, width=2**31, allow_unicode=True)
        text = text.removesuffix("\n").removesuffix("\n...")
        if text.isprintable():
            break
    return text
