"""Podman (with skopeo and buildah) and CRI-O, which read the same files.

Source: containers-registries.conf.d(5), containers-registries.conf(5), containers-certs.d(5).
"""

from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientFile, ClientSetup
from regmirror.client_config.toml_template import render_toml

_SILENT = "If the mirror rejects a pull, the image silently comes from the registry itself."


def podman(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """Mirrors for podman, skopeo and buildah, which read the files at every pull."""
    return ClientSetup(
        _files(registries, ca_pem),
        [
            "rootless, for one user: put the files in ~/.config/containers instead of /etc/containers",
            f"test it: podman --log-level=debug pull {registries[0].name}/REPOSITORY:TAG",
        ],
        [
            _SILENT,
            "Credentials for Docker Hub are not sent to the mirror. To log in to the mirror, run: "
            f"podman login {registries[0].host}.",
        ],
    )


def crio(registries: list[MirroredRegistry], ca_pem: str) -> ClientSetup:
    """Mirrors for CRI-O."""
    return ClientSetup(
        _files(registries, ca_pem),
        ["systemctl reload crio"],
        [_SILENT, "CRI-O sends the pull secrets of pods only to the registry itself, not to the mirror."],
    )


def _files(registries: list[MirroredRegistry], ca_pem: str) -> list[ClientFile]:
    content = render_toml("clients/registries.conf.j2", {"registries": registries})
    files = [ClientFile("/etc/containers/registries.conf.d/50-regmirror.conf", content)]
    if ca_pem:
        files += [ClientFile(f"/etc/containers/certs.d/{registry.host}/ca.crt", ca_pem) for registry in registries]
    return files
