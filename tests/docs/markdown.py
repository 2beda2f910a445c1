"""The Markdown files of the repository, their headings with GitHub's anchors, their links and their code blocks."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regmirror.errors.documentation import anchor

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^( *)(```+|~~~+) *(\S*)[^\n]*\n(.*?)^ *\2 *$", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"(`+).+?\1", re.DOTALL)
_LINK = re.compile(r"\]\(\s*([^)\s]+)(?:\s+\"[^\"]*\")?\s*\)")
_HTML_LINK = re.compile(r"<(?:img|source|a)\b[^>]*?(?:src|srcset|href)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Place:
    """Something in a file, with the line on which it begins."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.text}"


def pages() -> list[Path]:
    """Every Markdown file that Git knows or would add, generated and ignored files excluded."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return sorted(path for name in set(names) if (path := ROOT / name).is_file())


def headings(page: Path, *levels: int) -> list[str]:
    """The headings of a page, without their marks; of the given levels only, if any are given."""
    found = re.findall(r"^(#{1,6}) +(.+?) *#*$", _without_fences(page.read_text()), re.MULTILINE)
    return [_plain(text) for marks, text in found if not levels or len(marks) in levels]


def anchors(page: Path) -> set[str]:
    """The anchors of a page by GitHub's rule: a repeated heading gets -1, -2 and so on."""
    found: set[str] = set()
    for heading in headings(page):
        name, count = anchor(heading), 0
        while (candidate := f"{name}-{count}" if count else name) in found:
            count += 1
        found.add(candidate)
    return found


def links(page: Path) -> Iterator[Place]:
    """The targets of all links and images outside of code."""
    text = page.read_text()
    prose = _INLINE_CODE.sub(_blank, _without_fences(text))
    for pattern in (_LINK, _HTML_LINK):
        for match in pattern.finditer(prose):
            yield Place(page, text.count("\n", 0, match.start()) + 1, match[1])


def code_blocks(page: Path) -> Iterator[tuple[str, Place]]:
    """Each fenced block: its language, and its content with the indentation of the fence removed."""
    text = page.read_text()
    for match in _FENCE.finditer(text):
        content = re.sub(rf"^{match[1]}", "", match[4], flags=re.MULTILINE)
        yield match[3], Place(page, text.count("\n", 0, match.start()) + 2, content)


def _without_fences(text: str) -> str:
    return _FENCE.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    """Empty lines in place of a match, so that line numbers stay right."""
    return re.sub(r"[^\n]", " ", match[0])


def _plain(heading: str) -> str:
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
