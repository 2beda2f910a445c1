"""The treemap of the report: areas say how large things are, and nothing covers anything else."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regmirror.report.contents_map import contents_map
from regmirror.report.treemap import Rectangle, squarify
from tests.report_sample import contents

SIZES = st.lists(st.integers(1, 10**12), min_size=1, max_size=60)


def overlap(one: Rectangle, other: Rectangle) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(0.0, width) * max(0.0, height)


@given(SIZES, st.floats(1, 1000), st.floats(1, 1000))
def test_areas_are_proportional_and_fill_the_space_without_overlap(
    sizes: list[int], width: float, height: float
) -> None:
    places = squarify(sorted(sizes, reverse=True), width, height)
    space = width * height
    for size, place in zip(sorted(sizes, reverse=True), places, strict=True):
        assert place.width * place.height == pytest.approx(size / sum(sizes) * space, rel=1e-3, abs=space * 1e-9)
        assert place.x >= -1e-6
        assert place.x + place.width <= width * (1 + 1e-6)
        assert place.y >= -1e-6
        assert place.y + place.height <= height * (1 + 1e-6)
    assert sum(overlap(one, other) for one, other in combinations(places, 2)) <= space * 1e-6


def test_the_example_of_the_paper_has_no_thin_rectangle() -> None:
    places = squarify([6, 6, 4, 3, 2, 2, 1], 6, 4)
    ratios = [max(place.width / place.height, place.height / place.width) for place in places]
    assert [round(ratio, 2) for ratio in ratios[:2]] == [1.5, 1.5]
    assert max(ratios) < 3


def test_no_value_gives_no_rectangle() -> None:
    assert squarify([], 10, 10) == []


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}/[a-z]{1,3}", fullmatch=True), st.integers(0, 10**11), min_size=1))
def test_the_cells_of_a_map_have_all_bytes_and_stay_inside(sizes: dict[str, int]) -> None:
    found = contents_map(contents(**sizes))
    assert sum(cell.bytes for cell in found.cells) == sum(sizes.values()) + 90_000_000
    assert sum(group.bytes for group in found.groups) == sum(sizes.values()) + 90_000_000
    assert len(found.groups) <= 8
    for places in ([cell.wide for cell in found.cells], [cell.narrow for cell in found.cells]):
        assert sum(place.width * place.height for place in places) == pytest.approx(10_000, rel=1e-3)
        assert all(place.x + place.width <= 100.001 and place.y + place.height <= 100.001 for place in places)


def test_repositories_too_small_to_see_are_one_cell_of_their_group() -> None:
    small = {f"team/small-{number}": 1_000_000 for number in range(40)}
    found = contents_map(contents(**{"library/python": 10**11, "team/large": 10**10, **small}))
    assert [(cell.label, cell.bytes) for cell in found.cells if cell.color == 1] == [
        ("large", 10**10),
        ("40 small", 40_000_000),
    ]


def test_a_cache_whose_sizes_are_not_known_has_no_map() -> None:
    found = contents_map(contents(**{"library/python": 0}).model_copy(update={"unused": 0}))
    assert (found.cells, found.groups) == ([], [])
