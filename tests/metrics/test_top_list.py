"""The repositories that are requested most: exact for few, bounded for many, and nothing but names of repositories."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metrics.request_counts import RequestCounts
from metrics.table import Pod
from metrics.top_list import TopList

from regmirror.distribution.metrics import parse_metrics
from regmirror.report.ranking import Ranked, merged
from tests.metrics.test_server import running


def test_pulled_and_refused_manifests_are_counted_by_repository() -> None:
    counts = RequestCounts(Pod.REGISTRY)
    counts.count(
        [
            b"tag 200  HIT - 0 12 /library/alpine",
            b"digest 200  MISS - 1 12 /library/alpine",
            b"tag 200  HIT stale 0 12 /library/node",
            b"tag 401  - - 1 12 /evil/miner",
            b"tag 401 challenge HIT - 0 12 /library/challenged",
            b"tag 404  HIT - 0 12 /library/missing",
            b"layer 200 1 - - 0 12 ",
            b"tag 200  HIT - 0 12 /a//b",
            b"tag 200  HIT - 0 12 /..",
            b"tag 200  HIT - 0 12 /-a",
        ]
    )
    assert [(entry.name, entry.count) for entry in counts.top["pulled"].entries()] == [
        ("library/alpine", 2),
        ("library/node", 1),
    ]
    assert [entry.name for entry in counts.top["refused"].entries()] == ["evil/miner"]
    assert counts.lost == 0


@given(st.lists(st.sampled_from([f"r{number}" for number in range(300)]), max_size=2000))
def test_a_count_is_never_too_low_and_says_how_much_it_may_be_too_high(names: list[str]) -> None:
    top = TopList()
    for name in names:
        top.add(name, 1)
    exact = Counter(names)
    for entry in top.entries():
        assert entry.count - entry.uncertain <= exact[entry.name] <= entry.count
    assert len([*top.entries()]) <= 50


def test_names_that_a_client_invents_neither_use_memory_nor_hide_what_is_pulled() -> None:
    top = TopList()
    for number in range(20_000):
        top.add(f"invented/{number}", 1)
        top.add("library/alpine", 1)
    first, *_ = top.entries()
    assert (first.name, first.count, first.uncertain) == ("library/alpine", 20_000, 0)
    assert len(top._entries) == 200


async def _top(directory: Path) -> str:
    async with running(directory) as pods:
        pods.log("tag 200  HIT - 0 12 /library/alpine", "tag 401  - - 1 12 /evil/miner")
        return (await pods.ask("GET /top HTTP/1.1\r\nHost: x\r\n\r\n")).partition("\r\n\r\n")[2]


def test_the_report_reads_the_ranking_of_a_pod(tmp_path: Path) -> None:
    import asyncio

    found = merged([parse_metrics(asyncio.run(_top(tmp_path)))])
    assert (found.pulled, found.refused) == ([Ranked("library/alpine", 1)], [Ranked("evil/miner", 1)])
    assert found.since is not None


@pytest.mark.parametrize(("address", "is_local"), [("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.7", False)])
def test_only_the_pod_itself_may_read_the_names_of_repositories(address: str, is_local: bool) -> None:
    from metrics.server import _is_local

    class Writer:
        def get_extra_info(self, _: str) -> tuple[str, int]:
            return address, 1

    assert _is_local(Writer()) is is_local  # type: ignore[arg-type]
