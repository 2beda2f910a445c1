"""The spellings of a secret value: as programs write it in texts, JSON, YAML, URLs, shells, HTML and Base64."""

import base64
import re
from collections.abc import Iterator
from html import escape

LONG = 8
"""Characters; a value of this length is redacted anywhere, a shorter one only as a separate word."""
_BACKSLASHES = r"\\{1,7}"
"""One more level of quoting doubles them: JSON within JSON within JSON."""
_SPACE = rf"(?:\s|{_BACKSLASHES}(?:[nrt]|\s|[xX](?:0[9aAdD]|20)|[uU]0*(?:[9aAdD]|20))|%(?:20|0[9aAdD])|\+)+"
"""Formats that wrap or indent lines replace white space by other white space."""
_CONTINUATION = r"(?:\\\r?\n\s*)?"
"""YAML may break a line after an escaped character."""
_PLAIN = re.compile(r"[0-9A-Za-z]+")
_PARTS = re.compile(r"(?P<plain>[0-9A-Za-z]+)|(?P<space>[ \t\r\n]+)|(?P<backslashes>\\+)|(?P<other>.)", re.DOTALL)
_YAML_ESCAPES = {
    "\0": "0",
    "\a": "a",
    "\b": "b",
    "\v": "v",
    "\f": "f",
    "\x1b": "e",
    "\x85": "N",
    "\xa0": "_",
    "\u2028": "L",
    "\u2029": "P",
}


def anchor(value: str) -> str:
    """The longest part of a value that every spelling except Base64 contains unchanged; empty if there is none."""
    return max(_PLAIN.findall(value), key=len, default="")


def pattern(value: str) -> str:
    """A regular expression for every spelling of a value except Base64; only the escapes ignore case."""
    text = "".join(_part(match) for match in _PARTS.finditer(value))
    return text if len(value) >= LONG else rf"(?<!\w){text}(?!\w)"


def base64_spellings(value: str) -> Iterator[str]:
    """What Base64 of any text around the value contains, at each of the three offsets; none for a short value."""
    if len(value) < LONG:
        return
    for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            yield _within_base64(alphabet(b"\0" * offset + value.encode()), offset)


def _part(match: re.Match[str]) -> str:
    text = match[0]
    if match["plain"]:
        return text
    if match["space"]:
        return _SPACE
    if match["backslashes"]:
        encoded = rf"%5[cC]|{_BACKSLASHES}(?:x5[cC]|u0*5[cC]|134)"
        # Quoting doubles them, and YAML may break a line after each pair.
        return rf"(?:(?:{encoded}){{{len(text)}}}|\\+(?:\r?\n[ \t]*\\+)+|\\{{{len(text)},}}){_CONTINUATION}"
    return rf"(?:{'|'.join(_spellings(text))}){_CONTINUATION}"


def _spellings(character: str) -> Iterator[str]:
    """One character that is neither a letter or digit of ASCII, nor a space or line break, nor a backslash.

    The character itself is the last one: others begin with it, such as %25.
    """
    encoded = character.encode(errors="surrogatepass")
    yield _ignoring_case("".join(f"%{byte:02x}" for byte in encoded))
    # Bytes, as Python and C print them.
    yield "".join(rf"{_BACKSLASHES}x{_ignoring_case(f'{byte:02x}')}" for byte in encoded)
    yield "".join(rf"{_BACKSLASHES}{byte:03o}" for byte in encoded)
    yield rf"{_BACKSLASHES}(?:{'|'.join(_escapes(character))})"
    if ord(character) > 0xFFFF:
        units = character.encode("utf-16-be").hex()
        yield "".join(rf"{_BACKSLASHES}u{_ignoring_case(unit)}" for unit in (units[:4], units[4:]))
    if escape(character) != character:
        yield re.escape(escape(character))
    if character == "'":
        yield "&#0?39;|&apos;|''"
    # YAML indents what follows a line break, also one of Unicode's.
    yield r"\s+" if character.isspace() else re.escape(character)


def _escapes(character: str) -> Iterator[str]:
    """What follows a backslash: in JSON, YAML, JavaScript, Python, Go and C."""
    code = ord(character)
    if code < 0x100:
        yield rf"[xX]{_ignoring_case(f'{code:02x}')}"
    yield rf"[uU]0*{_ignoring_case(f'{code:x}')}"
    yield rf"u\{{0*{_ignoring_case(f'{code:x}')}\}}"
    if character in _YAML_ESCAPES:
        yield _YAML_ESCAPES[character]
    if code < 0x80:
        yield re.escape(character)


def _ignoring_case(text: str) -> str:
    return f"(?i:{text})"


def _within_base64(encoded: bytes, offset: int) -> str:
    """The part of an encoded text that depends only on the value, which starts ``offset`` bytes into it.

    A character encodes 6 bits: those that share bits with the text before or after the value are left out.
    """
    size = len(encoded) // 4 * 3 - encoded.count(b"=")
    return encoded[-(-offset * 8 // 6) : size * 8 // 6].decode()
