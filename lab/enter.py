"""`run`: a command in the lab's network, with the lab's names, programs and kubeconfig."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from lab import cgroups, enclosure, interrupts
from lab.errors import LabError
from lab.instance import Instance

# The command keeps the host's files, but for the two that resolve names: these it sees as the lab has them.
NAMES = (
    'mount -n --bind "$1/hosts" /etc/hosts && mount -n --bind "$1/resolv.conf" /etc/resolv.conf && shift && exec "$@"'
)
SIGNALLED = 128


def words(instance: Instance, command: Sequence[str]) -> list[str]:
    """The words that run `command` in the network of a running lab; raises LabError where the lab is not up."""
    found = enclosure.find(instance)
    if found is None or not instance.record.exists():
        raise LabError(
            f"The lab {instance.name} is not up: `python -m lab up` starts it, `run --up` does it by itself."
        )
    inside = ["nsenter", f"--net={found.network}", "--", "unshare", "--mount", "--propagation=slave", "--"]
    inside += ["sh", "-c", NAMES, "lab", str(instance.state), *command]
    return enclosure.joined(instance.name, cgroups.VISITORS, inside)


def environment(instance: Instance, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a command that runs in the lab: without proxies, which cannot be reached from there."""
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    kept = {name: value for name, value in inherited.items() if name.lower() not in proxies}
    return kept | {
        "PATH": f"{instance.programs}:{inherited.get('PATH', '/usr/sbin:/usr/bin:/sbin:/bin')}",
        "KUBECONFIG": str(instance.kubeconfig),
        # Every lab has the same address: what one offers must not be remembered of the next.
        "KUBECACHEDIR": str(instance.state / "kubectl-cache"),
        "CONTAINERD_ADDRESS": str(instance.containerd_socket),
        "CONTAINERD_NAMESPACE": "k8s.io",
        "REGMIRROR_LAB": str(instance.record),
    }


def become(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Replaces this process by `command`, so that signals, terminal and exit code are the command's own."""
    try:
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 (there is no shell in between)
    except OSError as error:
        raise LabError(f"Cannot run {command[0]}: {error.strerror}.") from error


def run_to_the_end(instance: Instance, command: Sequence[str]) -> int:
    """Runs `command` in the lab as a child and returns its exit code, 128 + N where signal N ended it.

    A Ctrl-C of the terminal reaches the child by itself; a SIGTERM is passed on to it. Either way the child decides
    when it ends, and this process is there afterwards to take the lab down.
    """
    child = subprocess.Popen(words(instance, command), env=environment(instance))

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    def stay(_number: int, _frame: FrameType | None) -> None:
        pass

    with interrupts.handled_by({signal.SIGTERM: pass_on, signal.SIGHUP: pass_on, signal.SIGINT: stay}):
        code = child.wait()
    return SIGNALLED - code if code < 0 else code
