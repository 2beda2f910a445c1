"""The documentation says what the code does: what is generated is up to date, every code and check has its heading."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import runpy
import subprocess
import sys
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
from tests.e2e.outages import OUTAGES
from tests.e2e.restarted import NODE

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATOR = DOCS / "generate_configuration.py"
RELIABILITY = DOCS / "generate_reliability.py"
PAGES = sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


def headings(page: str, level: int) -> list[str]:
    return re.findall(rf"^{'#' * level} (.+)$", (DOCS / page).read_text(), re.MULTILINE)


def sections(page: str) -> dict[str, str]:
    """What stands under each heading of the second level."""
    parts = re.split(r"^## (.+)$", (DOCS / page).read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def subclasses(of: type[T]) -> Iterator[type[T]]:
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


def models() -> list[type[BaseModel]]:
    """Every part of the configuration file."""
    return sorted(subclasses(Section), key=lambda model: model.__name__)


def error_classes() -> list[type[RegmirrorError]]:
    """Every class with a code of its own; all modules are loaded, so that none is missed."""
    for module in pkgutil.walk_packages(regmirror.__path__, "regmirror."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    classes: list[type[RegmirrorError]] = [RegmirrorError, *subclasses(RegmirrorError)]
    return [one for one in classes if "code" in vars(one)]


@pytest.mark.parametrize(("generator", "page"), [(GENERATOR, "reference/configuration.md"), (RELIABILITY, "explanation/reliability.md")])
def test_a_generated_page_is_what_its_generator_writes(generator: Path, page: str) -> None:
    written = subprocess.run([sys.executable, str(generator)], capture_output=True, text=True, check=True)
    assert (DOCS / page).read_text() == written.stdout, "run: make docs"


def test_the_page_of_reliability_tells_of_every_outage_that_is_tested() -> None:
    """Its figures are those of a run; that nothing was lost and what tells each fault is as the tests want it."""
    measured = {row["outage"]: row for row in json.loads((DOCS / "reliability.json").read_text())}
    assert list(measured) == [outage.name for outage in [*OUTAGES, NODE]], "run: make reliability"
    assert {row["lost"] for row in measured.values()} == {0}
    for outage in [*OUTAGES, NODE]:
        assert outage.told_by <= set(measured[outage.name]["failedChecks"])


def test_the_file_with_every_key_is_valid() -> None:
    example = runpy.run_path(str(GENERATOR))["example"]()
    mirror = parse_mirror(yaml.safe_dump(example), "docs/reference/configuration.md")
    assert build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW).releases


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_says_what_it_means(model: type[BaseModel]) -> None:
    undescribed = [name for name, field in model.model_fields.items() if not field.description]
    assert undescribed == []


def test_every_key_is_on_the_page() -> None:
    page = (DOCS / "reference/configuration.md").read_text()
    keys = {field.alias for model in models() for field in model.model_fields.values()}
    assert [key for key in keys if f"| `{key}` |" not in page] == []


def test_no_two_errors_have_the_same_code() -> None:
    codes = [one.code for one in error_classes()]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"RM\d{3}", code) for code in codes)


def test_every_error_code_has_its_heading() -> None:
    documented = [heading for heading in headings("reference/errors.md", 2) if heading != "Exit codes"]
    assert documented == sorted(one.code for one in error_classes())
    for code, text in sections("reference/errors.md").items():
        if code != "Exit codes":
            assert f"```\nError {code}: " in text, f"{code} has no example"


def test_every_exit_code_is_in_the_table() -> None:
    table = re.findall(r"^\| (\d+) \|", sections("reference/errors.md")["Exit codes"], re.MULTILINE)
    assert [int(code) for code in table] == sorted(ExitCode)


def test_every_check_has_its_heading_in_the_order_of_the_checks() -> None:
    assert headings("checks.md", 2) == [check.id for check in CHECKS]
    assert headings("checks.md", 1)[1:] == [category.value for category in Category]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_is_documented_with_title_failure_cause_and_cure(check: Any) -> None:
    text = sections("checks.md")[check.id]
    title = re.search(r"\*\*(.+?)\.\*\*", text, re.DOTALL)
    assert title is not None
    assert title[1].lower() == check.title.lower()
    assert re.search(rf"```\n[×‼] {re.escape(check.title)}\n", text)
    assert "\nCause: " in text
    assert "\nCure: " in text


def test_every_command_that_is_named_exists() -> None:
    pages = "".join((DOCS / page).read_text() for page in PAGES)
    source = "".join(path.read_text() for path in (ROOT / "regmirror").rglob("*.py"))
    named = re.findall(r"`regmirror ([a-z][a-z-]+)", pages) + re.findall(r": regmirror ([a-z][a-z-]+)", source)
    assert {"init", "deploy"} <= set(named)
    assert set(named) - set(get_group(app).commands) == set()
