"""Which mirror owns the data of an upstream in the bucket: a small object next to the data says so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from regmirror.config.model import S3Storage, Upstream
from regmirror.desired.registry_config import upstream_prefix

CLUSTER_NAMESPACE = "kube-system"
"""Its UID identifies a cluster: it is as old as the cluster and is never deleted."""


def owner_key(storage: S3Storage, upstream: Upstream) -> str:
    """The key of the object that names the owner."""
    return f"{upstream_prefix(storage, upstream)}.regmirror-owner.json"


@dataclass(frozen=True, slots=True)
class Owner:
    """A mirror, as it is recorded in the bucket.

    ``uids`` are those of kube-system and of the mirror's namespace, by name. Not every user may read both, so either
    of them identifies the mirror.
    """

    host: str
    namespace: str
    uids: Mapping[str, str]
    claimed_at: str = ""
    version: str = ""

    def is_same_mirror(self, other: "Owner") -> bool:
        """Whether both are in the same namespace of the same cluster; the host of a mirror may change."""
        return self.namespace == other.namespace and any(
            self.uids[name] == other.uids[name] for name in self.uids.keys() & other.uids.keys()
        )

    def is_other_mirror(self, other: "Owner") -> bool:
        """Whether both certainly differ; if neither holds, they cannot be compared with the UIDs that are known."""
        is_comparable = bool(self.uids.keys() & other.uids.keys())
        is_alike = (self.host, self.namespace) == (other.host, other.namespace)
        return not self.is_same_mirror(other) and (is_comparable or not is_alike)

    def renewed(self, current: "Owner") -> "Owner":
        """This record as its mirror is now; when and by which version it was claimed is kept."""
        uids = {**self.uids, **current.uids}
        return Owner(current.host, current.namespace, uids, self.claimed_at, self.version)

    def describe(self, current: "Owner") -> str:
        """Who this is, seen from the mirror ``current``."""
        theirs, ours = self.uids.get(CLUSTER_NAMESPACE), current.uids.get(CLUSTER_NAMESPACE)
        cluster = f"cluster {theirs or 'unknown'}"
        if theirs and ours:
            cluster = "this cluster" if theirs == ours else f"another cluster, {theirs}"
        return (
            f"{self.host} (namespace {self.namespace} of {cluster}; claimed {self.claimed_at or 'at an unknown time'})"
        )

    def to_bytes(self) -> bytes:
        """The content of the object."""
        fields = {
            "host": self.host,
            "namespace": self.namespace,
            "namespaceUIDs": dict(self.uids),
            "claimedAt": self.claimed_at,
            "version": self.version,
        }
        return (json.dumps(fields, indent=2, sort_keys=True) + "\n").encode()


UNREADABLE = Owner("an unknown mirror", "unknown", {})
"""The owner according to an object that is not a record of one."""


def parse_owner(content: bytes) -> Owner:
    """The record in the object; UNREADABLE if it is none."""
    try:
        fields = json.loads(content)
        uids = {str(name): str(uid) for name, uid in fields["namespaceUIDs"].items()}
        host, namespace = str(fields["host"]), str(fields["namespace"])
        return Owner(host, namespace, uids, str(fields.get("claimedAt", "")), str(fields.get("version", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return UNREADABLE
