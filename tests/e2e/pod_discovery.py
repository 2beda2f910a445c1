"""Finds pods as Prometheus does in Kubernetes, for a Prometheus without that discovery.

Source: Prometheus, Configuration, ``kubernetes_sd_config``, role ``pod``: a target for each port of each container.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.deployed_mirror import DeployedMirror, Object

_META = "__meta_kubernetes_"
_SECONDS = 1.0


@contextmanager
def discovered(mirror: DeployedMirror, file: Path) -> Iterator[None]:
    """Keep a file for ``file_sd_configs`` up to date with the pods of the mirror for the duration of the block."""
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(_SECONDS):
            _write(mirror, file)

    _write(mirror, file)
    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _write(mirror: DeployedMirror, file: Path) -> None:
    """Prometheus reads a complete file only."""
    targets = [target for pod in mirror.objects("pods") for target in _targets(pod)]
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(targets))
    unfinished.rename(file)


def _targets(pod: Object) -> Iterator[dict[str, Any]]:
    metadata, status = pod["metadata"], pod["status"]
    labels = {
        f"{_META}pod_label_{re.sub(r'[^a-zA-Z0-9_]', '_', name)}": value
        for name, value in (metadata.get("labels") or {}).items()
    }
    labels |= {f"{_META}namespace": metadata["namespace"], f"{_META}pod_name": metadata["name"]}
    labels |= {f"{_META}pod_phase": status["phase"]}
    for container in pod["spec"]["containers"] if "podIP" in status else []:
        for port in container.get("ports", []):
            own = {f"{_META}pod_container_name": container["name"]}
            own |= {f"{_META}pod_container_port_name": port.get("name", "")}
            yield {"targets": [f"{status['podIP']}:{port['containerPort']}"], "labels": labels | own}
