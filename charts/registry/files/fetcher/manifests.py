"""Asks the registry once for a manifest that many clients want at the same moment, and verifies its digest."""

import asyncio
import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fetcher.messages import Answer, MessageError
from fetcher.origin import Origin
from fetcher.unsupported import unsupported_type

_LIMIT = 8 * 1024 * 1024
"""Bytes of a manifest; distribution keeps none of more than 4 MiB, and asks the upstream for it every time."""
_PATIENCE = 60.0
_PATIENCE_WITH_KNOWN = 5.0
"""Seconds until a tag's last known manifest is served instead."""
_JOINABLE = 10.0
"""Seconds for which others join a request: the upstream may answer a new one, and never the one that hangs."""
_KNOWN_LIMIT = 32 * 1024 * 1024
"""Bytes of all last known manifests."""

RESULT_HEADER = "x-regmirror-result"
"""Says how an answer came about, if not from the registry; the front counts by it."""
Key = tuple[str, str]
"""A path, and the Accept header."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Request:
    task: asyncio.Task[Answer]
    began: float


@dataclass(frozen=True, slots=True)
class _Known:
    answer: Answer
    confirmed: float

    def marked(self, result: str) -> Answer:
        """The answer, with a word for the front's log."""
        return replace(self.answer, headers={**self.answer.headers, RESULT_HEADER: result})


@dataclass(slots=True)
class Manifests:
    """The manifests of one upstream."""

    origin: Origin
    _running: dict[Key, _Request] = field(default_factory=dict)
    _known: OrderedDict[Key, _Known] = field(default_factory=OrderedDict)

    async def ask(self, path: str, client: Mapping[str, str]) -> Answer:
        """The registry's answer, the same for all who ask while it is awaited.

        If the registry fails, a tag's last answer is given again. What a tag's answer was is also given by its digest,
        without asking. A manifest that does not have the digest by which it is asked for or under which it is sent
        becomes a 502, and one of a type that the registry does not support a 404.
        """
        key = (path, client.get("accept", ""))
        while True:
            request = self._running.get(key)
            if is_first := request is None or time.monotonic() - request.began > _JOINABLE:
                request = self._start(key, client)
            with self.origin.figures.waiting(path):
                answer = await asyncio.shield(request.task)
            # Another client's token may have just expired.
            if is_first or answer.status not in {401, 403}:
                if not is_first:
                    self.origin.figures.shared(path)
                return answer

    def _start(self, key: Key, client: Mapping[str, str]) -> _Request:
        request = _Request(asyncio.create_task(self._fetch(key, client)), time.monotonic())
        self._running[key] = request

        def end(_: object) -> None:
            if self._running.get(key) is request:
                del self._running[key]

        request.task.add_done_callback(end)
        return request

    async def _fetch(self, key: Key, client: Mapping[str, str]) -> Answer:
        known = self._known.get(key)
        if known and _is_by_digest(key[0]):
            return known.marked("hit")
        try:
            patience = _PATIENCE_WITH_KNOWN if known else _PATIENCE
            async with self.origin.get(key[0], client, patience) as response:
                answer = _checked(key[0], await response.answer(_LIMIT))
        except MessageError as error:
            answer = unavailable(str(error))
        if answer.status >= 500 and known:
            _log.warning("%s: %d: the last known answer is given", key[0], answer.status)
            self.origin.figures.served_stale(key[0], known.confirmed)
            return known.marked("stale")
        if answer.status == 200 and not _is_by_digest(key[0]):
            # Clients ask for the tag's digest first, and then for the manifest with this digest.
            for reference in (key[0], f"{key[0].rpartition('/')[0]}/{_digest(answer.body)}"):
                self._remember((reference, key[1]), answer)
        return answer

    def _remember(self, key: Key, answer: Answer) -> None:
        self._known[key] = _Known(answer, time.monotonic())
        self._known.move_to_end(key)
        excess = sum(len(known.answer.body) for known in self._known.values()) - _KNOWN_LIMIT
        while excess > 0:
            _, forgotten = self._known.popitem(last=False)
            excess -= len(forgotten.answer.body)


def unavailable(reason: str) -> Answer:
    """A 502 in the words of the distribution specification."""
    return _error(502, "UNAVAILABLE", f"the mirror cannot fetch this now: {reason}")


def _error(status: int, code: str, message: str) -> Answer:
    errors = {"errors": [{"code": code, "message": message}]}
    return Answer(status, {"content-type": "application/json"}, json.dumps(errors).encode())


def _is_by_digest(path: str) -> bool:
    return "/manifests/sha256:" in path


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _checked(path: str, answer: Answer) -> Answer:
    if answer.status == 500 and (kind := unsupported_type(answer.body)):
        return _error(404, "MANIFEST_UNKNOWN", f"the mirror does not support manifests of the type {kind}")
    return _verified(path, answer) if answer.status == 200 else answer


def _verified(path: str, answer: Answer) -> Answer:
    digest = _digest(answer.body)
    reference = path.rpartition("/")[2]
    claimed = reference if reference.startswith("sha256:") else answer.headers.get("docker-content-digest", digest)
    if claimed == digest or not claimed.startswith("sha256:"):
        return answer
    _log.error("%s: the registry sent a manifest with another digest: %s instead of %s", path, digest, claimed)
    return unavailable("the upstream sent a manifest that does not match its digest")
