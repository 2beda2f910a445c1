"""The documentation says what the code does: every code, key and check has its heading."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_group

import regmirror
from regmirror.cli.app import app
from regmirror.config.load import parse_mirror
from regmirror.config.model import Section
from regmirror.desired.releases import build_stack
from regmirror.errors import ExitCode, RegmirrorError
from regmirror.verify.check import Category
from regmirror.verify.checks import CHECKS
from tests import samples
from tests.e2e.attacks import ATTACKS
from tests.e2e.outages import OUTAGES
from tests.e2e.pulls import SERVED
from tests.e2e.restarted import NODE

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATOR = DOCS / "generate_configuration.py"


def headings(page: str, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", (DOCS / page).read_text(), re.MULTILINE)


def sections(page: str) -> dict[str, str]:
    """What stands under each heading of the second level."""
    parts = re.split(r"^## (.+)$", (DOCS / page).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def check_sections() -> dict[str, str]:
    """The section of each check, from the page of its category."""
    pages = [sections(f"reference/checks/{category.value}.md") for category in Category]
    return {check: text for page in pages for check, text in page.items()}


def subclasses(of: type[T]) -> Iterator[type[T]]:
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


def models() -> list[type[BaseModel]]:
    """Every part of the configuration file."""
    return sorted(set(subclasses(Section)), key=lambda model: model.__name__)


def error_classes() -> list[type[RegmirrorError]]:
    """Every class with a code of its own; all modules are loaded, so that none is missed."""
    for module in pkgutil.walk_packages(regmirror.__path__, "regmirror."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    classes: list[type[RegmirrorError]] = [RegmirrorError, *subclasses(RegmirrorError)]
    return [one for one in classes if "code" in vars(one)]


def test_the_page_of_reliability_tells_of_every_outage_that_is_tested() -> None:
    """Its figures are those of a run; that nothing was lost and what tells each fault is as the tests want it."""
    measured = {row["outage"]: row for row in json.loads((DOCS / "reliability.json").read_text())}
    assert list(measured) == [outage.name for outage in [*OUTAGES, NODE]], "run: make reliability"
    assert {row["lost"] for row in measured.values()} == {0}
    for outage in [*OUTAGES, NODE]:
        assert outage.reported_by <= set(measured[outage.name]["failedChecks"])


def test_the_page_of_reliability_tells_of_every_attack_that_is_tested() -> None:
    measured = {row["attack"]: row for row in json.loads((DOCS / "attacks.json").read_text())}
    assert list(measured) == [attack.name for attack in ATTACKS], "run: make reliability"
    for attack in ATTACKS:
        assert set(measured[attack.name]["answers"]) <= attack.answers
        assert set(measured[attack.name]["others"]["answers"]) == {SERVED}


def test_an_attack_is_a_row_of_the_page_of_reliability() -> None:
    row = {
        "attack": "a flood",
        "answers": {"200": 1200, "429": 30},
        "others": {"answers": {"served": 9}, "median": 0.004, "max": 1.25},
        "memory": {"front": [40 << 20, 256 << 20], "auth": [64 << 20, 128 << 20]},
        "logBytes": 2_000,
        "diskBytes": 33_000_000,
        "upstreamRequests": 1_200,
        "recoverySeconds": 0.0,
    }
    text = runpy.run_path(str(DOCS / "generate_reliability.py"))["document"]([], [row])
    cells = "1,200× 200, 30× 429 | 4 ms, longest 1.2 s | auth: 64 of 128 MiB | 2 kB | 33.0 MB | 1,200"
    assert f"| a flood | {cells} |\n" in text


def test_the_file_with_every_key_is_valid() -> None:
    example = runpy.run_path(str(GENERATOR))["example"]()
    mirror = parse_mirror(yaml.safe_dump(example), "docs/reference/configuration.md")
    assert build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW).releases


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_says_what_it_means(model: type[BaseModel]) -> None:
    undescribed = [name for name, field in model.model_fields.items() if not field.description]
    assert undescribed == []


def test_no_two_errors_have_the_same_code() -> None:
    codes = [one.code for one in error_classes()]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"RM\d{3}", code) for code in codes)


def test_every_error_code_has_its_heading() -> None:
    assert headings("reference/errors.md", 2) == sorted(one.code for one in error_classes())
    for code, text in sections("reference/errors.md").items():
        assert f"```\nError {code}: " in text, f"{code} has no example"


def test_every_exit_code_is_in_the_table() -> None:
    page = (DOCS / "reference/exit-codes.md").read_text()
    table = re.findall(r"^\| (\d+) \|", page, re.MULTILINE)
    assert [int(code) for code in table] == sorted(ExitCode)


def test_every_check_has_its_heading_in_the_order_of_the_checks() -> None:
    assert list(check_sections()) == [check.id for check in CHECKS]
    for category in Category:
        page = f"reference/checks/{category.value}.md"
        assert headings(page, 1) == [f"Checks: {category.value}"]
        assert headings(page, 2) == [check.id for check in CHECKS if check.category is category]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_is_documented_with_title_failure_cause_and_fix(check: Any) -> None:
    text = check_sections()[check.id]
    title = re.search(r"\*\*(.+?)\.\*\*", text, re.DOTALL)
    assert title is not None
    assert " ".join(title[1].split()) == check.title
    assert re.search(rf"```\n[×‼] {re.escape(check.title)}\n", text)
    assert "\nCause: " in text
    assert "\nFix: " in text


def test_every_command_that_is_named_in_the_source_exists() -> None:
    source = "".join(path.read_text() for path in (ROOT / "regmirror").rglob("*.py"))
    named = re.findall(r": regmirror ([a-z][a-z-]+)", source)
    assert set(named) - set(get_group(app).commands) == set()
