"""A real Prometheus on the lab's node for the duration of a test, which scrapes a mirror and evaluates its alerts.

That of Debian has no discovery in Kubernetes: tests/e2e/pod_discovery.py takes its place, with the labels that it sets.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from lab import http
from tests.charts.nginx import free_port
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.pod_discovery import discovered
from tests.e2e.waiting import wait_until

PODS = "pods.json"
"""The file with the pods, next to the configuration."""
HASTE = 40
"""How many times shorter the windows of the rules are here than in reality."""
_DURATION = re.compile(r"\b(\d+)([smhd])\b(?=\]|$| offset|\))")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Prometheus:
    """The server, by its address."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query: ``metric`` and ``value`` of each sample. The test fails if it is invalid."""
        found: list[dict[str, Any]] = self._get("query", query=expression)["result"]
        return found

    def targets(self) -> dict[str, str]:
        """The health of each scraped pod: up, down or unknown, by its name."""
        active = self._get("targets", state="active")["activeTargets"]
        return {target["labels"]["pod"]: target["health"] for target in active}

    def rules(self) -> dict[str, dict[str, Any]]:
        """The alerts by name, with ``health``, ``state``, and the ``alerts`` that are pending or firing."""
        groups = self._get("rules")["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def firing(self) -> set[str]:
        """The names of the alerts that are firing."""
        return {name for name, rule in self.rules().items() if rule["state"] == "firing"}

    def _get(self, path: str, **fields: str) -> Any:
        answer = urllib3.request("GET", f"{self.url}/api/v1/{path}", fields=fields)
        assert answer.status == 200, answer.data
        return answer.json()["data"]


def in_haste(rules: dict[str, Any]) -> dict[str, Any]:
    """The rules with shorter windows, without the time for which a fault must last."""
    return {
        "groups": [
            {**group, "rules": [{**rule, "expr": _hasty(rule["expr"]), "for": "1s"} for rule in group["rules"]]}
            for group in rules["groups"]
        ]
    }


def _hasty(expression: str) -> str:
    return _DURATION.sub(lambda found: f"{int(found[1]) * _SECONDS[found[2]] // HASTE}s", expression)


@contextmanager
def running(mirror: DeployedMirror, directory: Path, rules: dict[str, Any]) -> Iterator[Prometheus]:
    """Run it with the scrape configuration and these rules; it scrapes every second."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("there is no Prometheus here: the lab downloads it with apt-get")
    (directory / "rules.yaml").write_text(yaml.safe_dump(rules))
    (directory / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(mirror)))
    address = f"127.0.0.1:{free_port()}"
    options = {"config.file": "prometheus.yaml", "storage.tsdb.path": "data", "web.listen-address": address}
    command = [program, "--log.level=warn", *(f"--{name}={value}" for name, value in options.items())]
    with (
        discovered(mirror, directory / PODS),
        (directory / "log").open("wb") as log,
        subprocess.Popen(command, cwd=directory, stdout=log, stderr=log) as process,
    ):
        try:
            wait_until(lambda: process.poll() is not None or http.answers(f"http://{address}/-/ready"))
            assert process.poll() is None, (directory / "log").read_text()
            yield Prometheus(f"http://{address}")
        finally:
            process.terminate()


def _configuration(mirror: DeployedMirror) -> dict[str, Any]:
    """That of ``regmirror monitoring scrape-config``, with the pods from a file instead of from Kubernetes."""
    printed = mirror.regmirror("monitoring", "scrape-config")
    assert printed.code == 0, printed.stderr
    (job,) = yaml.safe_load(printed.stdout)["scrape_configs"]
    (discovery,) = job.pop("kubernetes_sd_configs")
    assert discovery == {"role": "pod", "namespaces": {"names": [mirror.namespace]}}
    job["file_sd_configs"] = [{"files": [PODS], "refresh_interval": "1s"}]
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [job],
    }
