"""A continuous load of real pulls through the Ingress; counts each one."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from regmirror.adapters.http import Urllib3Http, parse_resolve
from regmirror.distribution.client import RegistryClient
from regmirror.errors import RegmirrorError
from regmirror.verify.sample_pull import parse_image
from tests.e2e.deployed_mirror import DeployedMirror

PAUSE = 0.25
SLOW_BYTES_PER_SECOND = 1_000_000
TOKEN_USED_FOR = 55.0
"""Seconds for which a client uses a token; the mirror's tokens are valid for a minute."""
SMALL, BIG = parse_image("library/demo:1"), parse_image("library/big:1")


@dataclass
class Load:
    """Clients that pull until they are stopped; records each failure with its time and reason."""

    mirror: DeployedMirror
    authority: Path | None = None
    """The CA certificates that the clients trust; those of the target cluster by default."""
    with_slow_downloads: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Generates load for the duration of the block; waits for slow downloads at the end."""
        kinds = {
            "manifest and layer, fresh token": self._fresh(),
            "manifest, old token": self._old(),
        }
        if self.with_slow_downloads:
            kinds |= {"slow blob": self._slow(), "slow blob, started later": self._slow(after=10.0)}
        threads = [threading.Thread(target=self._repeat, args=item) for item in kinds.items()]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def report(self) -> str:
        """The number of pulls of each kind, and the failures."""
        lines = [f"  {count:6} {kind}" for kind, count in sorted(self.counts.items())]
        total = sum(self.counts.values())
        return "\n".join([*lines, f"  {total:6} in all, {len(self.failures)} failed", *self.failures[:20]])

    def _repeat(self, kind: str, pull: Callable[[], object]) -> None:
        while not self._stop.is_set():
            try:
                pull()
            except RegmirrorError as error:
                with self._lock:
                    self.failures.append(f"{time.strftime('%X')} {kind}: {error.message}")
            with self._lock:
                self.counts[kind] += 1
            self._stop.wait(PAUSE)

    def _fresh(self) -> Callable[[], object]:
        client = self._client()

        def pull() -> None:
            token = client.pull_token(SMALL.repository)
            child = client.manifest(SMALL, token).children[0]
            manifest = client.manifest(parse_image(f"{SMALL.repository}@{child['digest']}"), token)
            client.check_blob(SMALL.repository, manifest.blobs[-1], token)

        return pull

    def _old(self) -> Callable[[], object]:
        client = self._client()
        token, taken = client.pull_token(SMALL.repository), time.monotonic()

        def pull() -> None:
            nonlocal token, taken
            if time.monotonic() - taken > TOKEN_USED_FOR:
                token, taken = client.pull_token(SMALL.repository), time.monotonic()
            client.manifest(SMALL, token)

        return pull

    def _slow(self, after: float = 0.0) -> Callable[[], object]:
        """A layer that is read so slowly that its download spans a whole rollout of the registry."""
        http = self.http()
        client = RegistryClient(http, f"https://{self.mirror.endpoint}")
        layer = client.manifest(BIG, client.pull_token(BIG.repository)).blobs[-1]
        url = f"{client.base}/v2/{BIG.repository}/blobs/{layer['digest']}"

        def pull() -> None:
            self._stop.wait(after)
            headers = {"Authorization": f"Bearer {client.pull_token(BIG.repository)}"}
            read, started = 0, time.monotonic()
            with http.stream(url, headers) as answer:
                if answer.status != 200:
                    raise RegmirrorError(f"{url} answered {answer.status}")
                for chunk in answer.chunks:
                    read += len(chunk)
                    # Not the event: a download is always completed.
                    time.sleep(max(0.0, started + read / SLOW_BYTES_PER_SECOND - time.monotonic()))
            if read != layer["size"]:
                raise RegmirrorError(f"{url} ended after {read} of {layer['size']} bytes")

        return pull

    def _client(self) -> RegistryClient:
        return RegistryClient(self.http(), f"https://{self.mirror.endpoint}")

    def http(self) -> Urllib3Http:
        """An HTTP client for this mirror."""
        target = self.mirror.target
        addresses = [f"{self.mirror.host}:443:{target.address}"] if target.address else []
        return Urllib3Http(parse_resolve(addresses), self.authority or target.authority, timeout=300.0)
