"""The reference pages that are part of the installation, cut into one section per topic."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regmirror.desired.assets import reference_directory
from regmirror.documentation import check_url, error_url, key_url

ERRORS, CHECKS, KEYS = "error", "check", "key"

_HEADING = re.compile(r"^(#+) (.+?) *$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1 *$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"RM\d{3}")
_CHECK = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_KEY = re.compile(r"[a-z][A-Za-z0-9]*(\[\])?(\.[a-z][A-Za-z0-9]*(\[\])?)*")


@dataclass(frozen=True, slots=True)
class Topic:
    """A section of a reference page."""

    name: str
    kind: str
    url: str
    markdown: str
    """The section with its heading, without the sections below it."""

    @property
    def id(self) -> str:
        """The name as it is compared: an index of a list, or case, makes no difference."""
        return normalize(self.name)


def normalize(name: str) -> str:
    """``upstreams[0].name`` and ``upstreams[].name`` are the key ``upstreams.name``; RM301 may be written rm301."""
    return re.sub(r"\[\d*\]", "", name).lower()


@cache
def topics() -> dict[str, Topic]:
    """Every topic by its name: error codes, then checks, then configuration keys; raises TemplateError."""
    found = [*_errors(), *_checks(), *_keys()]
    return {topic.name: topic for topic in found}


@cache
def check_categories() -> list[str]:
    """The categories of checks, one page each."""
    return [path.stem for path in _check_pages()]


@cache
def check_ids() -> list[str]:
    """The ids of the checks, by category."""
    return [topic.name for topic in _checks()]


def _errors() -> Iterator[Topic]:
    for name, text in _sections(_read(reference_directory() / "errors.md")):
        if _CODE.fullmatch(name):
            yield Topic(name, ERRORS, error_url(name), text)


def _checks() -> Iterator[Topic]:
    for page in _check_pages():
        for name, text in _sections(_read(page)):
            if _CHECK.fullmatch(name):
                yield Topic(name, CHECKS, check_url(name, page.stem), text)


def _keys() -> Iterator[Topic]:
    for name, text in _sections(_read(reference_directory() / "configuration.md")):
        if _KEY.fullmatch(name):
            yield Topic(name, KEYS, key_url(name), text)


def _check_pages() -> list[Path]:
    return sorted(path for path in (reference_directory() / "checks").glob("*.md") if path.stem != "index")


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Each heading below the page's title, with its text up to the next heading."""
    # A line of a code block may begin with a "#" as well.
    masked = _FENCE.sub(lambda block: " " * len(block[0]), text)
    headings = list(_HEADING.finditer(masked))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if len(heading[1]) > 1:
            end = following.start() if following else len(text)
            yield heading[2].strip("`"), text[heading.start() : end].strip()


def _read(page: Path) -> str:
    return page.read_text(encoding="utf-8")
