"""The program of the DaemonSet writes files only after the mirror has proven itself, and removes only its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regmirror.client_config import node_agent
from regmirror.client_config.node_agent import RECORD, ProofError, prove, recorded, remove_files, write_files
from regmirror.ports.http import Answer
from tests.fakes.http import Request
from tests.ports.web_server import serving, write_certificate

FILES = {"docker.io/hosts.toml": "mirror\n", "docker.io/ca.crt": "ca\n"}


def content(directory: Path) -> dict[str, str]:
    found = (path for path in directory.rglob("*") if path.is_file() and path.name != RECORD)
    return {str(path.relative_to(directory)): path.read_text() for path in found}


def test_the_files_are_written_and_removed_again(tmp_path: Path) -> None:
    assert write_files(tmp_path, FILES) == []
    assert content(tmp_path) == FILES
    remove_files(tmp_path, recorded(tmp_path))
    assert content(tmp_path) == {}
    assert not (tmp_path / "docker.io").exists()


def test_a_file_of_somebody_else_is_neither_changed_nor_removed(tmp_path: Path) -> None:
    foreign = tmp_path / "docker.io" / "hosts.toml"
    foreign.parent.mkdir()
    foreign.write_text("theirs\n")
    assert write_files(tmp_path, FILES) == ["docker.io/hosts.toml"]
    remove_files(tmp_path, recorded(tmp_path))
    assert content(tmp_path) == {"docker.io/hosts.toml": "theirs\n"}


def test_what_was_there_already_stays_there(tmp_path: Path) -> None:
    same = tmp_path / "docker.io" / "ca.crt"
    same.parent.mkdir()
    same.write_text(FILES["docker.io/ca.crt"])
    assert write_files(tmp_path, FILES) == []
    remove_files(tmp_path, recorded(tmp_path))
    assert content(tmp_path) == {"docker.io/ca.crt": "ca\n"}


def test_a_later_version_replaces_and_removes_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    assert write_files(tmp_path, {"docker.io/hosts.toml": "new\n"}) == []
    assert content(tmp_path) == {"docker.io/hosts.toml": "new\n"}
    remove_files(tmp_path, recorded(tmp_path))
    assert content(tmp_path) == {}


def test_what_somebody_changed_since_is_theirs(tmp_path: Path) -> None:
    write_files(tmp_path, FILES)
    (tmp_path / "docker.io" / "hosts.toml").write_text("edited\n")
    assert write_files(tmp_path, FILES) == ["docker.io/hosts.toml"]
    remove_files(tmp_path, recorded(tmp_path))
    assert content(tmp_path) == {"docker.io/hosts.toml": "edited\n"}


TREES = st.dictionaries(st.sampled_from(["a/hosts.toml", "a/ca.crt", "b/hosts.toml"]), st.sampled_from("xyz"))


@settings(deadline=None, max_examples=50)
@given(before=TREES, wanted=st.lists(TREES, max_size=3))
def test_whatever_was_there_before_is_there_after(
    tmp_path_factory: pytest.TempPathFactory, before: dict[str, str], wanted: list[dict[str, str]]
) -> None:
    directory = tmp_path_factory.mktemp("certs")
    for name, text in before.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)
    for files in wanted:
        write_files(directory, files)
    remove_files(directory, recorded(directory))
    assert content(directory) == before


@dataclass
class Server:
    """A mirror and an API server at the same address; a test changes the status of an answer."""

    authority: str
    port: int = 0
    statuses: dict[str, int] = field(
        default_factory=lambda: {"challenge": 401, "token": 200, "manifest": 404, "daemonset": 200, "namespace": 200}
    )
    metadata: dict[str, dict[str, str]] = field(default_factory=lambda: {"daemonset": {}, "namespace": {}})

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def answer(self, request: Request) -> Answer:
        if request.path.startswith("/api"):
            assert request.headers["Authorization"] == "Bearer of-the-pod"
            kind = "daemonset" if "daemonsets" in request.path else "namespace"
            return Answer(self.statuses[kind], {}, json.dumps({"metadata": self.metadata[kind]}).encode())
        if request.path == "/auth":
            return Answer(self.statuses["token"], {}, b'{"token": "good"}' if self.statuses["token"] == 200 else b"")
        has_token = request.headers.get("Authorization") == "Bearer good"
        challenge = {"Www-Authenticate": f'Bearer realm="https://{self.host}/auth",service="mirror"'}
        return Answer(self.statuses["manifest" if has_token else "challenge"], {} if has_token else challenge, b"")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    pem = write_certificate(tmp_path / "server.pem", "localhost")
    found = Server(pem.read_text()[pem.read_text().index("-----BEGIN CERTIFICATE") :])
    with serving(found.answer, pem) as found.port:
        yield found


def test_a_mirror_that_serves_is_proven(server: Server) -> None:
    prove(server.host, "library/demo", server.authority)


@pytest.mark.parametrize(
    ("kind", "status"), [("challenge", 200), ("challenge", 502), ("token", 503), ("manifest", 401)]
)
def test_a_mirror_that_does_not_serve_is_not_proven(server: Server, kind: str, status: int) -> None:
    server.statuses[kind] = status
    with pytest.raises(ProofError):
        prove(server.host, "library/demo", server.authority)


def test_a_mirror_that_is_not_trusted_is_not_proven(server: Server) -> None:
    with pytest.raises(ProofError, match="CERTIFICATE_VERIFY_FAILED"):
        prove(server.host, "library/demo", "")


@contextmanager
def agent(server: Server, directory: Path) -> Iterator[subprocess.Popen[str]]:
    """The program, as the pod runs it."""
    wanted = {
        "daemonSet": "regmirror-nodes",
        "mirrors": [{"host": server.host, "repository": "library/demo"}],
        "ca": server.authority,
        "files": FILES,
    }
    account = directory / "account"
    account.mkdir()
    for name, text in {"token": "of-the-pod", "namespace": "regmirror-nodes", "ca.crt": server.authority}.items():
        (account / name).write_text(text)
    (directory / "files.json").write_text(json.dumps(wanted))
    # The paths of a pod, below the directory of this test.
    source = Path(node_agent.__file__).read_text()
    source = source.replace("/tmp/ready", str(directory / "ready")).replace(str(node_agent.ACCOUNT), str(account))
    environment = os.environ | {"KUBERNETES_SERVICE_HOST": "localhost", "KUBERNETES_SERVICE_PORT": str(server.port)}
    words = [sys.executable, "-c", source, str(directory / "files.json"), str(directory / "certs.d")]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0


@pytest.mark.parametrize(
    ("kind", "status", "metadata", "remains"),
    [
        ("daemonset", 200, {}, True),
        ("daemonset", 503, {}, True),
        ("daemonset", 404, {}, False),
        ("daemonset", 403, {}, False),
        ("daemonset", 200, {"deletionTimestamp": "2026-11-23T12:00:00Z"}, False),
        ("namespace", 200, {"deletionTimestamp": "2026-11-23T12:00:00Z"}, False),
    ],
)
def test_the_files_remain_if_only_the_pod_ends(
    server: Server, tmp_path: Path, kind: str, status: int, metadata: dict[str, str], *, remains: bool
) -> None:
    with agent(server, tmp_path) as process:
        assert "the mirror works from this node" in line_of(process)
        assert content(tmp_path / "certs.d") == FILES
        assert (tmp_path / "ready").exists()
        server.statuses[kind], server.metadata[kind] = status, metadata
        stop(process)
    assert content(tmp_path / "certs.d") == (FILES if remains else {})
    assert (tmp_path / "certs.d" / RECORD).exists() == remains


def test_nothing_is_written_while_the_mirror_does_not_work(server: Server, tmp_path: Path) -> None:
    server.statuses["manifest"] = 502
    with agent(server, tmp_path) as process:
        assert "nothing is written" in line_of(process)
        assert not (tmp_path / "certs.d").exists()
        stop(process)
