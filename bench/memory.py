"""Memory of the mirror's containers, idle and under load, with their requests and limits."""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.figures import number, table
from bench.mirror import Mirror

PAUSE = 2.0
MEBIBYTE = 1 << 20


@contextmanager
def watched(mirror: Mirror) -> Iterator[dict[str, float]]:
    """The maximum memory of each container during the block, in MiB; complete at its end."""
    most: dict[str, float] = defaultdict(float)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(PAUSE):
            for name, held in now(mirror).items():
                most[name] = max(most[name], held)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def now(mirror: Mirror) -> dict[str, float]:
    """The working set of each container, by name, in MiB."""
    summary = json.loads(mirror.env.kubectl("get", "--raw", "/api/v1/nodes/lab/proxy/stats/summary"))
    return {
        container["name"]: container["memory"]["workingSetBytes"] / MEBIBYTE
        for pod in summary["pods"]
        if pod["podRef"]["namespace"] == mirror.namespace
        for container in pod.get("containers", [])
        if "workingSetBytes" in container.get("memory", {})
    }


def result(mirror: Mirror, idle: dict[str, float], load: dict[str, float]) -> dict[str, Any]:
    """Idle memory, memory under load, request and limit of each container."""
    words = ["-n", mirror.namespace, "get", "deployments", "-o", "json"]
    deployments = json.loads(mirror.env.kubectl(*words))["items"]
    containers = [one for d in deployments for one in d["spec"]["template"]["spec"]["containers"]]
    return {
        "unit": "MiB",
        "containers": {
            one["name"]: {
                "idle": round(idle.get(one["name"], 0.0), 1),
                "load": round(load.get(one["name"], 0.0), 1),
                "request": one["resources"]["requests"]["memory"],
                "limit": one["resources"]["limits"]["memory"],
            }
            for one in containers
        },
    }


def report(found: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (name, number(one["idle"]), number(one["load"]), one["request"], one["limit"])
        for name, one in found["containers"].items()
    ]
    return table(["memory, MiB", "idle", "maximum under load", "request", "limit"], rows)
