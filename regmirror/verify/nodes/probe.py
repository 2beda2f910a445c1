"""What a node is asked to pull: images that do not exist, each with an id of its own, and the pod that asks for them.

Three images for each registry that the mirror mirrors. The first proves the whole way. The other two are compared with
it if it did not arrive:

- ``TAG``: a tag that does not exist, in an allowed repository, by the name of the registry.
- ``REPOSITORY``: a repository that does not exist. The registry refuses it instead of answering 404, and then
  containerd reports what went wrong at the mirror, which it asked first (core/remotes/docker/resolver.go, 1.7 to 2.4).
- ``OWN_NAME``: the first image by the name of the mirror itself: whether the node reaches and trusts it at all.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from regmirror.desired import names
from regmirror.ports.cluster import Object

COMPONENT = "node-probe"
RUN_LABEL = "regmirror.dev/run"
LEFTOVER_SELECTOR = f"app.kubernetes.io/name={COMPONENT}"
TAG_PREFIX = "regmirror-probe-"
"""The front of the registry logs requests for tags that begin with it (charts/registry/files/nginx.conf)."""
_NO_SIDECAR = {"sidecar.istio.io/inject": "false"}
_ANNOTATIONS = {"linkerd.io/inject": "disabled", "cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}


class Purpose(StrEnum):
    """What an image shows."""

    TAG = "tag"
    REPOSITORY = "repository"
    OWN_NAME = "own-name"


@dataclass(frozen=True, slots=True)
class Target:
    """A registry that nodes must pull through the mirror, and an allowed repository of it."""

    upstream: str
    registry: str
    """As in image names: docker.io."""
    mirror: str
    """Host of the mirror, with the port unless it is 443."""
    repository: str


@dataclass(frozen=True, slots=True)
class Probe:
    """One image that a node is asked to pull."""

    target: Target
    purpose: Purpose
    id: str

    @property
    def image(self) -> str:
        """The image; its tag has the id."""
        target = self.target
        tag = f"{TAG_PREFIX}{self.id}"
        match self.purpose:
            case Purpose.TAG:
                return f"{target.registry}/{target.repository}:{tag}"
            case Purpose.REPOSITORY:
                parent = target.repository.rpartition("/")[0]
                return "/".join(filter(None, [target.registry, parent, tag])) + f":{tag}"
            case Purpose.OWN_NAME:
                return f"{target.mirror}/{target.repository}:{tag}"


@dataclass(frozen=True, slots=True)
class NodeProbe:
    """The pod that has one node pull all images; its containers are named by the ids."""

    node: str
    pod: str
    probes: Sequence[Probe] = field(default_factory=list)


def new_id() -> str:
    """An id that no other run has, as the front expects it."""
    return secrets.token_hex(8)


def node_probe(node: str, pod: str, targets: Sequence[Target]) -> NodeProbe:
    """The images for one node, first those that suffice if the node uses the mirror."""
    return NodeProbe(node, pod, [Probe(target, purpose, new_id()) for purpose in Purpose for target in targets])


def probe_pod(probe: NodeProbe, run: str, seconds: int, owner: Object | None) -> Object:
    """The manifest of a pod that passes Pod Security ``restricted`` and never starts, because no image of it exists.

    It is bound by affinity, not ``nodeName``: the scheduler counts the pods of the node, and a quota still applies. It
    tolerates every taint, as a DaemonSet of the system does. If this process is killed, Kubernetes ends the pod after
    ``seconds``, and with the ``owner`` removes it with the mirror.
    """
    metadata = {
        "name": probe.pod,
        "labels": names.labels(COMPONENT) | {RUN_LABEL: run} | _NO_SIDECAR,
        "annotations": _ANNOTATIONS,
        **({"ownerReferences": [_owner_reference(owner)]} if owner else {}),
    }
    on_node = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [probe.node]}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": seconds,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "tolerations": [{"operator": "Exists"}],
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [on_node]}}
            },
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [_container(one) for one in probe.probes],
        },
    }


def _owner_reference(owner: Object) -> Object:
    metadata = owner["metadata"]
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"]}


def _container(probe: Probe) -> Object:
    small = {"cpu": "1m", "memory": "8Mi", "ephemeral-storage": "1Mi"}
    return {
        "name": container_name(probe),
        "image": probe.image,
        "imagePullPolicy": "Always",
        "resources": {"requests": small, "limits": small},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }


def container_name(probe: Probe) -> str:
    """The name of the container, by which its status is found."""
    return f"{probe.purpose}-{probe.id}"
