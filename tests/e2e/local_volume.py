"""Volumes of the lab's node for a mirror: a directory each, prepared as an administrator does without a provisioner."""

import json
from dataclasses import dataclass
from pathlib import Path

from lab import addresses
from tests.e2e.deployed_mirror import DeployedMirror


@dataclass(frozen=True)
class LocalVolume:
    """A PersistentVolume in a directory of this machine, which is the lab's node."""

    mirror: DeployedMirror
    directory: Path

    @property
    def name(self) -> str:
        """The name of the volume, and of the StorageClass that only it has."""
        return self.mirror.namespace

    def create(self) -> None:
        """Create the directory and the volume."""
        self.directory.mkdir(exist_ok=True)
        node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [addresses.NODE_NAME]}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": self.name},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": self.name,
                "local": {"path": str(self.directory)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [node]}]}},
            },
        }
        self.mirror.kubectl("apply", "-f", "-", stdin=json.dumps(volume))

    def delete(self) -> None:
        """Delete the volume; the directory is removed with its parent."""
        self.mirror.kubectl("delete", "pv", self.name, "--ignore-not-found", "--wait=false")

    def blobs(self) -> list[str]:
        """The digests that the registry has stored."""
        return sorted(path.parent.name for path in self.directory.glob("docker-hub/docker/registry/v2/blobs/**/data"))
