"""K3s and RKE2, which generate the configuration of containerd from a file of their own.

Source: "Private Registry Configuration" of K3s and of RKE2.
"""

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.desired.templates import render_text


def k3s(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The mirrors of a K3s node."""
    return _setup(
        "k3s", ["on servers: systemctl restart k3s", "on agents: systemctl restart k3s-agent"], registries, ca_pem
    )


def rke2(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """The mirrors of an RKE2 node."""
    steps = ["on servers: systemctl restart rke2-server", "on agents: systemctl restart rke2-agent"]
    return _setup("rke2", steps, registries, ca_pem)


def _setup(product: str, steps: list[str], registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    directory = f"/etc/rancher/{product}"
    ca_file = f"{directory}/regmirror-ca.crt" if ca_pem else ""
    content = render_text("clients/registries.yaml.j2", {"registries": registries, "ca_file": ca_file})
    # The file may also contain passwords of other registries.
    files = [ClientFile(f"{directory}/registries.yaml", content, mode=0o600, may_exist=True)]
    if ca_pem:
        files.append(ClientFile(ca_file, ca_pem))
    return ClientSetup(
        files,
        ["put the same files on every node", *steps],
        [
            f"The mirror cannot be limited to some repositories: {product} asks it first for every image of a "
            "registry, including its own images.",
            "If the mirror rejects a pull, the image silently comes from the registry itself, unless "
            f"{product} runs with --disable-default-registry-endpoint.",
        ],
    )
