"""Sends each kind of client request to a mirror, and classifies the answers."""

import hashlib
import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from regmirror.adapters.http import Urllib3Http, parse_resolve
from regmirror.distribution.client import MANIFEST_TYPES, RegistryClient
from regmirror.errors import RegistryError
from regmirror.ports.http import Answer
from regmirror.verify.sample_pull import parse_image
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.download import Download
from tests.e2e.waiting import on_this_machine

CLIENT_TIMEOUT = 20.0
"""Seconds that a client waits for a byte, on an idle machine."""
MEASURED = 12.0
"""Seconds for which each kind of request is repeated: longer than the mirror caches a tag."""
PAUSE = 0.1
SERVED, NOTHING, DAMAGED = "served", "no answer", "damaged"
TOKEN, TAG, DIGEST, LAYER, NEW = "token", "tag", "digest", "layer", "new"
KINDS = (TOKEN, TAG, DIGEST, LAYER, NEW)
CACHED = frozenset({TAG, DIGEST, LAYER})
"""The requests of a client that pulls a cached image and already has a token."""
Ask = Callable[[], str]


@dataclass
class Figures:
    """The answers to one kind of request, with their number and durations in seconds."""

    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def served(self) -> bool:
        """Whether every request was served."""
        return set(self.answers) == {SERVED}

    def document(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        median, longest = statistics.median(self.seconds), max(self.seconds)
        return {"answers": dict(self.answers), "median": round(median, 3), "max": round(longest, 3)}

    def add(self, ask: Ask) -> None:
        """Send one request."""
        began = time.monotonic()
        self.answers[ask()] += 1
        self.seconds.append(time.monotonic() - began)


@dataclass(frozen=True)
class CachedImage:
    """The digests of an image that a client has pulled, which must never change."""

    repository: str
    tag: str
    manifest: str
    layer: str


class Puller:
    """A client of one mirror, which keeps the tokens from before an outage."""

    def __init__(self, mirror: DeployedMirror) -> None:
        target = mirror.target
        addresses = [f"{mirror.host}:443:{target.address}"] if target.address else []
        self._http = Urllib3Http(parse_resolve(addresses), target.authority, timeout=on_this_machine(CLIENT_TIMEOUT))
        self._client = RegistryClient(self._http, f"https://{mirror.endpoint}")
        self._service = mirror.endpoint
        self._tokens: dict[str, str | None] = {}

    def remember(self, name: str, *, layers: bool = True) -> CachedImage:
        """Pull an image, so that the mirror caches it; without ``layers``, only its manifest."""
        image = parse_image(name)
        self.renew(image.repository)
        token = self._tokens[image.repository]
        manifest = self._client.manifest(image, token)
        for blob in manifest.blobs if layers else []:
            self._client.check_blob(image.repository, blob, token)
        return CachedImage(image.repository, image.reference, manifest.digest, manifest.blobs[-1]["digest"])

    def renew(self, repository: str) -> None:
        """Get a token for further requests to a repository."""
        self._tokens[repository] = self._client.pull_token(repository)

    def asks(self, image: CachedImage) -> dict[str, Ask]:
        """A function for each kind of request for a cached image; it returns how the request was answered."""
        name = image.repository
        return {
            TOKEN: lambda: self._answered(f"/auth?service={self._service}&scope=repository:{name}:pull"),
            TAG: lambda: self._answered(f"/v2/{name}/manifests/{image.tag}", name, image.manifest),
            DIGEST: lambda: self._answered(f"/v2/{name}/manifests/{image.manifest}", name, image.manifest),
            LAYER: lambda: self._answered(f"/v2/{name}/blobs/{image.layer}", name, image.layer),
        }

    def download(self, name: str) -> Download:
        """The download of an image's last layer, which the mirror has cached."""
        image = parse_image(name)
        self.renew(image.repository)
        token = self._tokens[image.repository]
        layer = self._client.manifest(image, token).blobs[-1]
        self._client.check_blob(image.repository, layer, token)
        url = f"{self._client.base}/v2/{image.repository}/blobs/{layer['digest']}"
        return Download(self._http, url, {"Authorization": f"Bearer {token}"}, layer["digest"])

    def pull(self, name: str) -> str:
        """Pull the manifest by tag and the last layer of an image that may not be cached; returns the answer."""
        image = parse_image(name)
        answer = self._ask(f"/v2/{image.repository}/manifests/{image.reference}", image.repository)
        if not isinstance(answer, Answer) or answer.status != 200:
            return _classified(answer)
        layer = json.loads(answer.body)["layers"][-1]["digest"]
        return self._answered(f"/v2/{image.repository}/blobs/{layer}", image.repository, layer)

    def _answered(self, path: str, repository: str = "", digest: str = "") -> str:
        return _classified(self._ask(path, repository), digest)

    def _ask(self, path: str, repository: str) -> Answer | RegistryError:
        try:
            return self._client.request("GET", path, self._tokens.get(repository), MANIFEST_TYPES)
        except RegistryError as error:
            return error


def _classified(answer: Answer | RegistryError, digest: str = "") -> str:
    if isinstance(answer, RegistryError):
        return NOTHING if "did not answer in time" in answer.message else "broken off"
    if answer.status != 200:
        return str(answer.status)
    sound = not digest or digest == "sha256:" + hashlib.sha256(answer.body).hexdigest()
    return SERVED if sound else DAMAGED


def measure(asks: Mapping[str, Ask], once: Mapping[str, Ask], seconds: float = MEASURED) -> dict[str, Figures]:
    """The figures of each kind of request; all kinds run in parallel, ``asks`` repeatedly and ``once`` only once."""
    figures = {kind: Figures() for kind in [*asks, *once]}
    ends = time.monotonic() + seconds

    def repeat(kind: str, ask: Ask) -> None:
        figures[kind].add(ask)
        while kind in asks and time.monotonic() < ends:
            time.sleep(PAUSE)
            figures[kind].add(ask)

    threads = [threading.Thread(target=repeat, args=item) for item in [*asks.items(), *once.items()]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return figures


def seconds_until_served(asks: Mapping[str, Ask], limit: float) -> float:
    """Seconds until every kind of request is served in one round; the test fails after ``limit`` on an idle machine."""
    began = time.monotonic()
    while True:
        answers = {kind: ask() for kind, ask in asks.items()}
        passed = time.monotonic() - began
        if set(answers.values()) == {SERVED}:
            return passed
        assert passed < on_this_machine(limit), answers
        time.sleep(PAUSE)
