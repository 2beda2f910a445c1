"""What the registry's front logs about the pulls of ``regmirror verify --nodes``, and nothing about all others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .front import configuration
from .helm import Helm
from .test_front import MANIFEST, PULL, Front, Program, run

PROBE = "/v2/library/a/manifests/regmirror-probe-0123456789abcdef"


@dataclass(frozen=True)
class LoggingFront:
    """A running front and the file that replaces its standard output."""

    front: Front
    log: Path

    def lines(self, count: int) -> list[dict[str, Any]]:
        """The logged requests, as soon as there are ``count``; each worker logs after its answer, so in any order."""
        ends = time.monotonic() + 20
        while len(found := self.log.read_text().splitlines()) < count:
            assert time.monotonic() < ends, found
            time.sleep(0.01)
        return [json.loads(line) for line in found]


@contextmanager
def logging(helm: Helm, directory: Path, **values: Any) -> Iterator[LoggingFront]:
    log = directory / "stdout"
    text = configuration(helm, "registry", values).replace("/dev/stdout", str(log))
    with run(text, "registry", directory, Program(status=404)) as front:
        yield LoggingFront(front, log)


@pytest.mark.parametrize("cached", [True, False])
def test_each_request_for_a_probe_is_a_line(helm3: Helm, tmp_path: Path, *, cached: bool) -> None:
    with logging(helm3, tmp_path, cache={"enabled": cached}) as logged:
        containerd = {"User-Agent": "containerd/2.4.2"}
        for method, headers in (("HEAD", {}), ("HEAD", PULL), ("GET", {"Authorization": "Basic bWU6bWU="})):
            logged.front.ask(method, f"{PROBE}?ns=docker.io", headers | containerd)
        found = logged.lines(3)
    assert {(line["probe"], line["client"]) for line in found} == {("0123456789abcdef", "containerd/2.4.2")}
    answers = {(line["status"], line["credentials"]) for line in found}
    assert answers == {(401, "none"), (404, "token"), (401, "login")}


def test_no_other_request_is_logged(helm3: Helm, tmp_path: Path) -> None:
    others = (MANIFEST, f"{PROBE}0", PROBE[:-1], PROBE.upper(), "/v2/library/a/manifests/regmirror-probe-", "/v2/")
    with logging(helm3, tmp_path) as logged:
        for path in (*others, PROBE):
            logged.front.ask("GET", path, PULL)
        assert len(logged.lines(1)) == 1


def test_a_client_cannot_write_into_the_log(helm3: Helm, tmp_path: Path) -> None:
    with logging(helm3, tmp_path) as logged:
        for agent in ('","status":200,"x":"', "a" * 1000, "", "containerd/2.4.2 \u00e9"):
            logged.front.ask("HEAD", PROBE, {"User-Agent": agent.encode("latin-1").decode("latin-1")})
        clients = [line["client"] for line in logged.lines(4)]
    assert sorted(clients) == ["", "", "a" * 40, "containerd/2.4.2"]


def test_a_flood_of_probes_is_refused_and_other_pulls_are_not(helm3: Helm, tmp_path: Path) -> None:
    began = time.monotonic()
    with logging(helm3, tmp_path) as logged, ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(lambda _: logged.front.ask("HEAD", PROBE).status, range(3000)))
        assert logged.front.ask("HEAD", MANIFEST, PULL).status == 404
        served = asked.count(401)
        assert served == len(asked) - asked.count(429)
        assert served <= 1000 + 100 * (time.monotonic() - began) + 1
        assert len(logged.lines(served)) == served
