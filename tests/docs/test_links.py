"""Every relative link of the repository's Markdown leads to a file and to a heading; other sites are not asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from regmirror.errors.documentation import DOCUMENTATION_URL
from tests.docs.markdown import DOCS, ROOT, Place, anchors, links, pages


def target(link: Place) -> tuple[Path, str] | None:
    """The file and the anchor of a link; None for a link to another site."""
    path, _, fragment = link.text.partition("#")
    if path.startswith(f"{DOCUMENTATION_URL}/"):
        page = path.removeprefix(f"{DOCUMENTATION_URL}/").strip("/")
        return DOCS / f"{page or 'index'}.md", fragment
    if ":" in path:
        return None
    return (link.path.parent / path).resolve() if path else link.path, fragment


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    dead = []
    for link in links(page):
        file, fragment = target(link) or (page, "")
        if not file.exists() or (fragment and file.suffix == ".md" and fragment not in anchors(file)):
            dead.append(str(link))
    assert dead == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: str(page.relative_to(DOCS)))
def test_no_link_of_the_site_leaves_the_site(page: Path) -> None:
    """A page is read on GitHub and on the site; outside of docs/ the site has nothing."""
    outside = [str(link) for link in links(page) if (found := target(link)) and not found[0].is_relative_to(DOCS)]
    assert outside == []
