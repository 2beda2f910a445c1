"""A mirror that can be deployed in memory, repeatedly."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.report import DeployReport, DiffReport
from regmirror.deploy.resolve_secrets import read_secret
from regmirror.deploy.run import deploy_mirror
from regmirror.deploy.steps import DeployOptions
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.helm import FakeHelm
from tests.fakes.http import FakeHttp
from tests.fakes.object_store import FakeStore
from tests.fakes.progress import RecordedProgress
from tests.fakes.registry_host import RegistryHost
from tests.fakes.time import FakeTime

TRAEFIK = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "traefik"},
    "spec": {"controller": "traefik.io/ingress-controller"},
}
CANARIES = {"S3_ID": "canary-s3-id", "S3_SECRET": "canary-s3-secret", "NAME": "canary-name", "TOKEN": "canary-token"}
EVERYTHING = ["regmirror-redis", "regmirror-auth", "regmirror-docker-hub", "regmirror-ingress"]


def configured(**changes: Any) -> Mirror:
    account = {"username": {"env": "NAME"}, "password": {"env": "TOKEN"}}
    key = {"id": {"env": "S3_ID"}, "secret": {"env": "S3_SECRET"}}
    known: dict[str, Any] = {
        "auth": {"keySize": 2048},
        "storage": {**samples.MINIMAL["storage"], "accessKey": key},
        "upstreams": [{**samples.MINIMAL["upstreams"][0], "credentials": account}],
        "ingress": {"className": "traefik", "tlsSecret": None},
    }
    return samples.mirror(**{**known, **changes})


@dataclass
class Place:
    """What a mirror is deployed to."""

    cluster: FakeCluster = field(default_factory=lambda: FakeCluster([TRAEFIK], exists=False))
    store: FakeStore = field(default_factory=FakeStore)
    progress: RecordedProgress = field(default_factory=RecordedProgress)
    environ: dict[str, str] = field(default_factory=lambda: dict(CANARIES))
    helm: FakeHelm = field(init=False)
    connections: FakeConnections = field(init=False)

    def __post_init__(self) -> None:
        self.helm = FakeHelm(self.cluster)
        http = FakeHttp(
            {"https://mirror.example.com": RegistryHost(), "https://quay.example.com": RegistryHost("quay.example.com")}
        )
        resolver = SecretResolver(self.environ, Path(), lambda name, key: read_secret(self.cluster, name, key))
        self.connections = FakeConnections(configured(), self.cluster, self.helm, http, resolver, self.store)

    def connected(self, mirror: Mirror | None = None, **others: Any) -> FakeConnections:
        """The connections of a command, with another configuration and other parts if given."""
        return replace(self.connections, mirror=mirror or configured(), **others)

    def deploy(self, mirror: Mirror | None = None, *, http: Any = None, **options: Any) -> DeployReport:
        connections = self.connected(mirror, **({"http": http} if http else {}))
        limit, clock = timedelta(seconds=10), FakeTime().clock()
        return asyncio.run(deploy_mirror(connections, self.progress, limit, DeployOptions(**options), clock))


def changed(report: DeployReport | DiffReport) -> list[str]:
    """The names of the steps that changed something, or would."""
    return [step.name for step in report.steps if step.changed]
