"""A treemap: rectangles whose areas are proportional to values, as near to squares as possible.

Source: Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000).
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A place; x runs to the right, y down."""

    x: float
    y: float
    width: float
    height: float


def squarify(values: Sequence[float], width: float, height: float) -> list[Rectangle]:
    """Fill ``width`` times ``height`` with one rectangle for each value, in their order.

    The values are greater than 0; rectangles are best if the largest value is first. Areas are proportional to values.
    """
    total = sum(values)
    areas = [value / total * width * height for value in values]
    placed: list[Rectangle] = []
    rest = Rectangle(0.0, 0.0, width, height)
    while len(placed) < len(areas):
        row = _row(areas[len(placed) :], min(rest.width, rest.height))
        rectangles, rest = _place(row, rest)
        placed += rectangles
    return placed


def _row(areas: Sequence[float], side: float) -> Sequence[float]:
    """The first areas, as many as make the row along ``side`` whose worst rectangle is nearest to a square."""
    count, best, total = 1, _worst(areas[0], areas[0], areas[0], side), areas[0]
    smallest = largest = areas[0]
    for area in areas[1:]:
        total, smallest, largest = total + area, min(smallest, area), max(largest, area)
        worst = _worst(smallest, largest, total, side)
        if worst > best:
            break
        count, best = count + 1, worst
    return areas[:count]


def _worst(smallest: float, largest: float, total: float, side: float) -> float:
    """The largest ratio of a long to a short side in a row."""
    thickness = total / side
    return max(largest / thickness**2, thickness**2 / smallest)


def _place(row: Sequence[float], space: Rectangle) -> tuple[list[Rectangle], Rectangle]:
    """Put a row along the shorter side of a space; returns its rectangles and the space that is left."""
    total, offset, rectangles = sum(row), 0.0, []
    if space.width >= space.height:
        thickness = total / space.height
        for area in row:
            rectangles.append(Rectangle(space.x, space.y + offset, thickness, area / thickness))
            offset += area / thickness
        return rectangles, Rectangle(space.x + thickness, space.y, max(0.0, space.width - thickness), space.height)
    thickness = total / space.width
    for area in row:
        rectangles.append(Rectangle(space.x + offset, space.y, area / thickness, thickness))
        offset += area / thickness
    return rectangles, Rectangle(space.x, space.y + thickness, space.width, max(0.0, space.height - thickness))
