"""Names of images that clients pull."""

import re

DOCKER_HUB = "https://registry-1.docker.io"
DOCKER_IO = "docker.io"
"""Docker Hub in image names; its API has another host."""
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PULLED_IMAGE = re.compile(
    rf"(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)


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
