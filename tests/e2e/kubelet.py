"""Restarts the lab's kubelet with further options: `python -m tests.e2e.kubelet [OPTION]...`.

A process of its own, because the kubelet outlives the one that starts it. Pods keep running.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import urllib3

from lab import addresses, node, sandbox
from lab.instance import Instance
from lab.processes import Processes
from tests.e2e.deployed_mirror import Object
from tests.e2e.waiting import wait_until

HEALTH = "http://127.0.0.1:10248/healthz"
PROBES = f"/api/v1/nodes/{addresses.NODE_NAME}/proxy/metrics/probes"
PROBED = re.compile(r'pod_uid="([^"]+)",probe_type="Readiness",result="successful"')
ROOT = Path(__file__).parents[2]


def restart(*options: str) -> None:
    """Restart the kubelet of the lab in whose network this process runs; returns when all pods are ready again."""
    subprocess.run([sys.executable, "-m", "tests.e2e.kubelet", *options], cwd=ROOT, check=True)
    wait_until(_all_are_ready)


def _all_are_ready() -> bool:
    """A pod counts if the new kubelet has found it ready: before its first probe, the status is that of the old one."""
    running = ["pods", "--all-namespaces", "--field-selector=status.phase=Running", "-o", "json"]
    pods = json.loads(_get(*running))["items"]
    probed = set(PROBED.findall(_get(f"--raw={PROBES}")))
    return all(_is_ready(pod) and (pod["metadata"]["uid"] in probed or not _is_probed(pod)) for pod in pods)


def _get(*words: str) -> str:
    return subprocess.run(["kubectl", "get", *words], check=True, capture_output=True, text=True).stdout


def _is_ready(pod: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", []))


def _is_probed(pod: Object) -> bool:
    return any("readinessProbe" in container for container in pod["spec"]["containers"])


def main(options: list[str]) -> None:
    """Stop the kubelet, and start it as `up` does, with further options."""
    instance = Instance.from_environment()
    found = sandbox.find(instance)
    assert found is not None, "the lab is not running"
    parent = (instance.process_ids / "kubelet").read_text()
    # `nsenter` waits for the kubelet, its only child.
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        os.kill(int(child), signal.SIGTERM)
    wait_until(lambda: not _is_healthy())
    processes = Processes(found)
    node.start_kubelet(processes, *options)
    processes.wait_until("kubelet", _is_healthy)


def _is_healthy() -> bool:
    try:
        return urllib3.request("GET", HEALTH, retries=False, timeout=5).status == 200
    except urllib3.exceptions.HTTPError:
        return False


if __name__ == "__main__":
    main(sys.argv[1:])
