"""`status`: what runs, where it is reached, what stands in for something else, and how to go in."""

import json
from typing import Any

from lab import enclosure, processes, record
from lab.instance import Instance

STOPPED, RUNNING, BROKEN = "stopped", "running", "broken"


def collect(instance: Instance) -> dict[str, Any]:
    """The state of a lab as data: "running", "stopped", or "broken" where some of its processes have ended."""
    not_running = BROKEN if enclosure.find(instance) else STOPPED
    state = RUNNING if record.is_up(instance) else not_running
    known = record.read(instance) if state != STOPPED and instance.record.exists() else {}
    return {
        "instance": instance.name,
        "state": state,
        "processes": processes.alive(instance),
        "logs": str(instance.logs),
        **{key: value for key, value in known.items() if key not in ("s3", "hub")},
        **({"s3": known["s3"]["endpoint"], "hub": known["hub"]["url"]} if known else {}),
    }


def as_json(found: dict[str, Any]) -> str:
    """The same for programs."""
    return json.dumps(found, indent=2)


def as_text(found: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"lab {found['instance']}: {found['state']}"]
    if found["state"] == STOPPED:
        return "\n".join([*lines, "`python -m lab up` starts it."])
    ended = [name for name, alive in found["processes"].items() if not alive]
    lines.append(f"processes   {', '.join(found['processes'])}")
    if ended:
        lines.append(f"ended       {', '.join(ended)} (see {found['logs']}; `python -m lab up` starts them again)")
    if "address" in found:
        lines += _details(found)
    return "\n".join(lines)


def _details(found: dict[str, Any]) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return [
        f"versions    {versions}",
        f"address     {found['address']} (no link to this machine's network)",
        f"kubeconfig  {found['kubeconfig']}",
        f"mirror      https://{found['hosts']['mirror']} (for an Ingress of class {found['ingress_class']})",
        f"S3          {found['s3']} (no bucket is there at first)",
        f"Docker Hub  {found['hub']}",
        *(f"stand-in    {what}: {name}" for what, name in found["stand_ins"].items()),
        f"logs        {found['logs']}",
        "go in       python -m lab run -- bash",
    ]
