"""Writes the measured parts of docs/explanation/performance.md; ``make docs`` runs this, ``make bench`` measures.

The rest of the page is written by hand: only what is between two markers of a part is replaced.
"""

import re
from pathlib import Path

PAGE = Path(__file__).parent / "explanation" / "performance.md"
TABLES = Path(__file__).parents[1] / "bench" / "results" / "README.md"


def document() -> str:
    """The whole page."""
    text = TABLES.read_text()
    goals, _, tables = text[text.index("## ") :].partition("\n## ")
    parts = {"goals": goals.partition("\n\n")[2], "results": f"### {tables.replace('## ', '### ')}"}
    page = PAGE.read_text()
    for name, content in parts.items():
        page = _replaced(page, name, content)
    return page


def _replaced(page: str, name: str, content: str) -> str:
    begin, end = (f"<!-- {edge} of generated {name} (docs/generate_performance.py) -->" for edge in ("begin", "end"))
    pattern = f"{re.escape(begin)}.*{re.escape(end)}"
    if not re.search(pattern, page, re.DOTALL):
        raise ValueError(f"{PAGE} needs two lines: {begin} and {end}")
    return re.sub(pattern, lambda _: f"{begin}\n\n{content.strip()}\n\n{end}", page, flags=re.DOTALL)
