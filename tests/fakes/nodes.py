"""A cluster whose nodes try to pull the images of their pods, each in its own way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from regmirror.desired import names
from regmirror.errors import ClusterError
from regmirror.ports.cluster import Kind, Object
from regmirror.ports.http import Answer
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.http import Request

REGISTRY = names.registry("docker-hub")
_PROBE = re.compile(r"regmirror-probe-([0-9a-f]{16})$")

Runtime = Callable[["Pull"], str]
"""What a runtime does with an image: it may ask the mirror, and returns its error."""


@dataclass(frozen=True)
class Pull:
    """One image that a runtime pulls."""

    image: str
    log: list[str]

    @property
    def is_by_own_name(self) -> bool:
        """Whether the image is named by the mirror's host."""
        return self.image.partition("/")[0].endswith(".example.com")

    @property
    def is_repository(self) -> bool:
        """Whether the repository does not exist, either."""
        return self.image.count("regmirror-probe-") == 2

    def ask_mirror(self, status: int, credentials: str) -> None:
        """A request that arrives at the mirror."""
        match = _PROBE.search(self.image)
        assert match
        self.log.append(line(match[1], status, credentials))


def line(id_: str, status: int = 404, credentials: str = "token") -> str:
    """What the front logs about a request."""
    return json.dumps({"probe": id_, "status": status, "credentials": credentials, "client": "containerd/2.4.2"})


@dataclass
class FakeNodes:
    """The nodes of a cluster; ``runtimes`` has how each of them pulls, None for one that never answers."""

    cluster: FakeCluster
    runtimes: dict[str, Runtime | None]
    refused: dict[str, str] = field(default_factory=dict)
    """By node: why the API server does not create a pod for it."""
    requests: list[str] = field(default_factory=list)
    """What the front of the registry has logged."""
    created: list[Object] = field(default_factory=list)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        for name in self.runtimes:
            self.cluster.put(node(name))

    def __getattr__(self, name: str) -> Any:
        """Everything else is the cluster."""
        return getattr(self.cluster, name)

    def create(self, manifest: Object) -> None:
        """Create a pod, and have the runtime of its node pull its images."""
        (term,) = _affinity(manifest)["nodeSelectorTerms"]
        name = term["matchFields"][0]["values"][0]
        if name in self.refused:
            raise ClusterError(self.refused[name])
        stamp = {"creationTimestamp": samples.NOW.isoformat()}
        secrets = {"imagePullSecrets": [{"name": "hub"}]} if name == "with-pull-secret" else {}
        pod = manifest | {"metadata": manifest["metadata"] | stamp, "spec": manifest["spec"] | secrets}
        runtime = self.runtimes[name]
        statuses = [_status(one, runtime, self.requests) for one in manifest["spec"]["containers"]] if runtime else []
        self.cluster.put(pod | {"status": {"phase": "Pending", "containerStatuses": statuses}})
        self.created.append(manifest)
        self.most_at_once = max(self.most_at_once, len(self.probing))
        lines = ["2026/11/23 [warn] 7#7: a line of nginx", *self.requests]
        self.cluster.logs[f"{REGISTRY}-0/front", False] = "\n".join(lines)

    @property
    def probing(self) -> list[Object]:
        """The pods that exist."""
        return self.cluster.select(Kind("v1", "Pod"), "app.kubernetes.io/name=node-probe")

    def observed(self, host: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
        """The public host, whose front logs what regmirror itself pulls."""

        def answer(request: Request) -> Answer:
            found = host(request)
            if match := _PROBE.search(request.path):
                self.requests.append(line(match[1], found.status))
                self.cluster.logs[f"{REGISTRY}-0/front", False] = "\n".join(self.requests)
            return found

        return answer


def node(name: str, info: Mapping[str, str] = MappingProxyType({}), *, ready: bool = True) -> Object:
    """A Node as its kubelet reports it."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if ready else "Unknown"}],
            "nodeInfo": {"containerRuntimeVersion": "containerd://2.4.2", "kubeletVersion": "v1.37.2", **info},
        },
    }


def _affinity(pod: Object) -> Any:
    return pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]


def _status(container: Object, runtime: Runtime, log: list[str]) -> Object:
    error = runtime(Pull(container["image"], log))
    message = f'failed to pull and unpack image "{container["image"]}": {error}'
    return {"name": container["name"], "state": {"waiting": {"reason": "ErrImagePull", "message": message}}}
