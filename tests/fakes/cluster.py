"""One namespace of a Kubernetes cluster in memory."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from socket import socket, socketpair
from typing import Any
from uuid import uuid4

from regmirror.desired.applied_by import HELM_RELEASE
from regmirror.desired.names import FIELD_MANAGER
from regmirror.errors import ClusterError, ConflictError, PermissionDeniedError
from regmirror.ports.cluster import (
    CLUSTER_ISSUER,
    DEPLOYMENT,
    EVENT,
    INGRESS_CLASS,
    NAMESPACE,
    POD,
    SECURITY_CONTEXT_CONSTRAINTS,
    Applied,
    Kind,
    Object,
    Right,
)

Path = tuple[str, ...]
_STAMPS = {"resourceVersion", "generation", "uid"}
_CLUSTER_WIDE = {NAMESPACE, INGRESS_CLASS, CLUSTER_ISSUER}


class FakeCluster:
    """Stores objects as an API server does; a Deployment rolls out immediately, unless ``rollouts`` says otherwise.

    An apply changes the fields of its manifest, removes those that the same field manager applied before, and keeps
    those of others. Lists are one value. ``managedFields`` is not written.
    """

    context = "fake"

    def __init__(self, objects: Iterable[Object] = (), *, namespace: str = "regmirror", exists: bool = True) -> None:
        self.namespace = namespace
        self.server_version = (1, 37)
        self.denied: set[Right] = set()
        self.hidden: set[Kind] = set()
        """Kinds that the user may not read."""
        self.unknown_kinds = {SECURITY_CONTEXT_CONSTRAINTS}
        self.refused: dict[Kind, str] = {}
        """By kind: why the API server would not create objects of it."""
        self.silent_apis: list[str] = []
        """Aggregated APIs that do not answer."""
        self.logs: dict[tuple[str, bool], str] = {}
        """By pod or POD/CONTAINER, and whether of its previous run."""
        self.rollouts: dict[str, list[dict[str, Any]]] = {}
        """By Deployment: the statuses that one look after the other finds; the last one stays."""
        self.listeners: dict[tuple[str, int], Callable[[socket], None]] = {}
        """By pod and port: what serves a connection there."""
        self.elsewhere: list[Object] = []
        """Objects of other namespaces."""
        self._versions = count(1)
        self._objects: dict[tuple[Kind, str], Object] = {}
        self._applied: dict[tuple[Kind, str], dict[str, dict[Path, Any]]] = {}
        """By object and field manager: the fields that it applied, with their values."""
        self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}})
        if exists:
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        for found in objects:
            self.put(found)

    def put(self, found: Object) -> None:
        """Store an object as it is, status included, as someone who does not apply would."""
        self._objects[_key(found)] = self._stamped(copy.deepcopy(found), {})

    def version(self) -> tuple[int, int]:
        return self.server_version

    def may(self, right: Right) -> bool:
        # Who may not do it with any object may not do it with this one.
        return not {right, right._replace(name="")} & self.denied

    def serves(self, kind: Kind) -> bool:
        return kind not in self.unknown_kinds

    def get(self, kind: Kind, name: str) -> Object | None:
        self._check_visible(kind)
        found = self._objects.get((kind, name))
        if found is None:
            return None
        if kind == DEPLOYMENT:
            found["status"] = self._status(found)
        return copy.deepcopy(found)

    def select(
        self, kind: Kind, selector: str = "", field_selector: str = "", *, everywhere: bool = False
    ) -> list[Object]:
        self._check_visible(kind)
        labels = dict(term.split("=", 1) for term in selector.split(",") if term)
        fields = dict(term.split("=", 1) for term in field_selector.split(",") if term)
        return [
            copy.deepcopy(found)
            for found in [*self._objects.values(), *(self.elsewhere if everywhere else ())]
            if _key(found)[0] == kind
            and labels.items() <= (found["metadata"].get("labels") or {}).items()
            and all(_field(found, path) == value for path, value in fields.items())
        ]

    def contents(self) -> list[Object]:
        for kind in sorted(self.hidden - _CLUSTER_WIDE):
            self._check_visible(kind)
        if self.silent_apis:
            raise ClusterError(f"the API {self.silent_apis[0]} does not answer")
        return [
            {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": copy.deepcopy(found["metadata"])}
            for (kind, _), found in self._objects.items()
            if kind not in _CLUSTER_WIDE and kind != EVENT
        ]

    def apply(self, manifest: Object) -> Applied:
        return self.apply_as(FIELD_MANAGER, manifest)

    def apply_as(self, manager: str, manifest: Object) -> Applied:
        """Apply as a field manager, which takes the fields of the manifest from all others."""
        kind, name = _key(manifest)
        if kind not in _CLUSTER_WIDE and (NAMESPACE, self.namespace) not in self._objects:
            raise ClusterError(f'cannot apply {kind.kind} {name}: namespaces "{self.namespace}" not found')
        before = self._objects.get((kind, name))
        self._check_version(before, manifest["metadata"].get("resourceVersion"))
        after = self._merged(manager, manifest)
        fields = dict(_leaves(_without_version(manifest), ()))
        owners = self._applied.setdefault((kind, name), {})
        for other in owners:
            owners[other] = {path: value for path, value in owners[other].items() if path not in fields}
        owners[manager] = fields
        if before is None:
            self._objects[kind, name] = self._stamped(after, {})
            return Applied.CREATED
        if _without_stamp(before) == _without_stamp(after):
            return Applied.UNCHANGED
        self._objects[kind, name] = self._stamped(after, before)
        return Applied.CHANGED

    def apply_as_release(self, release: str, manifest: Object) -> Applied:
        """Apply as Helm does: the object gets Helm's annotation, which is in no manifest."""
        outcome = self.apply(manifest)
        metadata = self._objects[_key(manifest)]["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), HELM_RELEASE: release}
        return outcome

    def create(self, manifest: Object) -> None:
        kind, name = _key(manifest)
        if (kind, name) in self._objects:
            raise ConflictError(f"cannot create {kind.kind} {name}: it exists already")
        self.apply(manifest)

    def try_create(self, manifest: Object) -> None:
        if reason := self.refused.get(_key(manifest)[0]):
            raise ClusterError(reason)

    def replace(self, found: Object) -> None:
        before = self._objects.get(_key(found))
        self._check_version(before, found["metadata"]["resourceVersion"])
        self._objects[_key(found)] = self._stamped(copy.deepcopy(found), before or {})

    def preview(self, manifest: Object) -> Object:
        return self._merged(FIELD_MANAGER, manifest)

    def delete(self, kind: Kind, name: str) -> None:
        self._objects.pop((kind, name), None)
        self._applied.pop((kind, name), None)
        if (kind, name) == (NAMESPACE, self.namespace):
            for gone in [key for key in self._objects if key[0] not in _CLUSTER_WIDE]:
                self.delete(*gone)

    def log(self, pod: str, container: str, lines: int, *, previous: bool = False) -> str:
        if (POD, pod) not in self._objects:
            raise ClusterError(f"cannot read the log of {pod}: not found")
        text = self.logs.get((f"{pod}/{container}", previous)) or self.logs.get((pod, previous), "")
        return "\n".join(text.splitlines()[-lines:])

    @contextmanager
    def connect(self, pod: str, port: int) -> Iterator[socket]:
        if (pod, port) not in self.listeners:
            raise ClusterError(f"cannot forward port {port} of {pod}")
        ours, theirs = socketpair()
        with ours:
            server = threading.Thread(target=_serve, args=(self.listeners[pod, port], theirs))
            server.start()
            yield ours
        server.join()

    def _merged(self, manager: str, manifest: Object) -> Object:
        """The object as applying the manifest leaves it."""
        live: Object = copy.deepcopy(self._objects.get(_key(manifest), {}))
        current = dict(_leaves(live, ()))
        wanted = _without_version(manifest)
        new = dict(_leaves(wanted, ()))
        for path, value in self._applied.get(_key(manifest), {}).get(manager, {}).items():
            # What someone else has changed since is theirs now.
            if path not in new and current.get(path) == value:
                _remove(live, path)
        merged: Object = _overlaid(live, wanted)
        return merged

    def _check_version(self, live: Object | None, version: str | None) -> None:
        if version and (live is None or live["metadata"]["resourceVersion"] != version):
            raise ConflictError("the object has been modified")

    def _check_visible(self, kind: Kind) -> None:
        if kind in self.hidden:
            raise PermissionDeniedError(f"cannot read {kind.kind}: the user of context {self.context} may not")

    def _stamped(self, found: Object, before: Object) -> Object:
        version = next(self._versions)
        generation = before.get("metadata", {}).get("generation", 0) + 1
        uid = before.get("metadata", {}).get("uid") or found["metadata"].get("uid") or str(uuid4())
        found["metadata"] |= {"resourceVersion": str(version), "generation": generation, "uid": uid}
        if "status" in before:
            found["status"] = before["status"]
        return found

    def _status(self, deployment: Object) -> dict[str, Any]:
        statuses = self.rollouts.get(deployment["metadata"]["name"])
        if statuses:
            return statuses.pop(0) if len(statuses) > 1 else statuses[0]
        replicas = deployment["spec"].get("replicas", 1)
        generation = deployment["metadata"]["generation"]
        counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), replicas)
        return {"observedGeneration": generation, **counts}


def _serve(listener: Callable[[socket], None], connection: socket) -> None:
    with connection:
        listener(connection)


def _key(found: Object) -> tuple[Kind, str]:
    return Kind(found["apiVersion"], found["kind"]), found["metadata"]["name"]


def _leaves(part: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(part, dict) and part:
        for key, value in part.items():
            yield from _leaves(value, (*path, key))
    else:
        yield path, part


def _remove(part: Object, path: Path) -> None:
    """Remove a value, and the mappings that are empty then."""
    if len(path) > 1:
        _remove(part[path[0]], path[1:])
    if len(path) == 1 or not part[path[0]]:
        del part[path[0]]


def _overlaid(live: Any, manifest: Any) -> Any:
    if not isinstance(live, dict) or not isinstance(manifest, dict):
        return copy.deepcopy(manifest)
    return {**live, **{key: _overlaid(live.get(key), value) for key, value in manifest.items()}}


def _without_version(manifest: Object) -> Object:
    metadata = {key: value for key, value in manifest["metadata"].items() if key != "resourceVersion"}
    return manifest | {"metadata": metadata}


def _without_stamp(found: Object) -> Object:
    metadata = {key: value for key, value in found["metadata"].items() if key not in _STAMPS}
    return {key: value for key, value in found.items() if key != "status"} | {"metadata": metadata}


def _field(found: Any, path: str) -> Any:
    for key in path.split("."):
        found = (found or {}).get(key)
    return found
