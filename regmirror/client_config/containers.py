"""Podman (with skopeo and buildah) and CRI-O, which read the same files.

Source: containers-registries.conf.d(5), containers-registries.conf(5), containers-certs.d(5), containers-auth.json(5),
crio.conf(5).
"""

from regmirror.client_config.login import SILENT_FALLBACK, login_commands
from regmirror.client_config.setup import ClientFile, ClientOptions, ClientSetup
from regmirror.client_config.toml_template import render_toml
from regmirror.config.images import DOCKER_IO

REGISTRIES_FILE = "/etc/containers/registries.conf.d/50-regmirror.conf"
CERTIFICATES_DIRECTORY = "/etc/containers/certs.d"
CRIO_AUTH_FILE = "/etc/crio/regmirror-auth.json"
CRIO_FILE = "/etc/crio/crio.conf.d/50-regmirror.conf"
_SHORT_NAMES = (
    "short names, such as acme/tool without docker.io/: the mirror is used for them only with "
    'unqualified-search-registries = ["docker.io"] in /etc/containers/registries.conf'
)
_TAG_LISTS = "Lists of tags do not come from the mirror: podman pull -a and skopeo list-tags ask the registry itself."


def podman(options: ClientOptions) -> ClientSetup:
    """Mirrors for podman, skopeo and buildah, which read the files at every pull."""
    return ClientSetup(
        _files(options),
        [
            "for one user only: put the files in ~/.config/containers; those in /etc/containers are for all users, "
            "with or without root",
            "podman machine on macOS and Windows: put the files in the machine, which podman machine ssh opens",
            *_short_names(options),
            *_podman_login(options),
            f"test it: podman --log-level=debug pull {options.registries[0].name}/REPOSITORY:TAG shows requests to "
            f"{options.registries[0].host}",
        ],
        [
            SILENT_FALLBACK,
            "Credentials for Docker Hub are not sent to the mirror."
            + ("" if options.user else " To log in to the mirror, use --user NAME."),
            _TAG_LISTS,
        ],
    )


def _podman_login(options: ClientOptions) -> list[str]:
    """Each user logs in: without --authfile the login is lost with the next boot, because it is in /run."""
    program = "podman login --authfile ~/.config/containers/auth.json"
    commands = login_commands(program, options.user, options.hosts) if options.user else []
    return [f"as every user who pulls, root included: {command}" for command in commands]


def crio(options: ClientOptions) -> ClientSetup:
    """Mirrors for CRI-O."""
    files, steps = _files(options), _short_names(options)
    if options.user:
        content = render_toml("clients/crio.conf.j2", {"auth_file": CRIO_AUTH_FILE})
        files.append(ClientFile(CRIO_FILE, content))
        steps += login_commands(f"podman login --authfile {CRIO_AUTH_FILE}", options.user, options.hosts)
        steps.append("without podman: skopeo login has the same options")
    steps.append("systemctl restart crio" if options.user else "systemctl reload crio")
    login = (
        f"{CRIO_AUTH_FILE} must also hold the accounts of a global_auth_file that CRI-O had before."
        if options.user
        else "Pulls through the mirror are anonymous without --user."
    )
    secrets = "CRI-O sends the pull secrets of pods only to the registry itself, not to the mirror."
    return ClientSetup(files, steps, [SILENT_FALLBACK, secrets, login])


def _short_names(options: ClientOptions) -> list[str]:
    return [_SHORT_NAMES] if any(registry.name == DOCKER_IO for registry in options.registries) else []


def _files(options: ClientOptions) -> list[ClientFile]:
    content = render_toml("clients/registries.conf.j2", {"registries": options.registries})
    files = [ClientFile(REGISTRIES_FILE, content)]
    if options.ca_pem:
        files += [ClientFile(f"{CERTIFICATES_DIRECTORY}/{host}/ca.crt", options.ca_pem) for host in options.hosts]
    return files
