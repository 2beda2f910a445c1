"""What regmirror needs from Helm."""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from regmirror.desired.releases import Release
from regmirror.ports.cluster import Object

_CHART = re.compile(r"(?P<name>.+?)-v?\d+\.\d+\.\d+.*")
"""Names have dashes, and so do versions: a version begins with three numbers (SemVer)."""


@dataclass(frozen=True, slots=True)
class DeployedRelease:
    """The newest revision of a release."""

    revision: int
    status: str
    """Helm's status: deployed, failed, pending-install, pending-upgrade, ..."""


@dataclass(frozen=True, slots=True)
class ListedRelease:
    """One release of the namespace, of any status."""

    name: str
    chart: str
    """Name and version, such as ``registry-0.1.0``."""
    revision: int
    status: str

    @property
    def chart_name(self) -> str:
        """The name of the chart, without its version."""
        match = _CHART.fullmatch(self.chart)
        return match["name"] if match else self.chart


class Helm(Protocol):
    """Helm on one namespace. Every method raises HelmError (or a subclass) if Helm fails."""

    async def version(self) -> tuple[int, int]:
        """Major and minor version; raises HelmMissingError if there is no usable Helm."""

    async def find(self, name: str) -> DeployedRelease | None:
        """The newest revision of a release, of any status; None if there is no release."""

    async def releases(self) -> list[ListedRelease]:
        """Every release of the namespace, by name."""

    async def manifest(self, name: str) -> list[Object]:
        """The objects that the newest revision applied."""

    async def values(self, name: str) -> dict[str, Any]:
        """The values of the newest revision."""

    async def render(self, release: Release) -> list[Object]:
        """The objects that installing or upgrading to ``release`` would apply."""

    async def upgrade(self, release: Release) -> int:
        """Install or upgrade without waiting for pods; returns the new revision."""

    async def uninstall(self, name: str) -> None:
        """Uninstall a release with its history, without waiting for pods; a missing one is fine."""

    async def rollback(self, name: str, revision: int) -> int:
        """Roll a release back to an earlier revision without waiting for pods; returns the new revision."""
