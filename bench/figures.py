"""Statistics of several runs, and Markdown tables."""

import statistics
from collections.abc import Sequence
from typing import Any

Figures = dict[str, float]


def spread(values: Sequence[float]) -> Figures:
    """Minimum, median and maximum, with four significant digits."""
    of = {"min": min(values), "median": statistics.median(values), "max": max(values)}
    return {name: float(f"{value:.4g}") for name, value in of.items()}


def ratio(one: Figures, other: Figures) -> float:
    """The median of ``one`` divided by that of ``other``, with three significant digits."""
    return float(f"{one['median'] / other['median']:.3g}")


def clients(number_of: str) -> str:
    """A number of clients, in words."""
    return f"{number_of} client" if number_of == "1" else f"{number_of} clients"


def row(cells: Sequence[Any]) -> str:
    """One row of a Markdown table."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def shown(figures: Figures) -> str:
    """The median, with minimum and maximum in parentheses."""
    return f"{number(figures['median'])} ({number(figures['min'])}–{number(figures['max'])})"


def number(value: float) -> str:
    """A number with three significant digits, or a rounded one with thousands separators."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [row(head), row(["---", *("---:" for _ in head[1:])]), *(row(cells) for cells in rows)]
    return "\n".join(lines) + "\n"
