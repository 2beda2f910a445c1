"""`run`: a command in the lab's network, with the lab's names, programs and kubeconfig."""

import os
from collections.abc import Sequence

from lab import enclosure, record
from lab.errors import LabError
from lab.instance import Instance

# The command keeps the host's files, but for the two that resolve names: these it sees as the lab has them.
NAMES = (
    'mount -n --bind "$1/hosts" /etc/hosts && mount -n --bind "$1/resolv.conf" /etc/resolv.conf && shift && exec "$@"'
)


def words(instance: Instance, command: Sequence[str]) -> list[str]:
    """The words that run `command` in the network of a running lab; raises LabError where the lab is not up."""
    found = enclosure.find(instance)
    if found is None or not instance.record.exists():
        raise LabError(
            f"The lab {instance.name} is not up: `python -m lab up` starts it, `run --up` does it by itself."
        )
    entered = ["nsenter", f"--net={found.network}", "--", "unshare", "--mount", "--propagation=slave", "--"]
    return [*entered, "sh", "-c", NAMES, "lab", str(instance.state), *command]


def become(instance: Instance, command: Sequence[str]) -> None:
    """Replaces this process by `command`, so that signals, terminal and exit code are the command's own."""
    replaced = words(instance, command)
    os.execvpe(replaced[0], replaced, record.environment(instance, os.environ))  # noqa: S606
