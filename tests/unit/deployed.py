"""A healthy mirror in memory; a test breaks one thing in it and runs a check."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.serialization import Encoding

from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.desired import names
from regmirror.desired.secrets import secret_manifests
from regmirror.distribution.reference import ImageReference
from regmirror.ports.cluster import SECRET, Kind, Object
from regmirror.verify.check import Outcome
from regmirror.verify.checks import CHECKS
from regmirror.verify.live_mirror import KubectlOptions, LiveMirror
from regmirror.verify.run import run_checks
from regmirror.verify.sample_pull import parse_image
from regmirror.verify.select import select_checks
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.http import FakeHttp
from tests.fakes.object_store import FakeStore
from tests.fakes.redis_server import RedisServer
from tests.fakes.registry_host import RegistryHost
from tests.fakes.registry_pod import RegistryPod

IMAGE = "library/alpine:3"
REGISTRY = names.registry("docker-hub")
UPSTREAM = "https://registry-1.docker.io"


@dataclass
class Deployed:
    """The parts of the mirror; ``upstream`` is Docker Hub."""

    mirror: Mirror
    cluster: FakeCluster
    http: FakeHttp
    host: RegistryHost
    upstream: RegistryHost
    store: FakeStore
    image: str | None = IMAGE
    kubectl_options: KubectlOptions = field(default_factory=KubectlOptions)

    def ask(self, check_id: str) -> Outcome:
        """The outcome of one check of a mirror with one upstream, without the checks that it needs."""
        (outcome,) = self.ask_each(check_id).values()
        return outcome

    def ask_each(self, check_id: str) -> dict[str, Outcome]:
        """The outcomes of one check by upstream, without the checks that it needs."""
        (check,) = [check for check in CHECKS if check.id == check_id]
        results = run_checks([replace(check, needs=())], self.live())
        return {result.upstream: result.outcome for result in results}

    def ask_all(self) -> dict[str, Outcome]:
        """The outcomes of all checks, by id."""
        checks = select_checks(CHECKS, pre_install=False)
        return {result.check.id: result.outcome for result in run_checks(checks, self.live())}

    def live(self) -> LiveMirror:
        """The mirror as the checks see it."""
        image: ImageReference | None = parse_image(self.image) if self.image else None
        return LiveMirror(self.connections(), lambda: samples.NOW, image, self.kubectl_options)

    def connections(self) -> FakeConnections:
        """What a command is connected to."""
        environment = {"S3_ID": "canary-s3-id", "S3_SECRET": "canary-s3-secret"}
        resolver = SecretResolver(environment, Path(), lambda _name, _key: None)
        return FakeConnections(self.mirror, self.cluster, http=self.http, store=self.store, resolver=resolver)

    def change(self, kind: Kind, name: str, change: Callable[[Object], object]) -> None:
        """Change an object in the cluster, as kubectl edit does."""
        found = self.cluster.get(kind, name)
        assert found is not None
        change(found)
        self.cluster.put(found)

    def edit(self, secret: str, key: str, change: Callable[[Any], object]) -> None:
        """Change a configuration file in its Secret, as kubectl edit does."""
        content = yaml.safe_load(self._data(secret)[key])
        change(content)
        self.replace(secret, **{key: yaml.safe_dump(content).encode()})

    def replace(self, secret: str, **data: bytes) -> None:
        """Put other values in a Secret."""
        encoded = {key: base64.b64encode(value).decode() for key, value in (self._data(secret) | data).items()}
        self.cluster.put(self._secret(secret) | {"data": encoded})

    def _data(self, secret: str) -> dict[str, bytes]:
        return {key: base64.b64decode(value) for key, value in self._secret(secret)["data"].items()}

    def _secret(self, name: str) -> Object:
        found = self.cluster.get(SECRET, name)
        assert found is not None
        return found


def deployed(**changes: Any) -> Deployed:
    """A healthy mirror of Docker Hub with one image that clients may pull."""
    mirror, mirror_secrets = samples.mirror(**changes), samples.mirror_secrets()
    images = {names.REDIS: mirror.redis.image, names.AUTH: mirror.auth.image, REGISTRY: mirror.registry.image}
    cluster = FakeCluster([*secret_manifests(mirror, mirror_secrets), samples.tls_secret(), _ingress(mirror)])
    for name, image in images.items():
        for found in (_deployment(name, image), _endpoints(name), _pod(f"{name}-0", name)):
            cluster.put(found)
    password = mirror_secrets.redis_password.get_secret_value()
    cluster.listeners[f"{names.REDIS}-0", names.REDIS_PORT] = RedisServer(password)
    host, upstream = RegistryHost(allowed={"library/alpine"}), RegistryHost("registry-1.docker.io")
    RegistryPod().listen(cluster, f"{REGISTRY}-0")
    upstream.users = {"canary-hub-name"}
    upstream.allowed = {"library/alpine", "ratelimitpreview/test"}
    for one in (host, upstream):
        one.add_image("library/alpine", "3", [b"layer" * 500, b"another"], platforms=("arm64", "amd64"))
    upstream.add_image("ratelimitpreview/test", "latest", [b"preview"])
    http = FakeHttp({f"https://{samples.HOST}": host, UPSTREAM: upstream})
    http.certificates[samples.HOST] = samples.public_certificate().public_bytes(Encoding.DER)
    return Deployed(mirror, cluster, http, host, upstream, FakeStore())


def _deployment(name: str, image: str) -> Object:
    container = {"name": "main", "image": image, "args": ["--v=2"] if name == names.AUTH else []}
    front = {"name": names.FRONT_CONTAINER, "image": samples.mirror().front.image}
    fetcher = {"name": names.FETCHER_CONTAINER, "image": samples.mirror().fetcher.image}
    others = {names.REDIS: [], REGISTRY: [front, fetcher]}.get(name, [front])
    containers = [container, *others]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "annotations": {"meta.helm.sh/release-name": name}},
        "spec": {"replicas": 1, "template": {"spec": {"containers": containers}}},
    }


def _endpoints(service: str) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}},
        "endpoints": [{"conditions": {"ready": True}}],
    }


def _pod(name: str, instance: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": instance}},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def _ingress(mirror: Mirror) -> Object:
    backends = {"/auth": names.AUTH, "/v2": names.registry(mirror.upstreams[0].name)}
    paths = [{"path": path, "backend": {"service": {"name": service}}} for path, service in backends.items()]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "public", "labels": {"app.kubernetes.io/instance": names.INGRESS}},
        "spec": {"rules": [{"host": mirror.host, "http": {"paths": paths}}]},
    }
