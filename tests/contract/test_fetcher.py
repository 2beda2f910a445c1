"""The fetcher between the real registry and an upstream with tokens: whose layers it serves, and which referrers."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.e2e.upstream_artifacts import Descriptor, Repository, digest_of

from .pull_through import REPOSITORY, PullThrough, pull_through

USER, PASSWORD = "mirror", "password of the mirror"
FILES = Path(__file__).parents[2] / "charts/registry/files"
OPEN = "library/open"


class _Connection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("fetcher", timeout=30)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass(frozen=True)
class Fetcher:
    """A running fetcher, and the registry and upstream that it asks."""

    socket: Path
    behind: PullThrough

    def ask(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of what the front gets."""
        connection = _Connection(self.socket)
        connection.request(method, path)
        answer = connection.getresponse()
        try:
            body = answer.read()
        except IncompleteRead as error:
            body = error.partial
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, body

    def repository(self, name: str) -> Repository:
        """A repository of the upstream, to be filled."""
        return Repository(name, urlsplit(self.behind.storage).netloc)

    def faults(self, **faults: object) -> None:
        """Let the upstream fail."""
        assert urllib3.request("PUT", f"{self.behind.control}/faults", json=faults).status == 200

    def downloads(self) -> int:
        """How many layers the upstream has sent, to anybody."""
        found = urllib3.request("GET", f"{self.behind.control}/state").json()["requests"]
        wanted = ("GET", "blobs", 200)
        return sum(each["count"] for each in found if (each["method"], each["kind"], each["status"]) == wanted)


@pytest.fixture(scope="module")
def fetcher(registry_program: Path, hub_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetcher]:
    directory = tmp_path_factory.mktemp("fetcher")
    helper = directory / "helper"
    helper.write_text(f"#!/bin/sh\necho '{json.dumps({'Username': USER, 'Secret': PASSWORD})}'\n")
    helper.chmod(0o555)
    (directory / "layers").mkdir()
    account = (USER, PASSWORD)
    with (
        pull_through(registry_program, hub_program, directory, account) as behind,
        tempfile.TemporaryDirectory(prefix="fetcher") as sockets,
    ):
        command = [sys.executable, "-m", "fetcher", sockets, str(directory / "layers"), "--size", "100000000"]
        port = str(urlsplit(behind.url).port)
        ways = ["--registry-port", port, "--upstream", behind.upstream, "--credential-helper", str(helper)]
        environment = {**os.environ, "PYTHONPATH": str(FILES), "PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen([*command, *ways, "--layers", "separate"], env=environment) as process:
            try:
                while not (Path(sockets) / "fetcher.sock").exists():
                    assert process.poll() is None
                    time.sleep(0.02)
                yield Fetcher(Path(sockets) / "fetcher.sock", behind)
            finally:
                process.terminate()


def test_the_probe_of_the_kubelet_tells_a_running_fetcher_from_none(fetcher: Fetcher, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(FILES)}
    for sockets, code in ((fetcher.socket.parent, 0), (tmp_path, 1)):
        probe = [sys.executable, "-m", "fetcher.probe", str(sockets)]
        assert subprocess.run(probe, env=environment, check=False, timeout=30).returncode == code


@pytest.fixture
def layer(fetcher: Fetcher) -> Iterator[Descriptor]:
    """A new layer of the private repository, which a client has brought into the cache."""
    private = fetcher.repository(REPOSITORY)
    found = private.blob(os.urandom(100_000))
    private.image("1", layers=[found])
    status, _, body = fetcher.ask(f"/v2/{REPOSITORY}/blobs/{found['digest']}")
    assert (status, digest_of(body)) == (200, found["digest"])
    while "x-accel-redirect" not in fetcher.ask(f"/v2/{REPOSITORY}/blobs/{found['digest']}")[1]:
        time.sleep(0.02)
    yield found
    fetcher.faults()


def test_the_layer_of_a_private_repository_is_unknown_in_another_one(fetcher: Fetcher, layer: Descriptor) -> None:
    fetcher.repository(OPEN).image("1")
    status, headers, body = fetcher.ask(f"/v2/{OPEN}/blobs/{layer['digest']}")
    assert (status, b"BLOB_UNKNOWN" in body) == (404, True)
    assert "x-accel-redirect" not in headers
    assert fetcher.ask(f"/v2/{OPEN}/blobs/{layer['digest']}", "HEAD")[0] == 404


def test_a_base_that_repositories_share_leaves_the_upstream_once(fetcher: Fetcher, layer: Descriptor) -> None:
    shared = fetcher.repository("library/shared")
    content = urllib3.request("GET", f"{fetcher.behind.storage}/v2/{REPOSITORY}/blobs/{layer['digest']}").data
    shared.image("1", layers=[shared.blob(content)])
    before = fetcher.downloads()
    for _ in range(3):
        found = fetcher.ask(f"/v2/library/shared/blobs/{layer['digest']}")
        assert found[1]["x-accel-redirect"] == f"/complete/{layer['digest']}"
    assert fetcher.downloads() == before


@pytest.mark.parametrize("faults", [{}, {"registry": {"mode": "status", "status": 404, "only": "referrers"}}])
def test_referrers_of_a_private_repository_are_asked_for_with_the_account(
    fetcher: Fetcher, faults: dict[str, object]
) -> None:
    private = fetcher.repository(REPOSITORY)
    image = private.image("signed", annotations={"with": str(faults)})
    signature = private.attach(image, "example/signature")
    fetcher.faults(**faults)
    try:
        status, headers, body = fetcher.ask(f"/v2/{REPOSITORY}/referrers/{image['digest']}")
        assert status == 200, body
        assert [each["digest"] for each in json.loads(body)["manifests"]] == [signature["digest"]]
        assert headers["content-type"] == "application/vnd.oci.image.index.v1+json"
    finally:
        fetcher.faults()


def test_while_the_upstream_is_down_only_what_is_confirmed_is_served(fetcher: Fetcher, layer: Descriptor) -> None:
    # The last test: for seconds, an upstream that did not respond is not asked again.
    fetcher.faults(down=True)
    status, headers, body = fetcher.ask(f"/v2/library/unknown/blobs/{layer['digest']}")
    assert (status, "x-accel-redirect" in headers) == (502, False), body
    assert b"the upstream must confirm that this repository has the layer" in body
    assert "x-accel-redirect" in fetcher.ask(f"/v2/{REPOSITORY}/blobs/{layer['digest']}")[1]
