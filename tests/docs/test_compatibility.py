"""The compatibility page claims nothing that no test shows, and names everything that the code knows by name."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from regmirror.config.store_profiles import PROFILES
from regmirror.desired.ingress_controllers import CONTROLLERS
from tests.docs.markdown import DOCS, ROOT, headings

PAGE = DOCS / "reference" / "compatibility.md"
TEXT = PAGE.read_text()
LAB, RENDERED, UNSUPPORTED = "tested in the lab", "rendered and validated only", "unsupported"
EXAMPLES = sorted(str(path.relative_to(ROOT / "examples")) for path in (ROOT / "examples").rglob("*.yaml"))


@dataclass(frozen=True)
class Row:
    """One part, its state, and the tests and notes about it."""

    part: str
    state: str
    note: str

    @property
    def tests(self) -> list[str]:
        """The test files of the note."""
        return re.findall(r"`(tests/[^`]+)`", self.note)


def rows() -> list[Row]:
    """The rows of the tables about parts."""
    parts, _, _ = TEXT.partition("\n## Examples\n")
    lines = [line.strip("|").split("|") for line in parts.partition("\n## ")[2].splitlines() if line.startswith("| ")]
    found = [Row(*(cell.strip() for cell in cells)) for cells in lines]
    return [row for row in found if row.part != "part"]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.part)
def test_a_row_has_a_state_and_its_proof(row: Row) -> None:
    assert row.state in {LAB, RENDERED, UNSUPPORTED}
    assert row.note
    if row.state == LAB:
        assert any(test.startswith("tests/e2e/") for test in row.tests)


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(r"`(tests/[^`]+)`", TEXT)
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_table_has_rows() -> None:
    tables = [heading for heading in headings(PAGE, 2) if heading != "Examples"]
    assert len(tables) == 9
    assert TEXT.count("| part | state | tests and notes |") == len(tables)


def test_every_example_is_named() -> None:
    assert sorted(re.findall(r"^\| `([^`]+\.yaml)` \|", TEXT, re.MULTILINE)) == EXAMPLES


def test_every_ingress_controller_and_store_profile_is_named() -> None:
    parts = ", ".join(row.part for row in rows())
    assert [controller.name for controller in CONTROLLERS if controller.name not in parts] == []
    assert [name for name in PROFILES if f"`{name}`" not in parts] == []
