"""`up`: from nothing to a cluster that runs pods."""

import socket
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
    node,
    progress,
    record,
    services,
    steps,
)
from lab.cluster import Cluster
from lab.instance import Instance
from lab.processes import Processes


def up(instance: Instance) -> None:
    """Builds what is missing and starts everything; raises LabError and leaves only logs when a part fails."""
    programs = build.build(instance.cache)
    down.stop(instance)
    try:
        _start(instance, programs)
    except BaseException:
        down.stop(instance)
        raise


def _start(instance: Instance, programs: dict[str, Path]) -> None:
    progress.say(f"starting the lab {instance.name} in {instance.state}")
    _prepare_directories(instance, programs)
    made = certificates.prepare(instance.state / "certificates")
    secrets = credentials.prepare(instance.state / "credentials.json")
    enclosed = enclosure.create(instance, programs["pause"])
    enclosed.enter_network()
    processes = Processes(enclosed)
    cluster = Cluster(instance, made, secrets, processes)
    cluster.write_kubeconfig()
    every = [*control_plane.steps(cluster), *node.steps(cluster, images.all_images(programs)), *services.steps(cluster)]
    steps.run(every, processes.stopped)
    record.write(cluster)


def _prepare_directories(instance: Instance, programs: dict[str, Path]) -> None:
    for directory in (instance.run, instance.state, instance.logs, instance.programs):
        directory.mkdir(parents=True, exist_ok=True)
    for name, program in programs.items():
        link = instance.programs / name
        link.unlink(missing_ok=True)
        link.symlink_to(program)
    hosts = (
        f"127.0.0.1 localhost {socket.gethostname()}\n::1 localhost\n{addresses.NODE_ADDRESS} {addresses.NODE_NAME}\n"
    )
    (instance.state / "hosts").write_text(hosts)
    (instance.state / "resolv.conf").write_text(f"nameserver {addresses.NODE_ADDRESS}\n")
