"""Talos Linux, whose nodes are configured with patches of the machine configuration.

Source: Talos, reference of RegistryMirrorConfig and RegistryTLSConfig (since 1.12) and of machine.registries (before).
"""

import base64

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.desired.templates import render_text


def talos(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """One patch for Talos 1.12 and later, and one for earlier versions."""
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
        [
            "The mirror cannot be limited to some repositories: Talos asks it first for every image of a registry, "
            "including its own images.",
            "If the mirror rejects a pull, the image silently comes from the registry itself, unless "
            "skipFallback: true is set.",
        ],
    )
