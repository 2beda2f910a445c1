"""Names of images that clients pull."""

import re
from typing import NamedTuple

DOCKER_HUB = "https://registry-1.docker.io"
DOCKER_IO = "docker.io"
"""Docker Hub in image names; its API has another host."""
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PULLED_IMAGE = re.compile(
    rf"(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)


class NamedImage(NamedTuple):
    """An image as a client names it; ``host`` is empty if the name has none."""

    host: str
    repository: str
    reference: str
    """Tag or digest."""


def named_image(text: str) -> NamedImage:
    """Split ``quay.io/acme/tool:1`` into registry, repository and tag or digest; raises ValueError.

    The first part is a host if it has a dot or a port, or is ``localhost``, as in distribution's ``reference`` package.
    """
    first, slash, rest = text.partition("/")
    has_host = bool(slash) and (first == "localhost" or "." in first or ":" in first)
    host, name = (first, rest) if has_host else ("", text)
    match = _PULLED_IMAGE.fullmatch(name)
    if match is None:
        raise ValueError(f'"{text}" is not an image name such as library/alpine:3')
    return NamedImage(host, match["repository"], match["digest"] or match["tag"] or "latest")


def pulled_image(text: str) -> tuple[str, str]:
    """Split ``alpine``, ``library/alpine:3`` or ``docker.io/acme/tool@sha256:...`` into repository and tag or digest.

    A name without a slash is an official image, ``library/NAME``; without a tag it is ``latest``. Raises ValueError.
    The grammar is that of distribution's ``reference`` package.
    """
    match = _PULLED_IMAGE.fullmatch(text.removeprefix("docker.io/").removeprefix("index.docker.io/"))
    if match is None:
        raise ValueError(f'"{text}" is not an image name such as library/alpine:3')
    repository = match["repository"] if "/" in match["repository"] else f"library/{match['repository']}"
    return repository, match["digest"] or match["tag"] or "latest"
