"""The container that shows metrics, and what nginx writes for it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from regmirror.distribution.metrics import parse_metrics

from .front import FRONTS, configuration
from .helm import DIRECTORY, Helm
from .manifests import one, pod
from .nginx import free_port
from .test_front import MANIFEST, PULL, Front, run


@pytest.fixture
def registry(helm3: Helm, tmp_path: Path) -> Iterator[Front]:
    with run(configuration(helm3, "registry"), "registry", tmp_path) as running:
        yield running


@pytest.mark.parametrize("chart", FRONTS)
def test_without_metrics_nothing_is_logged_and_no_container_runs(helm: Helm, chart: str) -> None:
    manifests = helm.render(chart, {"metrics": {"enabled": False}})
    spec = one(manifests, "Deployment")["spec"]["template"]["spec"]
    assert "metrics" not in {each["name"] for each in spec["containers"]}
    assert not {"metrics", "requests", "certificate"} & {volume["name"] for volume in spec["volumes"]}
    data = one(manifests, "ConfigMap")["data"]
    assert "requests.log" not in data["nginx.conf"]
    assert not [key for key in data if key.startswith("metrics")]


@pytest.mark.parametrize("chart", FRONTS)
def test_the_service_does_not_lead_to_the_metrics(helm: Helm, chart: str) -> None:
    service = one(helm.render(chart), "Service")
    assert {port["targetPort"] for port in service["spec"]["ports"]} == {"http"}


def test_the_container_gets_the_certificate_without_its_key(helm: Helm) -> None:
    spec = pod(helm, "auth", {"metrics": {"verificationConfigMap": "results"}})["spec"]
    (container,) = [each for each in spec["containers"] if each["name"] == "metrics"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in spec["volumes"] if volume["name"] in mounted}
    secrets = {name: volume["secret"]["items"] for name, volume in volumes.items() if "secret" in volume}
    assert secrets == {"certificate": [{"key": "tls.crt", "path": "tls.crt"}]}
    assert volumes["verification"]["configMap"] == {"name": "results", "optional": True}


@pytest.mark.parametrize("chart", FRONTS)
def test_a_new_version_alone_restarts_no_pod(helm: Helm, chart: str) -> None:
    """The chart's version is in a mounted file, which changes in running pods."""
    manifests = helm.render(chart)
    version = one(manifests, "ConfigMap")["data"]["metrics-version"]
    assert one(manifests, "Deployment")["metadata"]["labels"]["helm.sh/chart"].endswith(version)
    (container,) = [each for each in pod(helm, chart)["spec"]["containers"] if each["name"] == "metrics"]
    assert version not in container["command"]


@pytest.mark.parametrize(
    "values", [{"cache": {"enabled": False}, "layerCache": {"bytes": 0}}, {"metrics": {"enabled": False}}]
)
def test_nginx_accepts_the_configuration_without_caches_or_metrics(
    helm3: Helm, tmp_path: Path, values: dict[str, Any]
) -> None:
    with run(configuration(helm3, "registry", values), "registry", tmp_path) as front:
        assert front.ask("GET", "/v2/", PULL).status == 200


def test_nginx_writes_what_the_program_reads(registry: Front, tmp_path: Path) -> None:
    registry.program.body = b"{}"
    long = "x" * 900
    for path, headers in (
        (MANIFEST, PULL),
        (MANIFEST, PULL),
        (MANIFEST, {}),
        (MANIFEST, {"Authorization": "Bearer bad"}),
        (f"/v2/library/a/manifests/{long}", PULL),
        (f"/v2/library/a/manifests/{long * 3}", PULL),
        ("/v2/?a=/manifests/b", PULL),
        ("/", {}),
        ("/alive", {}),
    ):
        registry.ask("GET", path, headers)
    expected = [
        "tag 200  MISS - 1 2 /library/a",
        "tag 200  HIT - 0 2 /library/a",
        "tag 401 challenge MISS - 1 0 /library/a",
        "tag 401  - - 1 0 /library/a",
        "tag 200  - - 1 2 /library/a",
        "tag 414  - - 0 170 ",
        "version 200  - - 1 2 ",
    ]
    found: list[str] = []
    deadline = time.monotonic() + 20
    while len(found) < len(expected) and time.monotonic() < deadline:
        time.sleep(0.1)
        found = (tmp_path / "requests.log").read_text().splitlines()
    # Each worker of nginx writes its own lines when it has time.
    assert sorted(found) == sorted(expected)


@contextmanager
def scraped(directory: Path) -> Iterator[str]:
    """The URL of the metrics of a running front."""
    (directory / "version").write_text("1.2.3")
    port = free_port()
    command = [sys.executable, "-m", "metrics", "registry", f"--port={port}", f"--version-file={directory / 'version'}"]
    command += [f"--request-log={directory / 'requests.log'}", "--upstream=docker-hub"]
    environment = {**os.environ, "PYTHONPATH": str(DIRECTORY / "registry/files"), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield f"http://127.0.0.1:{port}/metrics"
        finally:
            process.terminate()


def counted(url: str) -> dict[str, float]:
    """The numbers of requests and bytes that are not 0."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            samples = parse_metrics(answer.read().decode())
    except OSError:
        return {}
    ends = {"regmirror_requests_total": [], "regmirror_response_bytes_total": ["bytes"]}
    return {
        " ".join(
            [label for name, label in sample.labels.items() if name != "upstream"] + ends[sample.name]
        ): sample.value
        for sample in samples
        if sample.name in ends and sample.value
    }


def top(url: str) -> str:
    """The ranking of repositories, without the time of its start."""
    try:
        with urllib.request.urlopen(url.replace("/metrics", "/top"), timeout=20) as answer:
            return str(answer.read().decode()).partition("\n")[2]
    except OSError:
        return ""


def test_repositories_are_ranked_and_no_name_breaks_a_line(registry: Front, tmp_path: Path) -> None:
    registry.program.body = b"{}"
    with scraped(tmp_path) as url:
        for _ in range(3):
            registry.ask("GET", "/v2/library/a/manifests/1", PULL)
        registry.ask("GET", "/v2/library/a/manifests/1?x=/v2/evil/b/manifests/2", PULL)
        registry.ask("GET", "/v2/evil/miner/manifests/1", {"Authorization": "Bearer bad"})
        for name in ("a%20b", "a%0A9", "A", "a//b", "..", "a" * 300, "a/%2e%2e/b", "a/manifests/x"):
            registry.ask("GET", f"/v2/{name}/manifests/1", PULL)
        expected = [
            'regmirror_repository_requests{result="pulled",repository="library/a"} 4',
            'regmirror_repository_requests_uncertain{result="pulled",repository="library/a"} 0',
            'regmirror_repository_requests{result="refused",repository="evil/miner"} 1',
            'regmirror_repository_requests_uncertain{result="refused",repository="evil/miner"} 0',
        ]
        found: list[str] = []
        deadline = time.monotonic() + 30
        while set(expected) - set(found) and time.monotonic() < deadline:
            time.sleep(0.2)
            found = top(url).splitlines()
    # What is left is the name of a repository whose last part is "manifests/x", which is a valid name.
    others = [line for line in found if line not in expected]
    assert set(expected) <= set(found)
    assert {line.partition("repository=")[2].partition("}")[0] for line in others} <= {
        '"a/manifests/x"',
        '"a/b"',
        '"b"',
    }


def test_requests_are_counted_exactly(registry: Front, tmp_path: Path) -> None:
    registry.program.body = bytes(1000)
    digest = f"sha256:{hashlib.sha256(bytes(1000)).hexdigest()}"
    layer, manifest = f"/v2/library/a/blobs/{digest}", f"/v2/library/a/manifests/{digest}"
    with scraped(tmp_path) as url:
        for path in (layer, manifest):
            assert [registry.ask("GET", path, PULL).status for _ in range(20)] == [200] * 20
        assert registry.ask("GET", layer, {**PULL, "Range": "bytes=0-9"}).status == 206
        assert registry.ask("HEAD", layer, PULL).status == 200
        assert registry.ask("GET", layer).status == 401
        assert registry.ask("GET", layer, {"Authorization": "Bearer bad"}).status == 401
        registry.program.status = 404
        assert registry.ask("GET", f"{MANIFEST}-absent", PULL).status == 404
        registry.program.status = 429
        assert registry.ask("GET", f"{MANIFEST}-limited", PULL).status == 429
        expected = {
            "layer miss": 1,
            "layer hit": 21,
            "digest": 20,
            "layer challenge": 1,
            "layer refused": 1,
            "tag not_found": 1,
            "tag rate_limited": 1,
            "layer bytes": 20_010,
            "digest bytes": 20_000,
        }
        found: dict[str, float] = {}
        deadline = time.monotonic() + 30
        while found != expected and time.monotonic() < deadline:
            time.sleep(0.2)
            found = counted(url)
            # A worker may answer before another one has put the manifest into the cache.
            found["digest"] = found.pop("digest miss", 0) + found.pop("digest hit", 0)
    assert found == expected
