"""Redacts secrets in texts: known values in every encoding, and everything that looks like a secret."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

_REDACTED = "***"
_SHORTEST = 3
"""Characters; a shorter value is not redacted: it would hide half of every text and protects nothing."""
_LONG = 8
"""Characters; a value of this length is redacted anywhere, a shorter one only as a separate word."""
_LOOKS_SECRET = re.compile(
    r"""
    (?P<before>
        (?:authorization|cookie)["']?\s*[:=]\s*["']?(?:(?:basic|bearer)\s+)?
      | (?:X-Amz-(?:Signature|Credential|Security-Token)|access_token|refresh_token)=
    )
    [^\s"'&,;]+
    | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+            # a JSON Web Token
    | dckr_[a-z]{3}_[\w-]{8,}                       # a token of Docker Hub
    | -----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|\Z)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


class Redactor:
    """Redacts ``secrets``; ``count`` is the number of replacements."""

    def __init__(self, secrets: Iterable[str]) -> None:
        values = {value for value in secrets if len(value) >= _SHORTEST}
        spellings = {spelling for value in values for spelling in _spellings(value)}
        patterns = [_pattern(spelling) for spelling in sorted(spellings, key=len, reverse=True)]
        self._known = re.compile("|".join(patterns)) if patterns else None
        self.count = 0

    def redact(self, text: str) -> str:
        """The text without secrets."""
        if self._known:
            text, known = self._known.subn(_REDACTED, text)
            self.count += known
        text, looking = _LOOKS_SECRET.subn(lambda match: (match["before"] or "") + _REDACTED, text)
        self.count += looking
        return text


def _pattern(spelling: str) -> str:
    escaped = re.escape(spelling)
    return escaped if len(spelling) >= _LONG else rf"(?<!\w){escaped}(?!\w)"


def _spellings(value: str) -> Iterator[str]:
    """A value as it may appear in a text: plain, in JSON, in a URL, and within Base64 at any offset."""
    yield value
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield quote(value, safe="")
    yield quote_plus(value)
    if len(value) >= _LONG:
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            yield from (_within_base64(alphabet(b"\0" * offset + value.encode()), offset) for offset in range(3))


def _within_base64(encoded: bytes, offset: int) -> str:
    """The part of an encoded text that depends only on the value, which starts ``offset`` bytes into it.

    A character encodes 6 bits: those that share bits with the text before or after the value are left out.
    """
    size = len(encoded) // 4 * 3 - encoded.count(b"=")
    return encoded[-(-offset * 8 // 6) : size * 8 // 6].decode()
