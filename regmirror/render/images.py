"""The images that the mirror's own pods run, as its Helm releases name them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regmirror.config.fields import image_parts
from regmirror.config.model import Mirror
from regmirror.desired.secret_templates import secret_templates
from regmirror.render.objects import releases_of


@dataclass(frozen=True, slots=True)
class DeployedImage:
    """One image. ``source`` is the same image without ``imageRegistry``; ``uses`` has its uses by configuration key."""

    repository: str
    tag: str
    digest: str
    source: str
    uses: dict[str, str]

    @property
    def reference(self) -> str:
        """The image as pods name it."""
        return _reference(self.repository, self.tag, self.digest)


def deployed_images(mirror: Mirror) -> list[DeployedImage]:
    """Every image once, in the order of its name; ``mirror`` is the configuration as it is in the file."""
    images: dict[tuple[str, str, str], DeployedImage] = {}
    for (key, use, image), (_, _, source) in zip(_images(mirror.relocated()), _images(mirror), strict=True):
        parts = (image["repository"], image["tag"], image["digest"])
        known = images.setdefault(parts, DeployedImage(*parts, _reference(**source), {}))
        known.uses[key] = use
    return [images[parts] for parts in sorted(images)]


_SECTIONS = {"sign-in": "redis", "job": "verification", "metrics": "fetcher"}
"""By component or container: the key of the file with its image, if it has another name."""


def _images(mirror: Mirror) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Key, use and parts of each image in the values of all releases."""
    for release in releases_of(mirror, secret_templates(mirror), ""):
        for path, image in _within(release.values):
            part = path[-2] if len(path) > 1 else release.component
            section = _SECTIONS.get(part, part)
            yield f"{section}.image", _use(section, release.name), image


def _within(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """The images in the values of a chart, ours or another one; each with its path."""
    for key, value in values.items():
        if key == "image" and value:
            yield (*path, key), image_parts(value) if isinstance(value, str) else _parts(value)
        elif isinstance(value, dict):
            yield from _within(value, (*path, key))


def _parts(image: dict[str, Any]) -> dict[str, str]:
    """Some charts name the registry separately."""
    parts = {part: str(image.get(part) or "") for part in ("registry", "repository", "tag", "digest")}
    registry = parts.pop("registry")
    return parts | ({"repository": f"{registry}/{parts['repository']}"} if registry else {})


def _use(section: str, release: str) -> str:
    field = Mirror.model_fields.get(section)
    return str(field.description) if field else f"A container of the Helm release {release}."


def _reference(repository: str, tag: str, digest: str) -> str:
    return repository + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")
