"""Which probes the mirror was asked for, from the log of the registry's front."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ID = re.compile(r"[0-9a-f]{16}")
_CREDENTIALS = {"none", "token", "login"}


@dataclass(frozen=True, slots=True)
class Sighting:
    """One request for a probe that reached the mirror."""

    id: str
    status: int
    credentials: str
    """What the request was sent with: ``none``, a ``token`` of the mirror, or a ``login``."""
    client: str
    """The beginning of the user agent, such as ``containerd/2.4.2``."""

    @property
    def is_pull(self) -> bool:
        """Whether the registry accepted the token: the node got one, and may pull."""
        return self.credentials == "token" and self.status not in {401, 403}

    @property
    def is_refused(self) -> bool:
        """Whether the registry refused the token."""
        return self.credentials == "token" and not self.is_pull


def parse_sightings(log: str) -> Iterator[Sighting]:
    """The requests for probes in a log; other lines, such as warnings of nginx, are skipped."""
    for line in log.splitlines():
        if line.startswith('{"probe":') and (found := _sighting(line)):
            yield found


def _sighting(line: str) -> Sighting | None:
    try:
        entry: Any = json.loads(line)
        found = Sighting(str(entry["probe"]), int(entry["status"]), str(entry["credentials"]), str(entry["client"]))
    except (ValueError, KeyError, TypeError):
        return None
    return found if _ID.fullmatch(found.id) and found.credentials in _CREDENTIALS else None
