"""`run`: runs a command in the lab's network, with the lab's host names, programs and kubeconfig."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from types import FrameType

from lab import cgroups, interrupts, sandbox
from lab.errors import LabError
from lab.instance import Instance

# The command sees the files of the host, except for the two that resolve host names, which are those of the lab.
NAMES = (
    'mount -n --bind "$1/hosts" /etc/hosts && mount -n --bind "$1/resolv.conf" /etc/resolv.conf && shift && exec "$@"'
)
SIGNALED = 128


def lab_command(instance: Instance, command: Sequence[str]) -> list[str]:
    """The command line that runs `command` in the network of a running lab; raises LabError if it is not running."""
    found = sandbox.find(instance)
    if found is None or not instance.lab_info.exists():
        raise LabError(f"lab {instance.name} is not running: start it with `python -m lab up`, or use `run --up`")
    inside = ["nsenter", f"--net={found.network}", "--", "unshare", "--mount", "--propagation=slave", "--"]
    inside += ["sh", "-c", NAMES, "lab", str(instance.state), *command]
    return sandbox.joined(instance.name, cgroups.GUESTS, inside)


def environment(instance: Instance, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a command that runs in the lab: without proxies, which are unreachable from there."""
    proxies = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    kept = {name: value for name, value in inherited.items() if name.lower() not in proxies}
    return kept | {
        "PATH": f"{instance.programs}:{inherited.get('PATH', '/usr/sbin:/usr/bin:/sbin:/bin')}",
        "KUBECONFIG": str(instance.kubeconfig),
        # All labs have the same address: kubectl must not use the discovery cache of another lab.
        "KUBECACHEDIR": str(instance.state / "kubectl-cache"),
        "CONTAINERD_ADDRESS": str(instance.containerd_socket),
        "CONTAINERD_NAMESPACE": "k8s.io",
        "REGMIRROR_LAB": str(instance.lab_info),
    }


def exec_command(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Replaces this process with `command`, which gets its signals and terminal; raises LabError if it cannot start."""
    try:
        os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 (there is no shell in between)
    except OSError as error:
        raise LabError(f"cannot run {command[0]}: {error.strerror}") from error


def run_and_wait(instance: Instance, command: Sequence[str]) -> int:
    """Runs `command` in the lab as a child and returns its exit code: 128 + N if signal N ended it.

    The terminal sends Ctrl-C to the child as well; SIGTERM and SIGHUP are forwarded to it. The child decides when to
    end, and this process can stop the lab afterwards.
    """
    child = subprocess.Popen(lab_command(instance, command), env=environment(instance))

    def forward(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        pass

    with interrupts.handled_by({signal.SIGTERM: forward, signal.SIGHUP: forward, signal.SIGINT: ignore}):
        code = child.wait()
    return SIGNALED - code if code < 0 else code
