"""K3s and RKE2, whose own file becomes containerd's.

Source: K3s' and RKE2's "Private Registry Configuration".
"""

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.desired.templates import render_text


def k3s(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """Mirrors of every node of K3s."""
    return _setup("k3s", ["systemctl restart k3s", "on agents: systemctl restart k3s-agent"], registries, ca_pem)


def rke2(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """Mirrors of every node of RKE2."""
    steps = ["systemctl restart rke2-server", "on agents: systemctl restart rke2-agent"]
    return _setup("rke2", steps, registries, ca_pem)


def _setup(product: str, steps: list[str], registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    directory = f"/etc/rancher/{product}"
    ca_file = f"{directory}/regmirror-ca.crt" if ca_pem else ""
    content = render_text("clients/registries.yaml.j2", {"registries": registries, "ca_file": ca_file})
    # Others keep passwords in this file.
    files = [ClientFile(f"{directory}/registries.yaml", content, mode=0o600, may_exist=True)]
    if ca_pem:
        files.append(ClientFile(ca_file, ca_pem))
    return ClientSetup(
        files,
        ["put the same files on every node", *steps],
        "A mirror for some repositories only: every image of a registry is asked of its mirror first, those of "
        f"{product} itself, too. What the mirror refuses comes from the registry itself without a word, unless "
        f"{product} runs with --disable-default-registry-endpoint.",
    )
