"""The README of the package: its links lead to the documentation site, because a package index has only this file."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class ReadmeHook(MetadataHookInterface):
    """Hatchling calls this when it builds the package (pyproject.toml, tool.hatch.metadata.hooks.custom)."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme`` to README.md with absolute links."""
        site = metadata["urls"]["Documentation"]
        text = (Path(self.root) / "README.md").read_text()
        metadata["readme"] = {"content-type": "text/markdown", "text": with_absolute_links(text, site)}


_PAGES = {
    "CHANGELOG.md": "reference/changes",
    "CONTRIBUTING.md": "contributing/lab",
    "SECURITY.md": "explanation/threat-model",
}
"""By file of the repository: the page of the site about the same."""


def with_absolute_links(text: str, site: str) -> str:
    """Markdown whose links to pages and images of docs/, and to files of the repository, go to the site."""
    for file, page in _PAGES.items():
        text = text.replace(f"]({file})", f"]({site}/{page}/)")
    text = re.sub(
        r"\]\(docs/([^)#]+?)(?:/index)?\.md(#[^)]*)?\)", lambda link: f"]({site}/{link[1]}/{link[2] or ''})", text
    )
    return re.sub(r"\]\(docs/([^)]+)\)", rf"]({site}/\1)", text)
