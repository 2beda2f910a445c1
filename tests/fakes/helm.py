"""Helm in memory: what it knows of releases stands in the cluster's Secrets, as with the real one."""

from __future__ import annotations

import base64
import json
from typing import Any

from regmirror.errors import ChartError, HelmError, HelmMissingError
from regmirror.ports.cluster import SECRET, Object
from regmirror.ports.helm import DeployedRelease
from regmirror.stack import names
from regmirror.stack.releases import Release
from tests.fakes.cluster import FakeCluster


class FakeHelm:
    """Every chart renders to a Service and a Deployment that hold all values, whatever the chart's templates say."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.server_version: tuple[int, int] | None = (3, 17)
        self.upgraded: list[str] = []
        """The releases that were installed or upgraded, in order."""
        self.failures: dict[str, HelmError] = {}
        """By release: the error with which its upgrades end."""
        self._cluster = cluster

    async def version(self) -> tuple[int, int]:
        if self.server_version is None:
            raise HelmMissingError("Helm cannot be started")
        return self.server_version

    async def find(self, name: str) -> DeployedRelease | None:
        newest = self._newest(name)
        if newest is None:
            return None
        labels = newest["metadata"]["labels"]
        return DeployedRelease(int(labels["version"]), labels["status"])

    async def manifest(self, name: str) -> list[Object]:
        newest = self._newest(name)
        if newest is None:
            raise HelmError("release: not found")
        objects: list[Object] = json.loads(base64.b64decode(newest["data"]["release"]))
        return objects

    async def values(self, name: str) -> dict[str, Any]:
        newest = self._newest(name)
        if newest is None:
            raise HelmError("release: not found")
        values: dict[str, Any] = json.loads(base64.b64decode(newest["data"]["values"]))
        return values

    async def render(self, release: Release) -> list[Object]:
        if not (release.chart / "Chart.yaml").is_file():
            raise ChartError(f"a chart cannot be rendered: {release.chart} has no Chart.yaml")
        labels = {
            "app.kubernetes.io/instance": release.name,
            "app.kubernetes.io/name": release.component,
            "app.kubernetes.io/part-of": "regmirror",
        }
        metadata: dict[str, Any] = {"name": release.name, "labels": labels}
        annotations = {
            "values": json.dumps(release.values),
            names.SECRET_VERSIONS_ANNOTATION: release.values.get("secretVersions", ""),
        }
        template = {"metadata": {"labels": labels, "annotations": annotations}}
        spec = {"replicas": release.values.get("replicas", 1), "template": template}
        return [
            {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": labels}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec},
        ]

    async def upgrade(self, release: Release) -> int:
        objects = await self.render(release)
        before = await self.find(release.name)
        if before and before.status.startswith("pending-"):
            raise HelmError("another operation (install/upgrade/rollback) is in progress")
        self.upgraded.append(release.name)
        revision = before.revision + 1 if before else 1
        if release.name in self.failures:
            self.record(release.name, revision, "failed", objects, release.values)
            raise self.failures[release.name]
        for found in objects:
            self._cluster.apply(found)
        self.record(release.name, revision, "deployed", objects, release.values)
        return revision

    def record(
        self, name: str, revision: int, status: str, objects: list[Object], values: dict[str, Any] | None = None
    ) -> None:
        """Write Helm's own record of a revision."""
        labels = {"owner": "helm", "name": name, "status": status, "version": str(revision)}
        self._cluster.put(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": f"sh.helm.release.v1.{name}.v{revision}", "labels": labels},
                "type": "helm.sh/release.v1",
                "data": {"release": _encoded(objects), "values": _encoded(values or {})},
            }
        )

    def _newest(self, name: str) -> Object | None:
        records = self._cluster.select(SECRET, f"owner=helm,name={name}")
        return max(records, key=lambda record: int(record["metadata"]["labels"]["version"]), default=None)


def _encoded(content: Any) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()
