"""What is probed: which registries, with which repositories, and on which nodes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from regmirror.client_config.registries import mirrored_registries
from regmirror.config.access_decision import refusal
from regmirror.config.images import pulled_image
from regmirror.config.model import Mirror, Upstream
from regmirror.distribution.reference import ImageReference
from regmirror.errors import ClusterError, ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import NODE, Cluster, Object
from regmirror.verify.nodes.probe import Target

_WILDCARDS = frozenset("*?")


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster; without the permission to list nodes, only its name is known."""

    name: str
    is_ready: bool = True
    runtime: str = "containerd"
    """As ``client-config`` calls it."""
    version: str = ""
    """The runtime with its version, as the kubelet reports it: ``containerd://2.4.2``."""


def find_targets(mirror: Mirror, renamed: Mapping[str, str], image: ImageReference | None) -> list[Target]:
    """One for each upstream; ``renamed`` is that of ``mirrored_registries``. Raises ConfigurationError."""
    registries = mirrored_registries(mirror, renamed)
    problems = [refusal(upstream, image.repository) for upstream in mirror.upstreams] if image else []
    if image and all(problems):
        raise ConfigurationError(f"--image: {problems[0]}", hint="use an image that a node may pull")
    return [
        Target(upstream.name, registry.name, registry.host, _repository(upstream, image))
        for upstream, registry in zip(mirror.upstreams, registries, strict=True)
    ]


def _repository(upstream: Upstream, image: ImageReference | None) -> str:
    """That of the image to pull if the upstream allows it, else the first that its file names without a wildcard."""
    if image and refusal(upstream, image.repository) is None:
        return image.repository
    if upstream.probe_image:
        return pulled_image(upstream.probe_image)[0]
    for pattern in upstream.anonymous_pull:
        if not _WILDCARDS & set(pattern) and refusal(upstream, pattern) is None:
            return pattern
    raise ConfigurationError(
        f"upstream {upstream.name}: no repository to probe",
        hint="set probeImage of the upstream, or use --image library/alpine:3",
    )


def find_nodes(cluster: Cluster, names: Collection[str]) -> Sequence[Node]:
    """The nodes with these names, or all; in the order of their names.

    Raises PermissionDeniedError if all are wanted and cannot be listed, and ClusterError for an unknown name.
    """
    try:
        found = {node["metadata"]["name"]: _node(node) for node in cluster.select(NODE)}
    except PermissionDeniedError as error:
        if names:
            return [Node(name) for name in dict.fromkeys(names)]
        hint = "name the nodes with --node NAME, or ask an administrator for permission to list nodes"
        raise PermissionDeniedError(error.message, hint=hint) from None
    for name in names:
        if name not in found:
            raise ClusterError(f"the cluster has no node {name}", hint="list the nodes: kubectl get nodes")
    return [found[name] for name in sorted(set(names) or found)]


def _node(node: Object) -> Node:
    conditions = node.get("status", {}).get("conditions") or []
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    info = node.get("status", {}).get("nodeInfo") or {}
    return Node(node["metadata"]["name"], ready, _runtime(info), str(info.get("containerRuntimeVersion", "")))


def _runtime(info: Mapping[str, str]) -> str:
    """The runtime whose files the node has; K3s, RKE2 and Talos run containerd and have files of their own."""
    kubelet, system = info.get("kubeletVersion", ""), info.get("osImage", "")
    for product, is_product in (("k3s", "+k3s" in kubelet), ("rke2", "+rke2" in kubelet), ("talos", "Talos" in system)):
        if is_product:
            return product
    engine = info.get("containerRuntimeVersion", "").partition("://")[0]
    return {"docker": "dockerd"}.get(engine, engine or "containerd")
