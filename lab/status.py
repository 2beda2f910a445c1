"""`status`: the processes, versions, addresses and stand-ins of the lab."""

import json
from typing import Any

from lab import lab_info, processes, sandbox
from lab.instance import Instance

STOPPED, RUNNING, BROKEN = "stopped", "running", "broken"


def collect(instance: Instance) -> dict[str, Any]:
    """The state of a lab as data: "running", "stopped", or "broken" if some of its processes have ended."""
    not_running = BROKEN if sandbox.find(instance) else STOPPED
    state = RUNNING if lab_info.is_up(instance) else not_running
    known = lab_info.read(instance) if state != STOPPED and instance.lab_info.exists() else {}
    return {
        "instance": instance.name,
        "state": state,
        "processes": processes.alive(instance),
        "logs": str(instance.logs),
        **{key: value for key, value in known.items() if key not in ("s3", "hub")},
        **({"s3": known["s3"]["endpoint"], "hub": known["hub"]["url"]} if known else {}),
    }


def as_json(found: dict[str, Any]) -> str:
    """The state as JSON."""
    return json.dumps(found, indent=2)


def as_text(found: dict[str, Any]) -> str:
    """The state as text."""
    lines = [f"lab {found['instance']}: {found['state']}"]
    if found["state"] == STOPPED:
        return "\n".join([*lines, "start it with: python -m lab up"])
    ended = [name for name, alive in found["processes"].items() if not alive]
    lines.append(f"processes   {', '.join(found['processes'])}")
    if ended:
        lines.append(f"ended       {', '.join(ended)} (logs: {found['logs']}; restart with: python -m lab up)")
    if "address" in found:
        lines += _details(found)
    return "\n".join(lines)


def _details(found: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return [
        f"versions    {versions}",
        f"address     {found['address']} (reachable only from the lab's network)",
        f"kubeconfig  {found['kubeconfig']}",
        f"mirror      https://{found['hosts']['mirror']} (with an Ingress of class {found['ingress_class']})",
        f"S3          {found['s3']} (without buckets at first)",
        f"Docker Hub  {found['hub']}",
        *(f"stand-in    for {what}: {name}" for what, name in found["stand_ins"].items()),
        f"logs        {found['logs']}",
        "shell       python -m lab run -- bash",
    ]
