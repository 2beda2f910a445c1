"""What ``init`` must know to write a configuration, and the text that it writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from regmirror.config.model import DOCKER_HUB

Reference = dict[str, str]
"""A secret reference as it stands in the file, such as {"env": "NAME"}."""


@dataclass(frozen=True, slots=True)
class AccountReference:
    """Where the two parts of an account are kept."""

    name: Reference
    password: Reference


@dataclass(frozen=True, slots=True)
class InitOptions:
    """Everything that ``init`` can be told; what is empty is left out of the file."""

    host: str
    bucket: str
    region: str
    allowed: list[str]
    namespace: str = "regmirror"
    endpoint: str = ""
    create_bucket: bool = False
    access_key: AccountReference | None = None
    upstream_name: str = "docker-hub"
    upstream_url: str = DOCKER_HUB
    credentials: AccountReference | None = None
    redis_password: Reference | None = None
    probe_image: str = ""
    class_name: str = ""
    issuer: str = ""
    tls_secret: str = "regmirror-tls"  # noqa: S105 - the name of a Secret
    images: Mapping[str, str] = field(default_factory=dict)
    """By component: registry, auth, redis, and the registry's cache of manifests."""

    def context(self) -> dict[str, Any]:
        """The variables of the template regmirror.yaml.j2."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        components = ("registry", "auth", "redis", "cache")
        fields["images"] = {component: self.images.get(component, "") for component in components}
        if self.endpoint and "://" not in self.endpoint:
            # Charts for the registry took a bare host, and so do people's variables.
            fields["endpoint"] = f"https://{self.endpoint}"
        return fields


def allowed_patterns(text: str) -> list[str]:
    """Read DOCKERHUB_ALLOWED: names separated by commas, of which a bare one means everything of that namespace."""
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return [entry if "/" in entry else f"{entry}/*" for entry in entries]
