"""Podman and CRI-O (and skopeo and buildah), which read the same files.

Source: containers-registries.conf.d(5), containers-registries.conf(5), containers-certs.d(5).
"""

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.client_config.toml_template import render_toml

_SILENT = "a pull that the mirror refuses goes to the registry itself without a word"


def podman(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """Mirrors for podman, skopeo and buildah, read anew at each pull."""
    return ClientSetup(
        _files(registries, ca_pem),
        [
            "for one user without root: the same files below ~/.config/containers instead of /etc/containers",
            f"try it: podman --log-level=debug pull {registries[0].name}/REPOSITORY:TAG",
        ],
        f"To be told when the mirror was not used: {_SILENT}. And a login for Docker Hub is not sent to the mirror; "
        f"podman login {registries[0].host} is.",
    )


def crio(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """Mirrors for CRI-O."""
    return ClientSetup(
        _files(registries, ca_pem),
        ["systemctl reload crio"],
        f"Pull secrets of pods at the mirror: CRI-O sends them to the registry itself only. And {_SILENT}.",
    )


def _files(registries: list[MirroredRegistry], ca_pem: str) -> list[ClientFile]:
    content = render_toml("clients/registries.conf.j2", {"registries": registries})
    files = [ClientFile("/etc/containers/registries.conf.d/50-regmirror.conf", content)]
    if ca_pem:
        files += [ClientFile(f"/etc/containers/certs.d/{one.host}/ca.crt", ca_pem) for one in registries]
    return files
