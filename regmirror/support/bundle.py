"""The content of a support bundle: texts by path, every one of them redacted, and what was left out."""

import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from regmirror.status.background import Unavailable
from regmirror.support.redact import Redactor


@dataclass(slots=True)
class Bundle:
    """Files to be packed; nothing enters without the redactor."""

    redactor: Redactor
    files: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add_text(self, path: str, text: str | Unavailable) -> None:
        """A text as it is; what could not be found out is left out, with its reason."""
        if isinstance(text, Unavailable):
            self.leave_out(f"{path}: {text.reason}")
        else:
            self.files[path] = self.redactor.redact(text)

    def add_json(self, path: str, document: Any) -> None:
        """A document as JSON."""
        text = (
            document if isinstance(document, Unavailable) else json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        )
        self.add_text(path, text)

    def add_yaml(self, path: str, documents: list[Any] | Unavailable) -> None:
        """Documents as YAML, one after the other; none make no file."""
        if isinstance(documents, Unavailable) or documents:
            text = documents if isinstance(documents, Unavailable) else yaml.safe_dump_all(documents, sort_keys=False)
            self.add_text(path, text)

    def leave_out(self, what: str) -> None:
        """Tell of something that is not in the bundle."""
        self.left_out.append(self.redactor.redact(what))
