"""Image names, as people write them and as the Distribution API needs them."""

import re
from dataclasses import dataclass

from regmirror.errors import ConfigurationError

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A repository of an upstream, with a tag or digest."""

    repository: str
    reference: str

    def __str__(self) -> str:
        return f"{self.repository}{'@' if ':' in self.reference else ':'}{self.reference}"


def parse_image(text: str) -> ImageReference:
    """Parse ``alpine``, ``library/alpine:3``, ``docker.io/acme/tool@sha256:...``; raises ConfigurationError.

    A name without a slash is an official image, known to the API as ``library/NAME``; without a tag it is ``latest``.
    The grammar is that of distribution's ``reference`` package.
    """
    name = text.removeprefix("docker.io/").removeprefix("index.docker.io/")
    match = _REFERENCE.fullmatch(name)
    if match is None:
        raise ConfigurationError(f'"{text}" is not an image name such as library/alpine:3')
    repository = match["repository"] if "/" in match["repository"] else f"library/{match['repository']}"
    return ImageReference(repository, match["digest"] or match["tag"] or "latest")
