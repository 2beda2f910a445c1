"""The formats of ``regmirror render``; imports nothing heavy, since the command line reads it for ``--help``."""

from enum import StrEnum


class OutputFormat(StrEnum):
    """Which tool applies the rendered files."""

    MANIFESTS = "manifests"
    FLUX = "flux"
    ARGOCD = "argocd"
