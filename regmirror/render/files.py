"""Files that are kept in Git: equal input gives equal bytes, and equal bytes mean that nothing changed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./-]+")

HEADING = "# Written by regmirror render: change regmirror.yaml, not this file.\n"


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A file; ``path`` is relative to the output directory, with ``/``."""

    path: str
    text: str


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and no anchors: not every reader of the files knows them."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of PyYAML
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Only what every parser takes for a word stands bare: Go's and Python's differ in what else they take for numbers.
    style: str | None = '"'
    if _WORD.fullmatch(text):
        style = None
    elif "\n" in text and all(character == "\n" or character.isprintable() for character in text):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def to_yaml(*documents: Any) -> str:
    """One YAML text of several documents."""
    return yaml.dump_all(
        documents, Dumper=_Dumper, sort_keys=False, width=2**31, allow_unicode=True, explicit_start=len(documents) > 1
    )


def yaml_file(path: str, *documents: Any) -> RenderedFile:
    """A file of YAML documents that says where it comes from."""
    return RenderedFile(path, HEADING + to_yaml(*documents))


def kustomization(files: Iterable[str]) -> dict[str, Any]:
    """What kubectl, Flux and Argo CD read of a directory."""
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": list(files)}
