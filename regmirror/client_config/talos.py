"""Talos Linux, whose nodes have no files to edit: patches of the machine configuration.

Source: Talos' reference of RegistryMirrorConfig and RegistryTLSConfig (1.12), and of machine.registries before.
"""

import base64

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.desired.templates import render_text


def talos(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """A patch for Talos 1.12 and newer, and one for older ones."""
    encoded = base64.b64encode(ca_pem.encode()).decode()
    context = {"registries": registries, "ca": ca_pem, "ca_base64": encoded}
    return ClientSetup(
        [
            ClientFile("talos.yaml", render_text("clients/talos.yaml.j2", context)),
            ClientFile("talos-before-1.12.yaml", render_text("clients/talos-before-1.12.yaml.j2", context)),
        ],
        [
            "talosctl patch machineconfig --nodes NODE,... --patch @talos.yaml",
            "before Talos 1.12: talosctl patch machineconfig --nodes NODE,... --patch @talos-before-1.12.yaml",
        ],
        "A mirror for some repositories only: every image of a registry is asked of its mirror first, those of Talos "
        "itself, too. What the mirror refuses comes from the registry itself without a word, unless skipFallback: true "
        "is set.",
    )
