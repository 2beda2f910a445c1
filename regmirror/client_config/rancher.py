"""K3s and RKE2, which generate the configuration of containerd from a file of their own.

Source: "Private Registry Configuration" of K3s and of RKE2.
"""

from regmirror.client_config.login import PULL_SECRETS, password_step
from regmirror.client_config.setup import PASSWORD, ClientFile, ClientOptions, ClientSetup
from regmirror.desired.templates import render_text


def k3s(options: ClientOptions) -> ClientSetup:
    """The mirrors of a K3s node."""
    steps = ["on servers: systemctl restart k3s", "on agents: systemctl restart k3s-agent"]
    return _setup("k3s", steps, options)


def rke2(options: ClientOptions) -> ClientSetup:
    """The mirrors of an RKE2 node."""
    steps = ["on servers: systemctl restart rke2-server", "on agents: systemctl restart rke2-agent"]
    return _setup("rke2", steps, options)


def _setup(product: str, steps: list[str], options: ClientOptions) -> ClientSetup:
    directory = f"/etc/rancher/{product}"
    path = f"{directory}/registries.yaml"
    ca_file = f"{directory}/regmirror-ca.crt" if options.ca_pem else ""
    context = {"options": options, "ca_file": ca_file, "password": PASSWORD}
    # The file may also contain passwords of other registries.
    files = [ClientFile(path, render_text("clients/registries.yaml.j2", context), mode=0o600, may_exist=True)]
    if options.ca_pem:
        files.append(ClientFile(ca_file, options.ca_pem))
    return ClientSetup(
        files,
        ["put the same files on every node", *([password_step(path)] if options.user else []), *steps],
        [
            f"The mirror cannot be limited to some repositories: {product} asks it first for every image of a "
            "registry, including its own images, rancher/* at Docker Hub. Allow these as well if nodes cannot reach "
            "Docker Hub.",
            "If the mirror rejects a pull, the image silently comes from the registry itself, unless "
            f"{product} runs with --disable-default-registry-endpoint.",
            PULL_SECRETS,
        ],
    )
