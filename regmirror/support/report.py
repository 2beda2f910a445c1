"""What came of a support bundle, as a document for programs; docs/support.md has every field."""

from pathlib import Path
from typing import Any

from regmirror.config.model import API_VERSION
from regmirror.support.bundle import Bundle


def bundle_report(bundle: Bundle, path: Path) -> dict[str, Any]:
    """A SupportBundle."""
    return {
        "apiVersion": API_VERSION,
        "kind": "SupportBundle",
        "path": str(path),
        "files": list(bundle.files),
        "leftOut": bundle.left_out,
    }
