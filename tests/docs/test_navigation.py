"""Every page can be reached: it is in the navigation of the site, once, and its title is its first line."""

from __future__ import annotations

import runpy
from collections import Counter

import pytest

from tests.docs.markdown import DOCS, headings

NAVIGATION: list[tuple[str, str, str]] = runpy.run_path(str(DOCS / "build.py"))["navigation"]()
PAGES = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def test_every_page_is_in_the_navigation_once() -> None:
    listed = Counter(page for _, _, page in NAVIGATION)
    assert sorted(listed) == PAGES
    assert [page for page, times in listed.items() if times > 1] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_on_its_first_line(page: str) -> None:
    assert (DOCS / page).read_text().startswith("# ")
    assert len(headings(DOCS / page, 1)) == 1
