"""Each goal is judged by the figures of its measurement, in the form in which the measurement writes them."""

from typing import Any

import pytest

from bench import plain
from bench.figures import spread
from bench.goals import GOALS, goals_table
from bench.results import MEASUREMENTS
from bench.sides import POD, PUBLIC

HERD = {"layers": 1.0, "seconds": 40.0, "first byte": 0.5, "cached": 38.0, "new / cached": 1.05}
SIDES = (PUBLIC, POD, "drayage", "bare")


def sides(**figures: float) -> dict[str, Any]:
    return {side: {name.replace("_", " "): spread([value]) for name, value in figures.items()} for side in SIDES}


def herd(**changes: float) -> dict[str, Any]:
    figures = sides(**{name.replace(" ", "_"): value for name, value in (HERD | changes).items()})
    figures["drayage"]["seconds"] = spread([51.0])
    return {"herds": {"8": sides(layers=8.0), "100": figures}}


def missing(seconds: float) -> dict[str, Any]:
    case = {side: {"seconds": spread([seconds]), "statuses": {"404": 32}} for side in SIDES}
    return {"goal": 0.5, "clients": 32, "cases": {"no such tag": case}}


def warm_layer(cpu: float, speed: float) -> dict[str, Any]:
    ours = {
        "MB/s": spread([speed]),
        "CPU s/GB": spread([cpu]),
        "CPU s/GB by container": {"registry": cpu, "nginx": 0.1},
    }
    found = dict.fromkeys([*SIDES, plain.NAME], ours) | {"bare": ours | {"MB/s": spread([500.0])}}
    return {"clients": dict.fromkeys(("1", "8"), found)}


def manifests(drayage: float, ingress: float | None) -> dict[str, Any]:
    rates: dict[str, Any] = dict.fromkeys(SIDES, spread([1000.0])) | {"drayage": spread([drayage])}
    rates["bare, Ingress"] = spread([ingress]) if ingress else None
    return {"clients": 8, "kinds": {"manifest by tag": rates}}


def memory(restarts: int, *, served: bool, used: float = 3.0) -> dict[str, Any]:
    one = {"idle": 1.0, "many clients": 2.0, "slow readers": used, "limit": "64Mi", "restarts": restarts}
    return {"clients": 64, "slow clients": 100, "slow clients are served": served, "containers": {"registry": one}}


def new_tag(requests: int) -> dict[str, Any]:
    keys = {"manifest GET": requests, "manifest HEAD": 1, "token": 1, "seconds": 0.1}
    return {"clients": 200, "sides": {side: {key: spread([value]) for key, value in keys.items()} for side in SIDES}}


def shared_base(sent: float) -> dict[str, Any]:
    return {"images": 20, "unique": 50.0, "sides": dict.fromkeys(SIDES, sent)}


def with_metrics(ratio: float) -> dict[str, Any]:
    sides = {
        side: {"rate": spread([rate]), "CPU ms per request": cost}
        for side, rate, cost in (("with metrics", 990.0, 0.1), ("without", 1000.0, 0.1 * ratio))
    }
    compared = {"compared": sides | {"ratio": ratio}, "another without": {"ratio": 1.0}}
    return {"goal": 0.98, "clients": 8, "rounds": 1, "kinds": {"manifest by tag": compared}}


@pytest.mark.parametrize(
    ("measurement", "result", "met"),
    [
        ("herd", herd(), [True, True, True, True]),
        ("herd", herd(layers=100.0, seconds=207.0), [False, False, True, True]),
        ("herd", herd(**{"first byte": 1.4, "new / cached": 1.2}), [True, True, False, False]),
        ("new-tag", new_tag(1), [True]),
        ("new-tag", new_tag(2), [False]),
        ("missing", missing(0.4), [True]),
        ("missing", missing(3.5), [False]),
        ("warm-layer", warm_layer(0.3, 500.0), [True, True]),
        ("warm-layer", warm_layer(1.3, 400.0), [False, False]),
        ("manifests", manifests(2000.0, 900.0), [True, True]),
        ("manifests", manifests(2100.0, 1100.0), [False, False]),
        ("manifests", manifests(2000.0, None), [True, True]),
        ("shared-base", shared_base(50.1), [True]),
        ("shared-base", shared_base(240.0), [False]),
        ("memory", memory(0, served=True), [True]),
        ("memory", memory(0, served=True, used=64.0), [False]),
        ("metrics", with_metrics(0.985), [True]),
        ("metrics", with_metrics(0.97), [False]),
        ("memory", memory(1, served=True), [False]),
        ("memory", memory(0, served=False), [False]),
    ],
)
def test_a_goal_is_met_or_not(measurement: str, result: dict[str, Any], met: list[bool]) -> None:
    judged = [goal.judge(result).met for goal in GOALS if goal.measurement == measurement]
    assert judged == met


@pytest.mark.parametrize(
    ("measurement", "result", "row"),
    [
        ("new-tag", new_tag(1), "| drayage | 1 | 1 | 1 | 0.1 (0.1–0.1) |"),
        ("missing", missing(0.4), "| no such tag | 0.4 (0.4–0.4): 404 | 0.4 (0.4–0.4): 404 |"),
        ("warm-layer", warm_layer(0.3, 500.0), f"| {POD}, 8 clients | registry 0.3, nginx 0.1 |"),
        ("manifests", manifests(2000.0, None), "| bare, Ingress | error |"),
        ("shared-base", shared_base(50.1), "| drayage | 50.1 |"),
        (
            "metrics",
            with_metrics(0.99),
            "| manifest by tag, requests/s | 990 (990–990) | 1,000 (1,000–1,000) | 0.1 / 0.099 | 0.99 | 1 |",
        ),
        ("memory", memory(0, served=False), "| memory, MiB | idle | 64 clients | 100 slow readers (failed) | limit |"),
    ],
)
def test_a_table_shows_the_figures(measurement: str, result: dict[str, Any], row: str) -> None:
    assert row in MEASUREMENTS[measurement].report(result)


def test_every_goal_is_of_a_measurement() -> None:
    assert {goal.measurement for goal in GOALS} <= set(MEASUREMENTS)


def test_a_goal_without_figures_is_not_listed() -> None:
    assert goals_table({}) == "| goal | result | met |\n| --- | ---: | ---: |\n"
