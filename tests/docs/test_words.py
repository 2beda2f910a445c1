"""No text uses the words that have been refused; see refused_words.py for what to write instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.docs.markdown import ROOT, Place
from tests.docs.refused_words import ALLOWED, NAMES_IN_LOWER_CASE, REFUSED
from tests.docs.texts import texts

_ALL = {**REFUSED, f"(?-i:{NAMES_IN_LOWER_CASE})": "in lower case"}
_ANY = re.compile("|".join(f"(?:{pattern})" for pattern in _ALL), re.IGNORECASE)
"""All of them at once: most texts have none, and need no second look."""
_ALONE = re.compile(r"\balone\b", re.IGNORECASE)
_LEFT_ALONE = re.compile(r"\b(?:leav|left|let)[^.]*$", re.IGNORECASE)


def refusals(text: Place) -> Iterator[str]:
    """What is refused in a text, with file and line and a better word."""
    joined = text.text.replace("\n", " ")
    for pattern, better in _ALL.items() if _ANY.search(joined) else ():
        for match in re.finditer(pattern, joined, re.IGNORECASE):
            yield from _refusal(text, match, better)
    for match in _ALONE.finditer(joined):
        if not _LEFT_ALONE.search(joined[max(0, match.start() - 60) : match.start()]):
            yield from _refusal(text, match, "only, by itself")


def _refusal(text: Place, match: re.Match[str], better: str) -> Iterator[str]:
    path = str(text.path.relative_to(ROOT)) if text.path.is_relative_to(ROOT) else text.path.name
    if not any(path.startswith(place) and phrase == match[0].lower() for place, phrase in ALLOWED):
        line = text.line + text.text.count("\n", 0, match.start())
        yield f'{path}:{line}: "{match[0]}" (write: {better})'


def test_no_text_uses_a_refused_word() -> None:
    found = sorted({refusal for text in texts() for refusal in refusals(text)})
    assert found == [], "\n" + "\n".join(found)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("It leaves\nwith 1.", "leaves with 1"),
        ("Name it by --helm.", "by --h"),
        ("the registry alone has it", "alone"),
        ("verify tells why", "tells"),
        ("Docker_auth signs", "Docker_auth"),
        ("this is no pod", " is no p"),
        ("No colour", "colour"),
    ],
)
def test_a_refused_word_is_found(text: str, refused: str) -> None:
    (found,) = refusals(Place(ROOT / "README.md", 1, text))
    assert found.startswith(f'README.md:1: "{refused}"')


@pytest.mark.parametrize(
    "text",
    ["There is no release yet.", "It leaves such files alone.", "there is no longer one", "a stand-in for it"],
)
def test_plain_english_is_not_refused(text: str) -> None:
    assert [*refusals(Place(ROOT / "README.md", 1, text))] == []
