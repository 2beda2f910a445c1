"""The model of the configuration file regmirror.yaml."""

from typing import Self

from pydantic import model_validator

from regmirror.config.components import AuthComponent
from regmirror.config.images import DOCKER_HUB
from regmirror.config.mirror_checks import CHECKS
from regmirror.config.mirror_keys import API_VERSION, PARTS, MirrorKeys, Part, realm_url
from regmirror.config.pod_settings import PodSettings
from regmirror.config.registry import ManifestCache
from regmirror.config.section import Section
from regmirror.config.storage import S3Storage
from regmirror.config.upstream import Upstream

__all__ = [
    "API_VERSION",
    "DOCKER_HUB",
    "PARTS",
    "AuthComponent",
    "ManifestCache",
    "Mirror",
    "Part",
    "PodSettings",
    "S3Storage",
    "Section",
    "Upstream",
    "realm_url",
]


class Mirror(MirrorKeys):
    """The configuration of a mirror."""

    @model_validator(mode="after")
    def _check_sections(self) -> Self:
        for check in CHECKS:
            check(self)
        return self
