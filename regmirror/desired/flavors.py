"""Helm releases from charts of others: which values they take, and whether what they render can be used."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regmirror.config.chart import CHART_NAMES, AuthChart, Chart, RedisChart
from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.access_rules import access_rules
from regmirror.desired.assets import chart_directory
from regmirror.desired.auth_config import auth_config


@dataclass(frozen=True, slots=True)
class RemoteChart:
    """A chart that Helm downloads."""

    reference: str
    """Its name in a chart repository, or its OCI reference."""
    repository: str | None
    version: str


@dataclass(frozen=True, slots=True)
class ChartSource:
    """Where the chart of a release is; ``flavor`` is empty for regmirror's own, and ``remote`` takes precedence."""

    directory: Path
    remote: RemoteChart | None = None
    flavor: str = ""

    @property
    def template(self) -> str:
        """The template of its values; empty for regmirror's own charts."""
        return f"flavors/{self.flavor}.yaml.j2" if self.flavor else ""

    def with_versions(self, values: Mapping[str, Any], versions: str) -> dict[str, Any]:
        """The values with other versions of the Secrets that the pods mount."""
        if not self.flavor:
            return {**values, "secretVersions": versions}
        annotations = {**(values.get("podAnnotations") or {}), names.SECRET_VERSIONS_ANNOTATION: versions}
        return {**values, "podAnnotations": annotations}

    def versions(self, values: Mapping[str, Any]) -> str | None:
        """The versions in such values; None if the pods mount no Secret."""
        found = (values.get("podAnnotations") or {}).get(names.SECRET_VERSIONS_ANNOTATION)
        return found if self.flavor else values.get("secretVersions")


def chart_source(mirror: Mirror, component: str) -> ChartSource:
    """The chart of one component: redis, auth, registry or ingress."""
    chart: RedisChart | AuthChart | None = {"redis": mirror.redis.chart, "auth": mirror.auth.chart}.get(component)
    if chart is None:
        return ChartSource(chart_directory(component))
    return ChartSource(chart.path or Path(CHART_NAMES[chart.flavor]), _remote(chart, chart.flavor), chart.flavor)


def _remote(chart: Chart, flavor: str) -> RemoteChart | None:
    if chart.version is None:
        return None
    return RemoteChart(chart.oci or CHART_NAMES[flavor], chart.repository, chart.version)


def flavor_context(mirror: Mirror, component: str, image: Mapping[str, str]) -> dict[str, Any]:
    """What only the templates of other charts need."""
    digest = f"@{image['digest']}" if image["digest"] else ""
    context: dict[str, Any] = {"image": {**image, "tag_and_digest": f"{image['tag']}{digest}"}}
    if component == "auth":
        config = auth_config(mirror)
        context |= {
            # Escaped as between double quotes of YAML.
            "issuer": json.dumps(config["token"]["issuer"], ensure_ascii=False)[1:-1],
            "expiration": config["token"]["expiration"],
            "acl": access_rules(mirror),
        }
    return context
