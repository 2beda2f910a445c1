"""The treemap of what is cached: one cell for each repository, grouped by the first part of its name."""

from collections.abc import Sequence
from dataclasses import dataclass

from regmirror.report.document import ContentsReport, RepositoryReport
from regmirror.report.treemap import Rectangle, squarify

_WIDE, _NARROW = (260.0, 100.0), (100.0, 100.0)
"""Width and height of the map on a wide and on a narrow page, in any unit."""
_GROUPS = 7
"""Groups with a color; the rest is one more group."""
_SMALLEST_CELL = 0.003
"""Share of the map below which repositories are one cell together."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One rectangle of the map: places are in percent of its width and height."""

    label: str
    name: str
    bytes: int
    color: int
    wide: Rectangle
    narrow: Rectangle


@dataclass(frozen=True, slots=True)
class Group:
    """The repositories with the same first part of their names."""

    name: str
    bytes: int
    color: int


@dataclass(frozen=True, slots=True)
class ContentsMap:
    """The cells, and the groups that explain their colors."""

    cells: list[Cell]
    groups: list[Group]


@dataclass(frozen=True, slots=True)
class _Tile:
    """What will be a cell."""

    label: str
    name: str
    bytes: int


def contents_map(contents: ContentsReport) -> ContentsMap:
    """The map of an upstream; empty if nothing is cached or no size is known."""
    groups = _groups(contents)
    if not groups:
        return ContentsMap([], [])
    total = sum(_sum(tiles) for tiles in groups.values())
    tiles_of = {name: _with_rest(tiles, total * _SMALLEST_CELL) for name, tiles in groups.items()}
    wide, narrow = _layout(list(tiles_of.values()), *_WIDE), _layout(list(tiles_of.values()), *_NARROW)
    cells, legend = [], []
    for color, (name, tiles) in enumerate(tiles_of.items()):
        legend.append(Group(name, _sum(tiles), color))
        places = zip(tiles, wide[color], narrow[color], strict=True)
        cells += [Cell(tile.label, tile.name, tile.bytes, color, first, second) for tile, first, second in places]
    return ContentsMap(cells, legend)


def _groups(contents: ContentsReport) -> dict[str, list[_Tile]]:
    """The tiles by group, the largest group first; the last one has all small groups, and what is not listed."""
    found: dict[str, list[_Tile]] = {}
    for repository in contents.repositories:
        if repository.share:
            found.setdefault(repository.name.partition("/")[0], []).append(_tile(repository))
    ranked = sorted(found.items(), key=lambda group: -_sum(group[1]))
    groups, others = dict(ranked[:_GROUPS]), [tile for _, tiles in ranked[_GROUPS:] for tile in tiles]
    if contents.other_bytes:
        count = contents.other_repositories
        others.append(_Tile(f"{count} more", f"{count} more repositories", contents.other_bytes))
    if contents.unused:
        others.append(_Tile("unused", "not used by any repository", contents.unused))
    others.sort(key=lambda tile: -tile.bytes)
    return groups | ({"others": others} if others else {})


def _tile(repository: RepositoryReport) -> _Tile:
    label = repository.name.partition("/")[2] or repository.name
    return _Tile(label, repository.name, repository.share)


def _sum(tiles: Sequence[_Tile]) -> int:
    return sum(tile.bytes for tile in tiles)


def _with_rest(tiles: list[_Tile], smallest: float) -> list[_Tile]:
    """The tiles of a group, the small ones as one."""
    large = [tile for tile in tiles if tile.bytes >= smallest]
    small = tiles[len(large) :]
    if len(small) < 2:
        return tiles
    return [*large, _Tile(f"{len(small)} small", f"{len(small)} small repositories", _sum(small))]


def _layout(groups: list[list[_Tile]], width: float, height: float) -> list[list[Rectangle]]:
    """The places of all tiles, group by group, in percent."""
    places = []
    for tiles, space in zip(groups, squarify([_sum(tiles) for tiles in groups], width, height), strict=True):
        inside = squarify([tile.bytes for tile in tiles], space.width, space.height)
        places.append([_percent(space, one, width, height) for one in inside])
    return places


def _percent(space: Rectangle, inside: Rectangle, width: float, height: float) -> Rectangle:
    return Rectangle(
        (space.x + inside.x) / width * 100,
        (space.y + inside.y) / height * 100,
        inside.width / width * 100,
        inside.height / height * 100,
    )
