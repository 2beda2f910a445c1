"""A registry as a pull-through cache of the Docker Hub stand-in, on loopback: both are the programs of the lab."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import urllib3

from .programs import START_TIMEOUT, free_port

REPOSITORY = "acme/image"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{sha256(content).hexdigest()}"


@dataclass(frozen=True)
class PullThrough:
    """The cache at ``url``, its files, and its upstream with its control interface and storage."""

    url: str
    files: Path
    upstream: str
    control: str
    storage: str

    def inject(self, mode: str, kind: str) -> None:
        """Let the upstream answer requests of a kind with a fault."""
        self._set_faults({"registry": {"mode": mode, "only": kind}})

    def end_faults(self) -> None:
        self._set_faults({})

    def _set_faults(self, faults: dict[str, Any]) -> None:
        assert urllib3.request("PUT", f"{self.control}/faults", json=faults).status == 200

    def publish(self, tag: str, layer: bytes) -> tuple[bytes, bytes]:
        """Push an image with one layer to the upstream; returns its manifest and its layer."""
        config = json.dumps({"tag": tag}).encode()
        for blob in (config, layer):
            started = urllib3.request("POST", f"{self.storage}/v2/{REPOSITORY}/blobs/uploads/")
            separator = "&" if "?" in started.headers["Location"] else "?"
            target = f"{started.headers['Location']}{separator}digest={digest_of(blob)}"
            headers = {"Content-Type": "application/octet-stream"}
            assert urllib3.request("PUT", target, body=blob, headers=headers).status == 201
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
                "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
            }
        ).encode()
        target = f"{self.storage}/v2/{REPOSITORY}/manifests/{tag}"
        assert urllib3.request("PUT", target, body=manifest, headers={"Content-Type": MANIFEST_TYPE}).status == 201
        return manifest, layer

    def get(self, kind: str, reference: str) -> tuple[int, bytes]:
        """Status and body of what a client receives; the body may be cut, and status 0 is no answer.

        Each request has a connection of its own, because the registry closes that of an answer that it breaks off.
        """
        url, received = f"{self.url}/v2/{REPOSITORY}/{kind}/{reference}", b""
        try:
            headers = {"Accept": MANIFEST_TYPE, "Connection": "close"}
            answer = urllib3.request("GET", url, headers=headers, retries=False, preload_content=False)
            for chunk in answer.stream():
                received += chunk
        except urllib3.exceptions.HTTPError:
            return 0, received
        return answer.status, received

    def wrong_files(self) -> list[Path]:
        """The files of the cache whose content does not match the digest in their path."""
        blobs = ((path, content) for path, content in self._contents() if path.parts[-5:-3] == ("blobs", "sha256"))
        return [path for path, content in blobs if sha256(content).hexdigest() != path.parent.name]

    def keeps(self, content: bytes) -> bool:
        """Whether the cache has stored a content, right or wrong."""
        return any(stored == content for _, stored in self._contents())

    def _contents(self) -> Iterator[tuple[Path, bytes]]:
        """The content of everything that is stored; the registry may remove an upload meanwhile."""
        for path in (Path(directory, "data") for directory, _, names in os.walk(self.files) if "data" in names):
            with suppress(FileNotFoundError):
                yield path, path.read_bytes()


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


@contextmanager
def pull_through(
    registry: Path, hub: Path, directory: Path, account: tuple[str, str] | None = None
) -> Iterator[PullThrough]:
    """Run a storage registry, the stand-in before it and the cache before that one, for the duration of the block.

    With an account, only that can read the repository at the upstream, and the cache pulls with it.
    """
    storage, upstream, control, cache = (f"127.0.0.1:{free_port()}" for _ in range(4))
    stand_in: list[str | Path] = [hub, "--listen", upstream, "--control", control, "--registry", f"http://{storage}"]
    proxy = {"remoteurl": f"http://{upstream}"}
    if account:
        stand_in += ["--account", ":".join(account), "--private", REPOSITORY]
        proxy |= {"username": account[0], "password": account[1]}
    commands: list[list[str | Path]] = [
        [registry, "serve", _configuration(directory, "storage", storage)],
        [*stand_in, "--anonymous-limit", "0"],
        [registry, "serve", _configuration(directory, "cache", cache, proxy=proxy)],
    ]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command, address in zip(commands, (storage, upstream, cache), strict=True):
            processes.append(subprocess.Popen(command, env={"OTEL_TRACES_EXPORTER": "none"}, stderr=subprocess.DEVNULL))
            _await_answer(f"http://{address}/v2/")
        urls = (f"http://{address}" for address in (upstream, control, storage))
        yield PullThrough(f"http://{cache}", directory / "cache", *urls)
    finally:
        for process in processes:
            process.terminate()
            process.wait(START_TIMEOUT)


def _await_answer(url: str) -> None:
    """Wait until the program listens: a refused connection is tried again, a little later each time."""
    urllib3.request("GET", url, retries=urllib3.Retry(connect=20, read=0, status=0, backoff_factor=0.01, redirect=0))


def _configuration(directory: Path, name: str, address: str, **sections: Any) -> Path:
    content = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(directory / name)}, "delete": {"enabled": True}},
        "http": {"addr": address, "secret": "of this test"},
        **sections,
    }
    path = directory / f"{name}.json"
    path.write_text(json.dumps(content))
    return path
