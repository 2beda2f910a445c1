"""The document of ``regmirror images``."""

from typing import Annotated, Literal

from pydantic import Field

from regmirror.config.documents import Document, DocumentPart
from regmirror.render.images import DeployedImage


class ImageUse(DocumentPart):
    """What an image is used for."""

    key: Annotated[str, Field(description="The configuration key of the image.")]
    description: Annotated[str, Field(description="What the image is used for.")]


class ImageReport(DocumentPart):
    """One image."""

    image: Annotated[str, Field(description="The image as pods name it.")]
    repository: Annotated[str, Field(description="The image without tag and digest.")]
    tag: Annotated[str | None, Field(description="The tag; null if there is none.")]
    digest: Annotated[str | None, Field(description="The digest; null if the image is not pinned.")]
    source: Annotated[str, Field(description="Where the image comes from: the same as image without imageRegistry.")]
    uses: Annotated[list[ImageUse], Field(description="What the image is used for.")]


class ImageList(Document):
    """The result of ``regmirror images -o json``."""

    kind: Annotated[Literal["ImageList"], Field(description="Kind of the document.")] = "ImageList"
    host: Annotated[str, Field(description="Public host of the mirror.")]
    image_registry: Annotated[
        str | None, Field(description="The registry that all images come from; null if each names its own.")
    ]
    images: Annotated[list[ImageReport], Field(description="Every image, in the order of its name.")]


def image_list(host: str, registry: str | None, images: list[DeployedImage]) -> ImageList:
    """The report on the images of a mirror."""
    return ImageList(host=host, image_registry=registry, images=[_report(image) for image in images])


def _report(image: DeployedImage) -> ImageReport:
    return ImageReport(
        image=image.reference,
        repository=image.repository,
        tag=image.tag or None,
        digest=image.digest or None,
        source=image.source,
        uses=[ImageUse(key=key, description=description) for key, description in image.uses.items()],
    )
