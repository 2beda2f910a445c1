"""What is generated is up to date: pages are what their generators write, and the site has what it promises."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.markdown import DOCS, ROOT, code_blocks

BUILD: dict[str, Any] = runpy.run_path(str(DOCS / "build.py"))
NAVIGATION: list[tuple[str, str, str]] = BUILD["navigation"]()
SITE = ROOT / "site"


@pytest.mark.parametrize("page", BUILD["generated"]())
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert (DOCS / page).read_text() == BUILD["generated"]()[page](), "run: make docs"


def test_every_example_is_on_its_page() -> None:
    examples = [path for path in sorted((ROOT / "examples").rglob("*.yaml")) if path.is_file()]
    shown = {block.text for _, block in code_blocks(DOCS / "reference/examples.md")}
    assert [str(path) for path in examples if path.read_text() not in shown] == []


def test_the_site_builds_without_a_warning_and_is_complete() -> None:
    """One test, because the site is built once: two workers must not write it at the same time."""
    build_site()
    assert [page for _, _, page in NAVIGATION if not has_html_and_markdown(page)] == []
    assert listed_for_language_models() == [page for _, _, page in NAVIGATION]
    assert [
        *SITE.rglob("*.py"),
        *SITE.glob("reliability.json"),
        *SITE.glob("attacks.json"),
        *SITE.glob("clients.json"),
    ] == []
    assert (SITE / "search.json").is_file()
    assert unrendered() == [], (
        "put an empty line before a list, four spaces before code in a list, no | in code in a table"
    )


def build_site() -> None:
    command = [sys.executable, str(DOCS / "build.py"), "site"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, re.sub(r"\x1b\[[0-9;]*m", "", built.stdout + built.stderr)


def has_html_and_markdown(page: str) -> bool:
    path = Path(page)
    html = path.with_suffix(".html") if path.name == "index.md" else path.with_suffix("") / "index.html"
    return (SITE / html).is_file() and (SITE / page).read_text() == (DOCS / page).read_text()


def listed_for_language_models() -> list[str]:
    text = (SITE / "llms.txt").read_text()
    assert text.startswith("# regmirror\n\n> ")
    return re.findall(r"^- \[.+\]\(https://\S+?/en/[^/]+/(\S+\.md)\)$", text, re.MULTILINE)


def unrendered() -> list[Path]:
    """Pages with Markdown that was not understood, and so is shown in a paragraph as it is."""
    raw = re.compile(r"<p>[^<]*(?:```|^- |^\|)|<code>[^<]*\\\|", re.MULTILINE)
    return [path for path in SITE.rglob("index.html") if raw.search(path.read_text())]
