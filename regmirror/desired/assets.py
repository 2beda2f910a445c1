"""Where the charts and templates are: inside the installed package, or next to it in a checkout."""

from pathlib import Path

from regmirror.errors import TemplateError

_PACKAGE = Path(__file__).resolve().parent.parent


def asset_directory(name: str) -> Path:
    """The directory ``charts``, ``templates`` or ``docs/reference``; raises TemplateError if it is not installed."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise TemplateError(f"this installation of regmirror has no {name}", hint="install regmirror again")


def changelog() -> str:
    """The text of CHANGELOG.md; raises TemplateError if it is missing."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / "CHANGELOG.md").is_file():
            return (parent / "CHANGELOG.md").read_text(encoding="utf-8")
    raise TemplateError("this installation of regmirror has no CHANGELOG.md", hint="install regmirror again")


def reference_directory() -> Path:
    """The reference pages of the documentation; raises TemplateError where the installation lacks them."""
    return asset_directory("docs/reference")


def chart_directory(name: str) -> Path:
    """The chart of one component, such as redis, auth or registry."""
    return asset_directory("charts") / name
