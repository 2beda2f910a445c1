"""The page of ``regmirror report`` in Chromium: what a person sees, on every width, and what a hostile name can do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import build
from lab.components import AXE
from lab.errors import LabError
from lab.instance import Instance
from regmirror.report.document import MirrorReport
from regmirror.report.page import report_page
from tests import report_sample
from tests.contract.browser import Browser, browsing
from tests.e2e.waiting import await_value

pytestmark = pytest.mark.browser
WIDTHS = (360, 800, 1400)
PICTURES = os.environ.get("REGMIRROR_PICTURES")
"""A directory for pictures of the pages, for a person who changes their design."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core: from the lab, or from its build cache."""
    found = shutil.which(AXE.name)
    if found is None:
        try:
            found = str(build.published(AXE, Instance.from_environment().cache)[AXE.name])
        except (LabError, KeyError):
            pytest.skip("axe-core is missing: install npm, or run this in the lab")
    return Path(found).read_text()


def show(browser: Browser, report: MirrorReport, directory: Path) -> None:
    page = directory / "page.html"
    page.write_text(report_page(report), encoding="utf-8")
    browser.open(page.as_uri())


@pytest.mark.parametrize(("width", "dark"), [(360, False), (800, True), (1400, False)])
@pytest.mark.parametrize("name", ["healthy", "broken"])
def test_the_page_is_accessible_and_fits_on_every_width(
    browser: Browser, axe: str, tmp_path: Path, name: str, width: int, dark: bool
) -> None:
    show(browser, getattr(report_sample, name)(), tmp_path)
    browser.show(width, dark=dark)
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    if PICTURES:
        (Path(PICTURES) / f"{name}-{width}.png").write_bytes(browser.picture())
    browser.run(axe)
    found = browser.run("return axe.run().then(found => found.violations.map(one => [one.id, one.nodes[0].html]))")
    assert found == []


def test_nothing_is_loaded_and_nothing_is_blocked(browser: Browser, tmp_path: Path) -> None:
    show(browser, report_sample.broken(), tmp_path)
    assert browser.run("return performance.getEntriesByType('resource').map(entry => entry.name)") == []
    # The styles apply, although the policy of the page allows only this one sheet.
    assert browser.run("return getComputedStyle(document.querySelector('.card')).borderRadius") == "10px"
    assert browser.run("return document.scripts.length") == 0


def test_hostile_texts_stay_texts(browser: Browser, tmp_path: Path) -> None:
    show(browser, report_sample.broken(report_sample.HOSTILE, context=report_sample.HOSTILE), tmp_path)
    assert browser.run("return document.scripts.length + document.images.length") == 0
    assert browser.run("return document.title").startswith("1 check fails")
    message = browser.text(".item.error .message")
    assert report_sample.HOSTILE.replace("\u202e", "") in message.replace("\u202e", "")
    assert browser.run("return getComputedStyle(document.querySelector('.card')).borderRadius") == "10px"


def test_the_cells_of_the_map_are_as_large_as_the_repositories(browser: Browser, tmp_path: Path) -> None:
    show(browser, report_sample.healthy(), tmp_path)
    for width in WIDTHS:
        browser.show(width)
        cells: list[list[Any]] = browser.run(
            "const map = document.querySelector('.treemap').getBoundingClientRect();"
            "return [...document.querySelectorAll('.cell')].map(cell => {"
            " const place = cell.getBoundingClientRect();"
            " return [cell.title, place.width * place.height / (map.width * map.height)]})"
        )
        areas = {str(title).partition(":")[0]: float(area) for title, area in cells}
        total = report_sample.contents().bytes
        assert sum(areas.values()) == pytest.approx(1, abs=0.01)
        for name in ("library/python", "grafana/loki", "prom/prometheus"):
            assert areas[name] == pytest.approx(report_sample.SIZES[name] / total, abs=0.005)


def test_a_failing_check_is_shown_with_its_fix_and_its_documentation(browser: Browser, tmp_path: Path) -> None:
    show(browser, report_sample.broken(), tmp_path)
    assert browser.text("#verdict") == "1 check fails"
    first = browser.text(".items .item")
    assert first.startswith("FAILED\nstorage-bucket is as it should be (docker-hub)\ncannot write: AccessDenied")
    assert "regmirror verify" in first
    links = browser.run("return [...document.querySelectorAll('.item a')].map(link => link.href)")
    assert links == ["https://docs.example.com/storage-bucket", "https://docs.example.com/upstream-quota"]


def test_paper_has_everything_that_is_folded_on_a_screen(browser: Browser, tmp_path: Path) -> None:
    show(browser, report_sample.healthy(), tmp_path)
    visible = "return document.querySelector('#checks details td').checkVisibility({contentVisibilityAuto: true})"
    browser.show(1000)
    assert not browser.run(visible)
    browser.show(1000, dark=True, medium="print")
    # Chromium changes what is visible with the next frame.
    await_value(lambda: browser.run(visible), bool, 30)
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
