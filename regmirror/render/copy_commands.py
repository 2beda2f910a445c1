"""Commands that copy the images of a mirror to another registry."""

import shlex
from enum import StrEnum

from regmirror.render.images import DeployedImage


class CopyTool(StrEnum):
    """The programs that copy images between registries."""

    CRANE = "crane"
    SKOPEO = "skopeo"


def copy_commands(images: list[DeployedImage], tool: CopyTool) -> list[str]:
    """One command for each image that has another source. All platforms are copied, so that the digest is the same."""
    return [_command(image, tool) for image in images if image.reference != image.source]


def _command(image: DeployedImage, tool: CopyTool) -> str:
    target = f"{image.repository}:{image.tag}" if image.tag else image.reference
    if tool is CopyTool.CRANE:
        return shlex.join(["crane", "copy", image.source, target])
    # skopeo takes a tag or a digest, not both.
    source = image.source
    if image.tag and image.digest:
        source = source.replace(f":{image.tag}@", "@")
    return shlex.join(["skopeo", "copy", "--all", "--preserve-digests", f"docker://{source}", f"docker://{target}"])
