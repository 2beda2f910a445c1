"""`up`: starts the lab."""

import socket
from collections.abc import Sequence
from pathlib import Path

from lab import (
    addresses,
    build,
    certificates,
    control_plane,
    credentials,
    down,
    images,
    interrupts,
    lab_info,
    locks,
    node,
    progress,
    requirements,
    sandbox,
    services,
    steps,
)
from lab.cluster import Cluster
from lab.errors import LabError
from lab.instance import Instance
from lab.processes import Processes


def up(instance: Instance) -> bool:
    """Builds missing programs and starts the lab; returns False if it was already running.

    Uses the data that `down --keep-data` kept. Raises CannotRunHereError if this machine lacks something, and LabError
    if a part fails: then the lab is stopped, and its logs and data are kept.
    """
    requirements.check_machine()
    programs = build.build(instance.cache)
    wanted = images.all_images(programs)
    with locks.held(locks.MACHINE, "is starting or stopping a lab"):
        if lab_info.is_up(instance):
            _check_auth_program(instance)
            return False
        down.stop(instance)
        try:
            requirements.check_kernel(instance)
            _start(instance, programs, wanted)
        except BaseException:
            with interrupts.ignored():
                down.stop(instance)
            if instance.logs.exists():
                progress.say(f"  stopped the lab; `python -m lab down` removes its logs in {instance.logs}")
            raise
    return True


def _check_auth_program(instance: Instance) -> None:
    if lab_info.read(instance)["auth_is_stand_in"] != images.auth_is_stand_in():
        wanted = "the stand-in for docker_auth" if images.auth_is_stand_in() else "the program of LAB_DOCKER_AUTH"
        raise LabError(
            f"lab {instance.name} is running, but not with {wanted}: stop it first with `python -m lab down`"
        )


def _start(instance: Instance, programs: dict[str, Path], wanted: Sequence[images.LabImage]) -> None:
    progress.say(f"starting lab {instance.name} in {instance.state}")
    _prepare_directories(instance, programs)
    made = certificates.prepare(instance.state / "certificates")
    secrets = credentials.prepare(instance.state / "credentials.json")
    created = sandbox.create(instance, programs["pause"])
    cluster = Cluster(instance, made, secrets, Processes(created))
    cluster.write_kubeconfig()
    parts = [control_plane.steps(cluster), node.steps(cluster, wanted), services.steps(cluster)]
    steps.run([step for part in parts for step in part], cluster.processes.stopped, created.enter_network)
    lab_info.write(cluster)


def _prepare_directories(instance: Instance, programs: dict[str, Path]) -> None:
    for directory in (instance.process_ids, instance.logs, instance.programs):
        directory.mkdir(parents=True, exist_ok=True)
    for name, program in (programs | {"helm": programs["helm4"]}).items():
        link = instance.programs / name
        link.unlink(missing_ok=True)
        link.symlink_to(program)
    hosts = (
        f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost\n{addresses.NODE_ADDRESS} {addresses.NODE_NAME}\n"
    )
    (instance.state / "hosts").write_text(hosts)
    (instance.state / "resolv.conf").write_text(f"nameserver {addresses.NODE_ADDRESS}\n")
