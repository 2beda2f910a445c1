"""The reference pages that are part of the installation, cut into one section per topic."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from posixpath import normpath

from regmirror.desired.assets import reference_directory
from regmirror.errors.documentation import (
    DOCUMENTATION_URL,
    check_url,
    error_url,
    finding_url,
    key_url,
    node_reason_url,
)

ERRORS, CHECKS, FINDINGS, REASONS, KEYS = "error", "check", "finding", "reason", "key"

_HEADING = re.compile(r"^(#+) (.+?) *$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1 *$", re.MULTILINE | re.DOTALL)
_BOLD = re.compile(r"^\*\*(.+?)\.?\*\*", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#]*)(#[^)]*)?\)")
_CODE = re.compile(r"RM\d{3}")
_CHECK = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_FINDING = re.compile(r"^\| (`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*) \| (.+) \|$", re.MULTILINE)
"""A row of the table of findings: its ids, and what they mean."""
_KEY = re.compile(r"[a-z][A-Za-z0-9]*(\[\])?(\.[a-z][A-Za-z0-9]*(\[\])?)*")


@dataclass(frozen=True, slots=True)
class Topic:
    """A section of a reference page."""

    name: str
    kind: str
    url: str
    markdown: str
    """The section with its heading, without the sections below it; a section of keys below it ends with their list."""

    @property
    def title(self) -> str:
        """The sentence in bold print that a section of an error or check begins with; the name for others."""
        found = _BOLD.search(self.markdown)
        return " ".join(found[1].split()) if found else self.name

    @property
    def id(self) -> str:
        """The name as it is compared: an index of a list, or case, makes no difference."""
        return normalize(self.name)


def normalize(name: str) -> str:
    """``upstreams[0].name`` and ``upstreams[].name`` are the key ``upstreams.name``; RM301 may be written rm301."""
    return re.sub(r"\[\d*\]", "", name).lower()


@cache
def topics() -> dict[str, Topic]:
    """Every topic by its name: error codes, checks, findings, reasons and configuration keys; raises TemplateError."""
    found = [*_errors(), *_checks(), *_findings(), *_reasons(), *_keys()]
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
    for name, text in _page_sections("errors.md"):
        if _CODE.fullmatch(name):
            yield Topic(name, ERRORS, error_url(name), text)


def _checks() -> Iterator[Topic]:
    for page in _check_pages():
        for name, text in _page_sections(f"checks/{page.name}"):
            if _CHECK.fullmatch(name):
                yield Topic(name, CHECKS, check_url(name, page.stem), text)


def _findings() -> Iterator[Topic]:
    for row in _FINDING.finditer(_page("client-check.md")):
        for name in re.findall(r"[a-z0-9-]+", row[1]):
            yield Topic(name, FINDINGS, finding_url(), f"## {name}\n\n{row[2]}")


def _reasons() -> Iterator[Topic]:
    for name, text in _page_sections("node-check.md"):
        yield Topic(name, REASONS, node_reason_url(name), text)


def _keys() -> Iterator[Topic]:
    sections = {name: text for name, text in _page_sections("configuration.md") if _KEY.fullmatch(name)}
    for name, text in sections.items():
        below = [f"- `{key}`" for key in sections if key.startswith(f"{name}.") and "Keys: " not in text]
        yield Topic(name, KEYS, key_url(name), "\n".join([f"{text}\n\nKeys:\n", *below]) if below else text)


def _check_pages() -> list[Path]:
    return sorted(path for path in (reference_directory() / "checks").glob("*.md") if path.stem != "index")


def _page_sections(page: str) -> Iterator[tuple[str, str]]:
    """The sections of a page."""
    yield from _sections(_page(page))


def _page(page: str) -> str:
    """The text of a page, with links that lead somewhere outside of the page, too."""
    directory = f"reference/{page}".rpartition("/")[0]
    text = (reference_directory() / page).read_text(encoding="utf-8")
    return _LINK.sub(lambda link: _published(link, directory), text)


def _published(link: re.Match[str], directory: str) -> str:
    """A link between pages as a link to the site; one within the page as its text."""
    text, path, anchor = link[1], link[2], link[3] or ""
    if not path:
        return text
    return f"[{text}]({DOCUMENTATION_URL}/{normpath(f'{directory}/{path}').removesuffix('.md')}/{anchor})"


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Each heading below the page's title, with its text up to the next heading."""
    # A line of a code block may begin with a "#" as well.
    masked = _FENCE.sub(lambda block: " " * len(block[0]), text)
    headings = list(_HEADING.finditer(masked))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if len(heading[1]) > 1:
            end = following.start() if following else len(text)
            yield heading[2].strip("`"), text[heading.start() : end].strip()
