"""The registry that all images of the mirror's own pods come from."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from regmirror.config.fields import image_parts
from regmirror.config.images import DOCKER_IO

_PART = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
# Without a dot, a port or "localhost", container runtimes read the first part as a name on Docker Hub.
_REGISTRY = re.compile(rf"(localhost|(?=[^/]*[.:])[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:[0-9]{{1,5}})?(/{_PART})*")


def image_registry(value: object) -> str:
    """HOST, HOST:PORT or HOST/PATH, without a slash at the end; raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError("expected a string")
    text = value.rstrip("/")
    if "@" in text:
        raise ValueError("credentials are not allowed: name a Secret in imagePullSecrets")
    if "://" in text:
        raise ValueError(f'write the registry without a scheme: "{text.split("://")[1]}"')
    if not _REGISTRY.fullmatch(text):
        raise ValueError(f'"{value}" is not a registry such as registry.example.com or registry.example.com/mirror')
    return text


ImageRegistry = Annotated[
    str,
    BeforeValidator(image_registry),
    WithJsonSchema({"type": "string", "description": "A registry host, with a port and a path if needed."}),
]


def relocate(image: str, registry: str) -> str:
    """The same image in another registry: the host is replaced; path, tag and digest are kept.

    ``docker.io/library/nginx:1`` in ``registry.example.com/mirror`` is ``registry.example.com/mirror/library/nginx:1``.
    An image of this registry is kept as it is.
    """
    repository = image_parts(image)["repository"]
    if repository.startswith(f"{registry}/"):
        return image
    return f"{registry}/{_path(repository)}{image.removeprefix(repository)}"


def _path(repository: str) -> str:
    """The repository within its registry; official images of Docker Hub are in ``library``."""
    host, slash, path = repository.partition("/")
    has_host = bool(slash) and ("." in host or ":" in host or host == "localhost")
    host, path = (host, path) if has_host else (DOCKER_IO, repository)
    return f"library/{path}" if host == DOCKER_IO and "/" not in path else path


def relocated_sections(sections: dict[str, Any], registry: str) -> dict[str, Any]:
    """Those sections that have an image, with the same image in another registry."""
    return {
        name: section.model_copy(update={"image": relocate(section.image, registry)})
        for name, section in sections.items()
        if isinstance(getattr(section, "image", None), str)
    }
