"""Talos Linux, whose nodes are configured with patches of the machine configuration.

Source: Talos, reference of RegistryMirrorConfig, RegistryTLSConfig and RegistryAuthConfig (since 1.12) and of
machine.registries (before).
"""

import base64

from regmirror.client_config.login import PULL_SECRETS, password_step
from regmirror.client_config.setup import PASSWORD, ClientFile, ClientOptions, ClientSetup
from regmirror.desired.templates import render_text

_FILES = ("talos.yaml", "talos-before-1.12.yaml")


def talos(options: ClientOptions) -> ClientSetup:
    """One patch for Talos 1.12 and later, and one for earlier versions."""
    encoded = base64.b64encode(options.ca_pem.encode()).decode()
    context = {"options": options, "ca": options.ca_pem, "ca_base64": encoded, "password": PASSWORD}
    mode = 0o600 if options.user else 0o644
    newer, older = _FILES
    return ClientSetup(
        [ClientFile(path, render_text(f"clients/{path}.j2", context), mode) for path in _FILES],
        [
            *([password_step(f"the file that you use, {newer} or {older}")] if options.user else []),
            f"talosctl patch machineconfig --nodes NODE,... --patch @{newer}",
            f"before Talos 1.12: talosctl patch machineconfig --nodes NODE,... --patch @{older}",
            *(["delete the files again: the password is in the machine configuration now"] if options.user else []),
        ],
        [
            "The mirror cannot be limited to some repositories: Talos asks it first for every image of a registry, "
            "including its own images.",
            "If the mirror rejects a pull, the image silently comes from the registry itself, unless "
            "skipFallback: true is set.",
            PULL_SECRETS,
        ],
    )
