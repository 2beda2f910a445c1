"""Man pages: one for each command, which man accepts without a warning, and always the same bytes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from regmirror.cli.man_pages import man_pages, write_man_pages
from tests.unit.test_help import PATHS

PAGES = man_pages()
NAMES = sorted(f"{'-'.join(['regmirror', *path])}.1" for path in PATHS)


def test_every_command_has_its_page() -> None:
    assert sorted(PAGES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_its_sections_in_the_usual_order(name: str) -> None:
    page = PAGES[name]
    assert page.startswith(f'.TH "{name.removesuffix(".1").upper()}" "1"'.replace("-", r"\-"))
    titles = re.findall(r'^\.SH "?([A-Z ,]+)"?$', page, re.MULTILINE)
    assert titles[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"]
    assert titles[-2:] == ["EXIT STATUS", "SEE ALSO"]
    assert page.isascii()
    assert "\n\n" not in page


def test_options_and_variables_are_described() -> None:
    page = PAGES["regmirror-deploy.1"].replace(r"\-", "-")
    assert ".TP\n.B --dry-run\n" in page
    assert ".SH ENVIRONMENT\n.TP\n.B REGMIRROR_FILE\nValue of --file if it is not given.\n" in page
    assert ".SH EXAMPLES\n.nf\nregmirror deploy\n" in page


def test_pages_are_the_same_each_time(tmp_path: Path) -> None:
    write_man_pages(tmp_path / "man")
    assert {path.name: path.read_text() for path in (tmp_path / "man").iterdir()} == man_pages() == PAGES


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_man_shows_every_page_without_a_warning(tmp_path: Path) -> None:
    write_man_pages(tmp_path)
    environ = os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": ""}
    for name in NAMES:
        done = subprocess.run(
            ["man", "--warnings", "--local-file", str(tmp_path / name)],
            capture_output=True,
            text=True,
            env=environ,
            check=True,
        )
        assert done.stderr == "", name
        assert "SYNOPSIS" in done.stdout
