"""The images that the lab's pods run: the programs of the lab in the places where the official images have theirs.

The names of stand-ins say what they stand in for; only an image with the real program has the real name.
"""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache as remembered
from pathlib import Path

from lab import cache, commands, debian
from lab.errors import UsageError
from lab.oci import Entry, Image, fingerprint, layout

REGISTRY = "docker.io/library/registry:3.1.2"
DOCKER_AUTH = "docker.io/cesanta/docker_auth:1.14.0"
DOCKER_AUTH_STAND_IN = "lab.regmirror.test/docker-auth-stand-in:1.14.0"
REDIS_STAND_IN = "lab.regmirror.test/redis-stand-in-for-valkey:7.0.15"
NGINX = "lab.regmirror.test/nginx-of-debian:1"
SHELL = "lab.regmirror.test/shell:1"
PAUSE = "lab.regmirror.test/pause:1"

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
CACHE_NAME = "images"
SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

REGISTRY_ENTRYPOINT = b"""\
#!/bin/sh
# A configuration file as the first argument is served; so is what `registry serve` takes after it.
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
    """An image by its reference; `make` reads the files that it consists of."""

    reference: str
    make: Callable[[], Image]


@dataclass(frozen=True)
class Archive:
    """An image as a file that containerd imports, and the digest that it has then."""

    reference: str
    file: Path
    digest: str


def auth_is_stand_in(environment: Mapping[str, str] = os.environ) -> bool:
    """False where LAB_DOCKER_AUTH names the real docker_auth program."""
    return not environment.get("LAB_DOCKER_AUTH")


def all_images(programs: Mapping[str, Path]) -> list[LabImage]:
    """Every image of the lab; raises UsageError where LAB_DOCKER_AUTH names no program."""
    return [
        LabImage(PAUSE, lambda: Image((_program("pause", programs["pause"]),), {"Entrypoint": ["/pause"]})),
        LabImage(SHELL, lambda: Image(_base(), {"Cmd": ["/bin/sh"], "Env": [SEARCH_PATH]})),
        LabImage(REGISTRY, lambda: _registry(programs["registry"])),
        LabImage(REDIS_STAND_IN, _redis),
        LabImage(NGINX, lambda: _nginx(programs["nginx"])),
        _auth_image(programs["docker-auth-stand-in"]),
    ]


def _auth_image(stand_in: Path) -> LabImage:
    if auth_is_stand_in():
        return LabImage(DOCKER_AUTH_STAND_IN, lambda: _docker_auth(stand_in))
    real = Path(os.environ["LAB_DOCKER_AUTH"]).absolute()
    if not real.is_file():
        raise UsageError(f"LAB_DOCKER_AUTH={real} is no file: give the path of docker_auth's program, auth_server.")
    return LabImage(DOCKER_AUTH, lambda: _docker_auth(real))


def archive(image: LabImage, cache_directory: Path) -> Archive:
    """The image as a file of the build cache, made there if anything in it has changed."""
    content = image.make()

    def make(target: Path) -> None:
        made = layout([content], image.reference)
        made.write_archive(target / "image.tar")
        (target / "digest").write_text(made.digest)

    key = cache.text_key(image.reference, fingerprint(content))
    entry = cache.fill(cache_directory / CACHE_NAME / key, make)
    return Archive(image.reference, entry / "image.tar", (entry / "digest").read_text())


def import_missing(archives: Sequence[Archive], containerd_client: Sequence[str | Path]) -> None:
    """Gives containerd the images that it does not have yet with the same digest."""
    client = [*containerd_client, "--namespace=k8s.io", "images"]
    listed = commands.output_of([*client, "list"], purpose="Listing the images of containerd")
    present = {(words[0], words[2]) for line in listed.splitlines() if len(words := line.split()) > 2}
    for image in archives:
        if (image.reference, image.digest) not in present:
            commands.output_of([*client, "import", image.file], purpose=f"Importing {image.reference}")


def _program(path: str, source: Path) -> Entry:
    return Entry(path, source.read_bytes(), mode=0o755)


@remembered
def _base() -> tuple[Entry, ...]:
    """What Alpine, which the official images build on, has as well: a shell, users, authorities, a /tmp."""
    busybox = debian.program("busybox")
    applets = commands.output_of([busybox, "--list"], purpose="Listing what busybox can do").split()
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
    """Debian's Redis under the names of Valkey, too."""
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
    """The official image ends by SIGQUIT, too: nginx then finishes what it has begun."""
    settings = {
        "Entrypoint": ["nginx", "-g", "daemon off;"],
        "Env": [SEARCH_PATH],
        "ExposedPorts": {"80/tcp": {}},
        "StopSignal": "SIGQUIT",
    }
    return Image((*_base(), Entry("usr/sbin", mode=0o755), *with_libraries("usr/sbin/nginx", program)), settings)


def with_libraries(path: str, source: Path) -> tuple[Entry, ...]:
    """A program and, unless it is static, the shared libraries that it needs, in the directories they have here."""
    listed = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
    files = sorted(set(re.findall(r"(/\S+) \(0x", listed)))
    directories = sorted({str(parent).lstrip("/") for file in files for parent in Path(file).parents} - {""})
    return (
        *(Entry(directory, mode=0o755) for directory in directories),
        *(_program(file.lstrip("/"), Path(file)) for file in files),
        _program(path, source),
    )
