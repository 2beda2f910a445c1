"""The content of a support bundle: redacted texts by path, and what was omitted."""

import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from regmirror.status.background import Unavailable
from regmirror.support.redact import Redactor


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

    def add_json(self, path: str, document: Any) -> None:
        """Add a document as JSON."""
        text = (
            document if isinstance(document, Unavailable) else json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        )
        self.add_text(path, text)

    def add_yaml(self, path: str, documents: list[Any] | Unavailable) -> None:
        """Add documents as one YAML file; an empty list adds no file."""
        if isinstance(documents, Unavailable) or documents:
            text = documents if isinstance(documents, Unavailable) else yaml.safe_dump_all(documents, sort_keys=False)
            self.add_text(path, text)

    def omit(self, what: str) -> None:
        """Record something that is not in the bundle."""
        self.omitted.append(self.redactor.redact(what))
