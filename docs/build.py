"""Writes the generated pages and builds the site: ``python docs/build.py pages``, ``python docs/build.py site``.

The site gets what a language model reads, too: ``llms.txt``, a list of all pages, and each page as Markdown at the same
path as in docs/ (``guides/outages.md``), so that the links between them work.
"""

import json
import runpy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
SITE = ROOT / "site"
_SOURCES = ("*.py", "reliability.json", "attacks.json", "clients.json", "__pycache__")
"""What is in docs/ and not part of the site."""


def generated() -> dict[str, Callable[[], str]]:
    """Each generated page, by its path below docs/, and what makes its text."""
    clients, copies, commands, documents, configuration, metrics, performance, reliability = (
        runpy.run_path(str(DOCS / f"generate_{name}.py"))
        for name in (
            *("clients", "copies", "commands", "documents", "configuration"),
            *("metrics", "performance", "reliability"),
        )
    )
    return {
        "explanation/performance.md": performance["document"],
        "explanation/reliability.md": lambda: reliability["document"](
            *(json.loads((DOCS / f"{name}.json").read_text()) for name in ("reliability", "attacks"))
        ),
        "reference/clients.md": lambda: clients["document"](json.loads((DOCS / "clients.json").read_text())),
        "reference/changes.md": copies["changes"],
        "reference/charts.md": copies["charts"],
        "reference/commands.md": commands["document"],
        "reference/configuration.md": configuration["document"],
        "reference/documents.md": documents["document"],
        "reference/examples.md": copies["examples"],
        "reference/metrics.md": metrics["document"],
    }


def navigation() -> list[tuple[str, str, str]]:
    """Every page of zensical.toml: the heading that it is under, its title, and its path below docs/."""
    nav = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    return list(_flat(nav, ""))


def _flat(entries: list[dict[str, Any]], section: str) -> Iterator[tuple[str, str, str]]:
    for entry in entries:
        for title, content in entry.items():
            if isinstance(content, str):
                yield section, title, content
            else:
                yield from _flat(content, section or title)


def write_pages() -> None:
    """Write the generated pages below docs/."""
    for page, text in generated().items():
        (DOCS / page).write_text(text())


def build_site() -> None:
    """Build site/ with warnings as errors; raises CalledProcessError for a warning."""
    shutil.rmtree(SITE, ignore_errors=True)
    zensical = Path(sys.executable).with_name("zensical")
    subprocess.run([zensical, "build", "--strict", "--clean"], cwd=ROOT, check=True)
    for pattern in _SOURCES:
        for path in SITE.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _write_twins()
    (SITE / "llms.txt").write_text(llms_text())


def _write_twins() -> None:
    for _, _, page in navigation():
        (SITE / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DOCS / page, SITE / page)


def llms_text() -> str:
    """The list of all pages in the form of llmstxt.org."""
    site_url = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["site_url"].rstrip("/")
    lines = ["# regmirror", "", f"> {_summary()}", ""]
    for section in dict.fromkeys(section for section, _, _ in navigation()):
        lines += [f"## {section or 'Start'}", ""]
        lines += [f"- [{title}]({site_url}/{page})" for of, title, page in navigation() if of == section]
        lines.append("")
    return "\n".join(lines)


def _summary() -> str:
    description = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["description"]
    return str(description)


if __name__ == "__main__":
    {"pages": write_pages, "site": build_site}[sys.argv[1]]()
