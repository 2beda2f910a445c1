"""Image names, as the Distribution API needs them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A repository of an upstream, with a tag or digest."""

    repository: str
    reference: str

    def __str__(self) -> str:
        return f"{self.repository}{'@' if ':' in self.reference else ':'}{self.reference}"
