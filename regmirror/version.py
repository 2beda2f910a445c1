"""The forms of a version: of the package (PEP 440), of the charts (SemVer), and in addresses of the documentation.

They differ only between two releases: the package is then ``0.2.0.dev0``, the charts ``0.2.0-dev.0``, and the
documentation that of the newest commit, ``latest``.
"""

import re

_DEVELOPMENT = re.compile(r"(?P<release>\d+\.\d+\.\d+)\.dev(?P<number>\d+)")
_DEVELOPMENT_CHART = re.compile(r"(?P<release>\d+\.\d+\.\d+)-dev\.(?P<number>\d+)")


def release_of(version: str) -> str:
    """The release that a development version leads to; of a release, the release itself."""
    match = _DEVELOPMENT.fullmatch(version)
    return match["release"] if match else version


def is_development(version: str) -> bool:
    """Whether the version is one between two releases, whose content changes without another number."""
    return _DEVELOPMENT.fullmatch(version) is not None


def chart_version(version: str) -> str:
    """The version of the charts of a version: Helm accepts SemVer only."""
    match = _DEVELOPMENT.fullmatch(version)
    return f"{match['release']}-dev.{match['number']}" if match else version


def version_of_chart(version: str) -> str:
    """The version whose charts have this version."""
    match = _DEVELOPMENT_CHART.fullmatch(version)
    return f"{match['release']}.dev{match['number']}" if match else version


def documentation_version(version: str) -> str:
    """The part of the documentation's address that names the version."""
    return "latest" if is_development(version) else version
