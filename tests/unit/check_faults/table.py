"""A fault as data, and the changes to a mirror in memory that several faults make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from regmirror.desired import names
from regmirror.errors import RegistryError
from regmirror.ports.cluster import DEPLOYMENT, POD
from regmirror.ports.http import Answer
from tests import samples
from tests.fakes.http import Request
from tests.unit.deployed import REGISTRY, Deployed, deployed

REGISTRY_SECRET = names.registry_secret("docker-hub")
NO_BLOB = f"/v2/library/alpine/blobs/sha256:{'0' * 64}"
InjectFault = Callable[[Deployed], object]


@dataclass(frozen=True)
class Fault:
    """A change to a mirror, the check that must fail for it, and a part of the message."""

    check: str
    message: str
    inject: InjectFault


@dataclass
class FaultTable:
    """The faults of one category; calling it gives the decorator that adds one."""

    faults: list[Fault] = field(default_factory=list)

    def __call__(self, check: str, message: str) -> Callable[[InjectFault], InjectFault]:
        """The function below injects a fault that ``check`` must report with ``message``."""

        def add(inject: InjectFault) -> InjectFault:
            self.faults.append(Fault(check, message, inject))
            return inject

        return add


def edit_registry(mirror: Deployed, change: Callable[[Any], object]) -> None:
    mirror.edit(REGISTRY_SECRET, "config.yml", change)


def edit_auth(mirror: Deployed, change: Callable[[Any], object]) -> None:
    mirror.edit(names.AUTH_SECRET, "auth_config.yml", change)


def edit_token_section(mirror: Deployed, key: str, value: Any) -> None:
    """Another value in the auth.token section of the registry's configuration."""
    edit_registry(mirror, lambda config: config["auth"]["token"].update({key: value}))


def edit_container(mirror: Deployed, name: str, **changes: Any) -> None:
    mirror.change(DEPLOYMENT, name, lambda found: found["spec"]["template"]["spec"]["containers"][0].update(changes))


def set_container_status(mirror: Deployed, **status: Any) -> None:
    statuses = [{"name": "main", "image": "an-image:1", **status}]
    mirror.change(POD, f"{REGISTRY}-0", lambda pod: pod["status"].update(containerStatuses=statuses))


def reconfigure(mirror: Deployed, **changes: Any) -> None:
    """Another configuration file, and the cluster that belongs to it."""
    other = deployed(**changes)
    mirror.mirror, mirror.cluster = other.mirror, other.cluster


def answer(mirror: Deployed, path: str, status: int, body: bytes = b"", **headers: str) -> None:
    """A fixed answer of the mirror to every request for a path."""
    mirror.host.answers[path] = Answer(status, headers, body)


def break_off(mirror: Deployed, digest: str) -> None:
    """The layer cache ends the answers for a blob early."""
    host = mirror.host

    def broken(request: Request) -> Answer:
        if request.path.endswith(f"/blobs/{digest}"):
            raise RegistryError("the answer ended after 1 of 7")
        return host(request)

    mirror.http.hosts[f"https://{samples.HOST}"] = broken


def change_manifest_answers(mirror: Deployed, change: Callable[[Request, Answer], Answer]) -> None:
    """A proxy in front of the mirror that changes answers about manifests."""
    host = mirror.host

    def changed(request: Request) -> Answer:
        found = host(request)
        return change(request, found) if "/manifests/" in request.path else found

    mirror.http.hosts[f"https://{samples.HOST}"] = changed
