"""The content of a support bundle: redacted texts by path, and what was omitted."""

import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from regmirror.status.background import Unavailable
from regmirror.support.redact import Redactor
from regmirror.support.yaml_source import redact_yaml_source


@dataclass(slots=True)
class Bundle:
    """Files of the archive; every text passes the redactor."""

    redactor: Redactor
    files: dict[str, str] = field(default_factory=dict)
    omitted: list[str] = field(default_factory=list)

    def add_text(self, path: str, text: str | Unavailable) -> None:
        """Add a text; an unavailable one is omitted, with the reason."""
        if isinstance(text, Unavailable):
            self.omit(f"{path}: {text.reason}")
        else:
            self.files[path] = self.redactor.redact(text)

    def add_yaml_source(self, path: str, text: str) -> None:
        """Add a YAML text that a person wrote."""
        self.add_text(path, redact_yaml_source(text, self.redactor))

    def add_json(self, path: str, document: Any) -> None:
        """Add a document as JSON."""
        if isinstance(document, Unavailable):
            self.add_text(path, document)
        else:
            redacted = self.redactor.redact_document(document)
            self._add_written(path, json.dumps(redacted, indent=2, ensure_ascii=False) + "\n")

    def add_yaml(self, path: str, documents: list[Any] | Unavailable) -> None:
        """Add documents as one YAML file; an empty list adds no file."""
        if isinstance(documents, Unavailable):
            self.add_text(path, documents)
        elif documents:
            redacted = self.redactor.redact_document(documents)
            # A line is as long as its text: a wrapped one would be a spelling that nobody searches for.
            self._add_written(path, yaml.safe_dump_all(redacted, sort_keys=False, allow_unicode=True, width=2**31))

    def _add_written(self, path: str, text: str) -> None:
        """Add a redacted document; a secret may still span more than one of its texts."""
        self.files[path] = self.redactor.redact_plain(text)

    def omit(self, what: str) -> None:
        """Record something that is not in the bundle."""
        self.omitted.append(self.redactor.redact(what))
