"""Helm in memory; it stores its releases in Secrets of the cluster, as the real one does."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from regmirror import __version__
from regmirror.desired import names
from regmirror.desired.releases import Release
from regmirror.errors import ChartError, HelmError, HelmMissingError
from regmirror.ports.cluster import SECRET, Kind, Object
from regmirror.ports.helm import DeployedRelease, ListedRelease
from regmirror.version import chart_version
from tests.fakes.cluster import FakeCluster


def _ingress(host: str, _: dict[str, Any]) -> Object:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {"rules": [{"host": host}]}}


def _http_route(host: str, values: dict[str, Any]) -> Object:
    spec = {"hostnames": [host], "parentRefs": values["parentRefs"]}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "spec": spec}


_ROUTES = {"Ingress": _ingress, "HTTPRoute": _http_route}


class FakeHelm:
    """Every chart renders to a Service, a Deployment with a digest of all values, and a route for each host."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.server_version: tuple[int, int] | None = (3, 17)
        self.upgraded: list[str] = []
        """The releases that were installed or upgraded, in order."""
        self.failures: dict[str, HelmError] = {}
        """By release: the error with which its upgrades and rollbacks end."""
        self.failures_of_upgrade: dict[str, HelmError] = {}
        """By release: the error with which its upgrades alone end."""
        self._cluster = cluster

    async def version(self) -> tuple[int, int]:
        if self.server_version is None:
            raise HelmMissingError("cannot start Helm")
        return self.server_version

    async def find(self, name: str) -> DeployedRelease | None:
        newest = self._newest(name)
        if newest is None:
            return None
        labels = newest["metadata"]["labels"]
        return DeployedRelease(int(labels["version"]), labels["status"])

    async def releases(self) -> list[ListedRelease]:
        known = sorted({found["metadata"]["labels"]["name"] for found in self._cluster.select(SECRET, "owner=helm")})
        found = [(name, await self.find(name), await self.manifest(name)) for name in known]
        return [
            ListedRelease(name, f"{_chart(objects)}-{chart_version(__version__)}", deployed.revision, deployed.status)
            for name, deployed, objects in found
            if deployed
        ]

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
        if not release.source.flavor and not (release.chart / "Chart.yaml").is_file():
            raise ChartError(f"cannot render a chart: {release.chart} has no Chart.yaml")
        labels = {
            "app.kubernetes.io/instance": release.name,
            "app.kubernetes.io/name": release.component if release.source.flavor else release.chart.name,
            "app.kubernetes.io/part-of": "regmirror",
        }
        metadata: dict[str, Any] = {"name": release.name, "labels": labels}
        annotations = {
            "values": _digest({key: value for key, value in release.values.items() if key != "secretVersions"}),
            names.SECRET_VERSIONS_ANNOTATION: release.values.get("secretVersions", ""),
        }
        containers = [{"name": release.component, "resources": release.values.get("resources") or {}}]
        template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": {"containers": containers}}
        space = self._cluster.namespace
        spec = {"replicas": release.values.get("replicas", 1), "template": template}
        if release.component == "ingress":
            noted = {"namespace": space, "annotations": dict(release.values.get("annotations", {}))}
            return [
                {
                    **_ROUTES[release.values.get("kind", "Ingress")](one["host"], release.values),
                    "metadata": metadata | noted | {"name": f"{release.name}-{one['host']}"},
                }
                for one in release.values["hosts"]
            ]
        return [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": metadata | {"namespace": space},
                "spec": {"selector": labels},
            },
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec},
        ]

    async def upgrade(self, release: Release) -> int:
        objects = await self.render(release)
        before = await self.find(release.name)
        if before and before.status.startswith("pending-"):
            raise HelmError("another operation (install/upgrade/rollback) is in progress")
        self.upgraded.append(release.name)
        revision = before.revision + 1 if before else 1
        failure = self.failures_of_upgrade.get(release.name) or self.failures.get(release.name)
        if failure:
            self.record(release.name, revision, "failed", objects, release.values)
            raise failure
        dropped = await self.manifest(release.name) if before else []
        self.record(release.name, revision, f"pending-{'upgrade' if before else 'install'}", objects, release.values)
        self._replace(release.name, dropped, objects)
        self.record(release.name, revision, "deployed", objects, release.values)
        return revision

    async def uninstall(self, name: str) -> None:
        for found in await self.manifest(name) if self._newest(name) else []:
            self._cluster.delete(Kind(found["apiVersion"], found["kind"]), found["metadata"]["name"])
        for record in self._cluster.select(SECRET, f"owner=helm,name={name}"):
            self._cluster.delete(SECRET, record["metadata"]["name"])

    async def rollback(self, name: str, revision: int) -> int:
        record = self._cluster.get(SECRET, f"sh.helm.release.v1.{name}.v{revision}")
        newest = await self.find(name)
        if record is None or newest is None:
            raise HelmError("release: not found")
        if name in self.failures:
            raise self.failures[name]
        objects, values = (json.loads(base64.b64decode(record["data"][key])) for key in ("release", "values"))
        self._replace(name, await self.manifest(name), objects)
        self.record(name, newest.revision + 1, "deployed", objects, values)
        return newest.revision + 1

    def _replace(self, release: str, before: list[Object], after: list[Object]) -> None:
        for found in after:
            self._cluster.apply_as_release(release, found)
        kept = [_key(found) for found in after]
        for found in before:
            if _key(found) not in kept:
                self._cluster.delete(*_key(found))

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


def _key(found: Object) -> tuple[Kind, str]:
    return Kind(found["apiVersion"], found["kind"]), found["metadata"]["name"]


def _chart(objects: list[Object]) -> str:
    return str(objects[0]["metadata"]["labels"]["app.kubernetes.io/name"]) if objects else "unknown"


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _encoded(content: Any) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()
