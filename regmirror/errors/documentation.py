"""Where the documentation of an error, a check or a configuration key is: its page, its anchor, and its public URL."""

import re

from regmirror import __version__
from regmirror.version import documentation_version

DOCUMENTATION_URL = f"https://regmirror-kube.readthedocs.io/en/{documentation_version(__version__)}"
"""The published documentation of this version; between two releases, of the newest commit.

``[project.urls]`` in pyproject.toml names the same site.
"""

ERRORS_PAGE = "reference/errors"
CONFIGURATION_PAGE = "reference/configuration"
FINDINGS_PAGE = "reference/client-check"
NODES_PAGE = "reference/node-check"
COMMANDS_PAGE = "reference/commands"

REPORT_URL = f"{DOCUMENTATION_URL}/guides/troubleshoot/"
"""Where to report a fault of regmirror itself."""


def error_url(code: str) -> str:
    """The section of an error code such as ``RM301``."""
    return _url(ERRORS_PAGE, code)


def check_url(check_id: str, category: str) -> str:
    """The section of a check of ``regmirror verify``; every category has a page of its own."""
    return _url(f"reference/checks/{category}", check_id)


def finding_url() -> str:
    """The table of the findings of ``client-config --check``."""
    return f"{DOCUMENTATION_URL}/{FINDINGS_PAGE}/"


def alerts_url() -> str:
    """The page with a section for each alert, such as ``#regmirrorpullsfail``."""
    return f"{DOCUMENTATION_URL}/reference/alerts/"


def node_reason_url(reason: str) -> str:
    """The section of a reason of ``verify --nodes`` such as ``files-not-read``."""
    return _url(NODES_PAGE, reason)


def key_url(key_path: str) -> str:
    """The section of a configuration key such as ``ingress.issuer``."""
    return _url(CONFIGURATION_PAGE, key_path)


def guide_url(guide: str) -> str:
    """A how-to guide such as ``gitops``."""
    return f"{DOCUMENTATION_URL}/guides/{guide}/"


def command_url(name: str) -> str:
    """The section of a command such as ``config validate``."""
    return _url(COMMANDS_PAGE, name)


def anchor(heading: str) -> str:
    """The anchor of a heading, by the rule that GitHub and Python-Markdown share."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _url(page: str, heading: str) -> str:
    return f"{DOCUMENTATION_URL}/{page}/#{anchor(heading)}"
