"""`up`: from nothing to a cluster that runs pods."""

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
    enclosure,
    images,
    interrupts,
    locks,
    node,
    progress,
    record,
    requirements,
    services,
    steps,
)
from lab.cluster import Cluster
from lab.errors import LabError
from lab.instance import Instance
from lab.processes import Processes


def up(instance: Instance) -> bool:
    """Builds what is missing and starts everything; returns False where the lab was up already.

    Data that `down --keep-data` left is used again. Raises CannotRunHereError where this machine lacks something, and
    LabError when a part fails: then nothing runs any more, and logs and data are still there.
    """
    requirements.check_machine()
    programs = build.build(instance.cache)
    wanted = images.all_images(programs)
    with locks.held(locks.MACHINE, "starts or stops a lab"):
        if record.is_up(instance):
            _refuse_another_auth(instance)
            return False
        down.stop(instance)
        try:
            requirements.check_kernel(instance)
            _start(instance, programs, wanted)
        except BaseException:
            with interrupts.held_off():
                down.stop(instance)
            if instance.logs.exists():
                progress.say(f"  the lab is stopped; its logs are in {instance.logs} until `python -m lab down`")
            raise
    return True


def _refuse_another_auth(instance: Instance) -> None:
    if record.read(instance)["auth_is_stand_in"] != images.auth_is_stand_in():
        wanted = "the stand-in for docker_auth" if images.auth_is_stand_in() else "the program of LAB_DOCKER_AUTH"
        raise LabError(f"The lab {instance.name} is up, but not with {wanted}: stop it first by `python -m lab down`.")


def _start(instance: Instance, programs: dict[str, Path], wanted: Sequence[images.LabImage]) -> None:
    progress.say(f"starting the lab {instance.name} in {instance.state}")
    _prepare_directories(instance, programs)
    made = certificates.prepare(instance.state / "certificates")
    secrets = credentials.prepare(instance.state / "credentials.json")
    enclosed = enclosure.create(instance, programs["pause"])
    cluster = Cluster(instance, made, secrets, Processes(enclosed))
    cluster.write_kubeconfig()
    parts = [control_plane.steps(cluster), node.steps(cluster, wanted), services.steps(cluster)]
    steps.run([step for part in parts for step in part], cluster.processes.stopped, enclosed.enter_network)
    record.write(cluster)


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
