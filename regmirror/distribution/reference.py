"""Image names, as people write them and as the Distribution API needs them."""

from dataclasses import dataclass

from regmirror.config.images import pulled_image
from regmirror.errors import ConfigurationError


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
    try:
        return ImageReference(*pulled_image(text))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
