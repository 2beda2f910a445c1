"""The pulls that Docker Hub still grants, as it tells them with the answer about a manifest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from regmirror.errors import RegistryError

_FIGURE = re.compile(r"\s*(?P<number>\d+)\s*(?:;\s*w=(?P<window>\d+)\s*)?")


@dataclass(frozen=True, slots=True)
class PullLimit:
    """``remaining`` of ``limit`` pulls are left in a window of that many seconds."""

    limit: int
    remaining: int
    window: int


def parse_pull_limit(headers: Mapping[str, str]) -> PullLimit | None:
    """Read ``ratelimit-limit`` and ``ratelimit-remaining``, each ``N;w=SECONDS``; None where no limit is told.

    Raises RegistryError where they are something else. Source: Docker's documentation, "Docker Hub pull usage and
    limits".
    """
    limit, remaining = headers.get("ratelimit-limit"), headers.get("ratelimit-remaining")
    if limit is None or remaining is None:
        return None
    (total, window), (left, _) = _figure(limit), _figure(remaining)
    return PullLimit(total, left, window)


def _figure(text: str) -> tuple[int, int]:
    match = _FIGURE.fullmatch(text)
    if match is None:
        raise RegistryError(f'a limit of pulls is told as "{text[:40]}", not as N;w=SECONDS')
    return int(match["number"]), int(match["window"] or 0)
