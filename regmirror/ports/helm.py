"""What regmirror asks of Helm."""

from dataclasses import dataclass
from typing import Any, Protocol

from regmirror.ports.cluster import Object
from regmirror.stack.releases import Release


@dataclass(frozen=True, slots=True)
class DeployedRelease:
    """The newest revision of a release."""

    revision: int
    status: str
    """As Helm writes it: deployed, failed, pending-install, pending-upgrade, ..."""


class Helm(Protocol):
    """Helm on one namespace. Every method raises HelmError (or a subclass of it) when Helm fails."""

    async def version(self) -> tuple[int, int]:
        """Major and minor version; raises HelmMissingError where there is no usable Helm."""

    async def find(self, name: str) -> DeployedRelease | None:
        """The newest revision of a release, whatever its status."""

    async def manifest(self, name: str) -> list[Object]:
        """The objects that the newest revision applied."""

    async def values(self, name: str) -> dict[str, Any]:
        """The values that the newest revision was given."""

    async def render(self, release: Release) -> list[Object]:
        """The objects that installing or upgrading to ``release`` would apply."""

    async def upgrade(self, release: Release) -> int:
        """Install or upgrade without waiting for pods; gives the new revision."""
