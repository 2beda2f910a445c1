"""The pull quota of an upstream, which Docker Hub reports with every manifest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from regmirror.distribution.client import MANIFEST_TYPES, ManifestMissingError, RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError

PREVIEW_IMAGE = ImageReference("ratelimitpreview/test", "latest")
"""The image that Docker Hub offers for this question (docs.docker.com, "Docker Hub pull usage and limits")."""

_FIGURE = re.compile(r"\s*(?P<number>\d+)\s*(?:;\s*w=(?P<window>\d+)\s*)?")


@dataclass(frozen=True, slots=True)
class PullLimit:
    """``remaining`` of ``limit`` pulls are left in a window of ``window`` seconds."""

    limit: int
    remaining: int
    window: int


def ask_pull_limit(client: RegistryClient, image: ImageReference) -> PullLimit | None:
    """The quota that the upstream reports to a client for an image, or None; a HEAD does not count as a pull.

    Raises RegistryError; ManifestMissingError if the upstream does not have the image.
    """
    path = f"/v2/{image.repository}/manifests/{image.reference}"
    answer = client.request("HEAD", path, client.pull_token(image.repository), MANIFEST_TYPES)
    # If no pull is left, the answer is 429 with the same headers.
    if answer.status not in {200, 429}:
        error = ManifestMissingError if answer.status == 404 else RegistryError
        raise error(f"{client.base}{path} answered {answer.status}")
    return parse_pull_limit(answer.headers)


def parse_pull_limit(headers: Mapping[str, str]) -> PullLimit | None:
    """Parse ``ratelimit-limit`` and ``ratelimit-remaining``, each ``N;w=SECONDS``; None if they are absent.

    Raises RegistryError if they have another form. Source: Docker's documentation, "Docker Hub pull usage and limits".
    """
    limit, remaining = headers.get("ratelimit-limit"), headers.get("ratelimit-remaining")
    if limit is None or remaining is None:
        return None
    (total, window), (left, _) = _figure(limit), _figure(remaining)
    return PullLimit(total, left, window)


def _figure(text: str) -> tuple[int, int]:
    match = _FIGURE.fullmatch(text)
    if match is None:
        raise RegistryError(f'the pull limit has an unknown form: "{text[:40]}" instead of N;w=SECONDS')
    return int(match["number"]), int(match["window"] or 0)
