"""Redacts secrets in texts and documents: known values in every spelling, and everything that looks like a secret."""

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from regmirror.support.lookalikes import redact_lookalikes
from regmirror.support.spellings import LONG, anchor, base64_spellings, pattern

REDACTED = "***"
_SHORTEST = 3
"""Characters; a shorter value is not redacted: it would hide half of every text and protects nothing."""


class _Known:
    """One known secret; a text that lacks all of its anchors is not searched for it."""

    def __init__(self, value: str) -> None:
        self.value = value
        self._anchor = anchor(value)
        self._encoded = tuple(base64_spellings(value))

    def redact(self, text: str) -> tuple[str, int]:
        count = 0
        for spelling in self._encoded:
            if spelling in text:
                count += text.count(spelling)
                text = text.replace(spelling, REDACTED)
        if self._anchor in text:
            text, plain = self._pattern.subn(REDACTED, text)
            count += plain
        return text, count

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(pattern(self.value))


class Redactor:
    """Redacts ``secrets``; ``count`` is the number of replacements."""

    def __init__(self, secrets: Iterable[str]) -> None:
        values = {value for value in secrets if len(value) >= _SHORTEST}
        self._known = [_Known(value) for value in sorted(values, key=len, reverse=True)]
        self.count = 0

    def redact(self, text: str) -> str:
        """The text without secrets."""
        for known in self._known:
            text, found = known.redact(text)
            self.count += found
        text, looking = redact_lookalikes(text, REDACTED)
        self.count += looking
        return text

    def redact_plain(self, text: str) -> str:
        """The text without the known secrets as they are: for a redacted document that has been written.

        Other spellings are not searched for, and nothing that looks like a secret: both would find quotes and names of
        fields, and the document could no longer be parsed.
        """
        for known in self._known:
            if known.value in text and len(known.value) >= LONG:
                self.count += text.count(known.value)
                text = text.replace(known.value, REDACTED)
        return text

    def redact_document(self, part: Any) -> Any:
        """A document without secrets in its texts, keys and numbers.

        A format spells texts in its own way, so that a secret may no longer be found once the document is written.
        """
        if isinstance(part, dict):
            return {self.redact_document(key): self.redact_document(value) for key, value in part.items()}
        if isinstance(part, list):
            return [self.redact_document(item) for item in part]
        if part is None or isinstance(part, bool):
            return part
        text = self.redact(str(part))
        return text if isinstance(part, str) or text != str(part) else part
