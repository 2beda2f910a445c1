"""The images of the lab's pods: the lab's programs at the paths where the official images have theirs.

The name of a stand-in says what it replaces; only an image with the real program has the real name.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache as remembered
from pathlib import Path

from lab import cache, commands, debian, python_files
from lab.components import NGINX_VERSION
from lab.errors import UsageError
from lab.oci import Entry, Image, fingerprint, layout
from lab.shared_libraries import with_libraries

REGISTRY = "docker.io/library/registry:3.1.2"
DOCKER_AUTH = "docker.io/cesanta/docker_auth:1.14.0"
DOCKER_AUTH_STAND_IN = "lab.regmirror.test/docker-auth-stand-in:1.14.0"
REDIS_STAND_IN = "lab.regmirror.test/redis-stand-in-for-valkey:7.0.15"
NGINX = f"lab.regmirror.test/nginx:{NGINX_VERSION}"
PYTHON = "lab.regmirror.test/python:3"
SHELL = "lab.regmirror.test/shell:1"
PAUSE = "lab.regmirror.test/pause:1"

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
CACHE_NAME = "images"
SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

REGISTRY_ENTRYPOINT = b"""\
#!/bin/sh
# Serves the configuration file in the first argument; further arguments are those of `registry serve`.
set -e
case "${1:-}" in
    *.yml | *.yaml) set -- registry serve "$@" ;;
    serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
"""
REGISTRY_DEFAULTS = b"""\
version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
"""


@dataclass(frozen=True)
class LabImage:
    """An image reference; `make` reads the files of the image."""

    reference: str
    make: Callable[[], Image]


@dataclass(frozen=True)
class Archive:
    """An image as a file for `ctr images import`, and the digest of the imported image."""

    reference: str
    file: Path
    digest: str


def auth_is_stand_in(environment: Mapping[str, str] = os.environ) -> bool:
    """False if LAB_DOCKER_AUTH names the real docker_auth program."""
    return not environment.get("LAB_DOCKER_AUTH")


def all_images(programs: Mapping[str, Path]) -> list[LabImage]:
    """Every image of the lab; raises UsageError if LAB_DOCKER_AUTH is not the path of a file."""
    return [
        LabImage(PAUSE, lambda: Image((_program("pause", programs["pause"]),), {"Entrypoint": ["/pause"]})),
        LabImage(SHELL, lambda: Image(_base(), {"Cmd": ["/bin/sh"], "Env": [SEARCH_PATH]})),
        LabImage(REGISTRY, lambda: _registry(programs["registry"])),
        LabImage(REDIS_STAND_IN, _redis),
        LabImage(NGINX, lambda: _nginx(programs["nginx"])),
        LabImage(PYTHON, _python),
        _auth_image(programs["docker-auth-stand-in"]),
    ]


def _auth_image(stand_in: Path) -> LabImage:
    if auth_is_stand_in():
        return LabImage(DOCKER_AUTH_STAND_IN, lambda: _docker_auth(stand_in))
    real = Path(os.environ["LAB_DOCKER_AUTH"]).absolute()
    if not real.is_file():
        raise UsageError(
            f"LAB_DOCKER_AUTH={real} is not a file: set it to the path of docker_auth's program, auth_server"
        )
    return LabImage(DOCKER_AUTH, lambda: _docker_auth(real))


def archive(image: LabImage, cache_directory: Path) -> Archive:
    """The image as a file in the build cache; created if the image has changed."""
    content = image.make()

    def make(target: Path) -> None:
        made = layout([content], image.reference)
        made.write_archive(target / "image.tar")
        (target / "digest").write_text(made.digest)

    key = cache.text_key(image.reference, fingerprint(content))
    entry = cache.fill(cache_directory / CACHE_NAME / key, make)
    return Archive(image.reference, entry / "image.tar", (entry / "digest").read_text())


def import_missing(archives: Sequence[Archive], containerd_client: Sequence[str | Path]) -> None:
    """Imports the images that containerd does not have with the same digest."""
    client = [*containerd_client, "--namespace=k8s.io", "images"]
    listed = commands.output_of([*client, "list"], purpose="listing the images of containerd")
    present = {(words[0], words[2]) for line in listed.splitlines() if len(words := line.split()) > 2}
    for image in archives:
        if (image.reference, image.digest) not in present:
            commands.output_of([*client, "import", image.file], purpose=f"importing {image.reference}")


def _program(path: str, source: Path) -> Entry:
    return Entry(path, source.read_bytes(), mode=0o755)


@remembered
def _base() -> tuple[Entry, ...]:
    """What Alpine, the base of the official images, contains: a shell, users, CA certificates, /tmp."""
    busybox = debian.program("busybox")
    applets = commands.output_of([busybox, "--list"], purpose="listing the applets of busybox").split()
    links = [Entry(f"bin/{name}", target="/bin/busybox") for name in sorted(applets) if name != "busybox"]
    return (
        *(Entry(path, mode=0o755) for path in ("bin", "etc", "etc/ssl", "etc/ssl/certs", "usr", "usr/bin", "var")),
        Entry("tmp", mode=0o1777),
        Entry("root", mode=0o700),
        Entry("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
        Entry("etc/group", b"root:x:0:\nnogroup:x:65534:\n"),
        Entry("etc/ssl/certs/ca-certificates.crt", AUTHORITIES.read_bytes()),
        *with_libraries("bin/busybox", busybox),
        *links,
        Entry("usr/bin/env", target="/bin/busybox"),
    )


def _registry(program: Path) -> Image:
    entries = (
        *_base(),
        _program("bin/registry", program),
        Entry("entrypoint.sh", REGISTRY_ENTRYPOINT, mode=0o755),
        Entry("etc/distribution", mode=0o755),
        Entry("etc/distribution/config.yml", REGISTRY_DEFAULTS),
        Entry("var/lib", mode=0o755),
        Entry("var/lib/registry", mode=0o755),
    )
    settings = {
        "Entrypoint": ["/entrypoint.sh"],
        "Cmd": ["/etc/distribution/config.yml"],
        "Env": [SEARCH_PATH, "OTEL_TRACES_EXPORTER=none"],
        "ExposedPorts": {"5000/tcp": {}},
    }
    return Image(entries, settings)


def _docker_auth(program: Path) -> Image:
    entries = (
        *_base(),
        Entry("docker_auth", mode=0o755),
        *with_libraries("docker_auth/auth_server", program),
    )
    settings = {
        "Entrypoint": ["/docker_auth/auth_server"],
        "Cmd": ["/config/auth_config.yml"],
        "Env": [SEARCH_PATH],
        "ExposedPorts": {"5001/tcp": {}},
    }
    return Image(entries, settings)


def _redis() -> Image:
    """Debian's Redis, also with the program names of Valkey."""
    server, client = debian.program("redis-check-rdb"), debian.program("redis-cli")
    entries = (
        *_base(),
        *(Entry(directory, mode=0o755) for directory in ("usr/local", "usr/local/bin", "data")),
        *with_libraries("usr/local/bin/redis-server", server),
        *with_libraries("usr/local/bin/redis-cli", client),
        Entry("usr/local/bin/valkey-server", target="redis-server"),
        Entry("usr/local/bin/valkey-cli", target="redis-cli"),
    )
    settings = {
        "Cmd": ["valkey-server"],
        "Env": [SEARCH_PATH],
        "WorkingDir": "/data",
        "ExposedPorts": {"6379/tcp": {}},
    }
    return Image(entries, settings)


def _nginx(program: Path) -> Image:
    """Stops on SIGQUIT, as the official image does: nginx then completes the requests in progress.

    The program looks for its files in the working directory, that of the official image in /etc/nginx.
    """
    settings = {
        "Entrypoint": ["nginx", "-g", "daemon off;"],
        "Env": [SEARCH_PATH],
        "ExposedPorts": {"80/tcp": {}},
        "StopSignal": "SIGQUIT",
        "WorkingDir": "/etc/nginx",
    }
    directories = (Entry(path, mode=0o755) for path in ("usr/sbin", "etc/nginx"))
    return Image((*_base(), *directories, _program("usr/sbin/nginx", program)), settings)


def _python() -> Image:
    settings = {"Cmd": ["python3"], "Env": [SEARCH_PATH]}
    return Image((*_base(), *python_files.entries()), settings)
