"""Nested documents are compared by path; values are never reported."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.desired.differences import Path, differing_paths


@pytest.mark.parametrize(
    ("wanted", "live", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a",)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a", "c")]),
        ({"a": {"b": 1}}, {}, [("a",)]),
        ({"a": {"b": 1}}, {"a": "text"}, [("a",)]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a",)]),
        ({"a": None}, {}, []),
        ({"a": 1}, {"a": 2, "b": 3}, [("a",), ("b",)]),
        ({}, {"b": None}, [("b",)]),
        ("text", {"a": 1}, [()]),
    ],
)
def test_the_shortest_differing_paths_are_reported(wanted: Any, live: Any, paths: list[Path]) -> None:
    assert list(differing_paths(wanted, live)) == paths
