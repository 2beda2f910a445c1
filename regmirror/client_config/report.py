"""The setup of a runtime as a document, for programs; docs/clients.md has every field."""

from typing import Any

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientSetup
from regmirror.config.model import API_VERSION


def client_report(runtime: str, registries: list[MirroredRegistry], setup: ClientSetup) -> dict[str, Any]:
    """A ClientConfiguration."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ClientConfiguration",
        "runtime": runtime,
        "registries": [{"name": one.name, "mirror": one.mirror} for one in registries],
        "files": [
            {"path": file.path, "mode": f"{file.mode:04o}", "mayExist": file.may_exist, "content": file.content}
            for file in setup.files
        ],
        "steps": setup.steps,
        "notPossible": setup.limitations,
    }
