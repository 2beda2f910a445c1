"""The adapter that reads a machine: this one, or a directory with the files of another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from regmirror.adapters.machine import LocalMachine
from regmirror.errors import RegistryError, UntrustedCertificateError
from regmirror.ports.machine import InvalidCertificateError, UnreadableFileError
from tests.contract.fake_registry import fake_registry
from tests.contract.signing_keys import elliptic_key_pair


def test_files_are_read_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/file").write_text("content")
    (tmp_path / "etc/file").chmod(0o640)
    machine = LocalMachine(tmp_path)
    assert (machine.read("/etc/file"), machine.mode("/etc/file")) == ("content", 0o640)
    assert (machine.read("/etc/absent"), machine.mode("/etc/absent")) == (None, None)
    assert machine.read("/etc/file/below") is None
    assert (machine.names("/etc"), machine.names("/absent")) == (["file"], None)


def test_the_working_directory_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("content")
    monkeypatch.chdir(tmp_path)
    assert LocalMachine().read("file") is None
    assert LocalMachine().read(str(tmp_path / "file")) == "content"


@pytest.mark.parametrize("link", ["/etc/passwd", "../../../../etc/passwd", "/../etc/passwd", "/etc/../etc/./passwd"])
def test_a_link_is_followed_below_the_root(tmp_path: Path, link: str) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "file").symlink_to(link)
    machine = LocalMachine(root)
    assert (machine.read("/file"), machine.mode("/file")) == (None, None)
    (root / "etc/passwd").write_text("of the image")
    assert machine.read("/file") == "of the image"
    (root / "configuration").symlink_to("/etc")
    (root / "again").symlink_to("/configuration")
    assert machine.names("/again") == ["passwd"]
    assert machine.read("/again/passwd") == machine.read("/again/../etc/passwd") == "of the image"


@pytest.mark.parametrize("root", ["/", ""])
def test_a_loop_of_links_ends(tmp_path: Path, root: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    machine, path = (LocalMachine(), str(tmp_path / "loop")) if root else (LocalMachine(tmp_path), "/loop/x")
    with pytest.raises(UnreadableFileError, match=r"[Tt]oo many levels of symbolic links") as caught:
        machine.read(path)
    assert not caught.value.is_denied


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
@pytest.mark.parametrize("has_root", [True, False])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str, has_root: bool) -> None:
    machine = LocalMachine(tmp_path) if has_root else LocalMachine()
    for read in (machine.read, machine.names):
        with pytest.raises(UnreadableFileError, match="no file can have this name"):
            read(f"/etc/{name}/x")
    assert machine.mode(f"/etc/{name}") is None


def test_only_a_missing_permission_is_called_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("content")

    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnreadableFileError, match="Permission denied") as caught:
        LocalMachine(tmp_path).read("/file")
    assert caught.value.is_denied


def test_what_is_not_a_short_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(5 * 2**20)
    os.mkfifo(tmp_path / "pipe")
    reasons = {"directory": "is not a file", "binary": "is not UTF-8", "large": "more than 4 MiB", "pipe": "not a file"}
    for name, reason in reasons.items():
        with pytest.raises(UnreadableFileError, match=reason) as caught:
            LocalMachine(tmp_path).read(f"/{name}")
        assert not caught.value.is_denied


def test_the_version_of_a_program_is_found_on_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "containerd"
    program.write_text("#!/bin/sh\necho containerd github.com/containerd/containerd/v2 v2.4.2 abcdef\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert LocalMachine().version("containerd") == (2, 4, 2)
    assert LocalMachine().version("no-such-program") is None
    assert LocalMachine(tmp_path).version("containerd") is None


def test_a_certificate_of_an_unknown_ca_differs_from_one_for_another_host(tmp_path: Path) -> None:
    pair = elliptic_key_pair(tmp_path, "mirror")
    with fake_registry(pair, "https://127.0.0.1/auth") as registry:
        machine, pem = LocalMachine(), pair.certificate.read_text()
        machine.connect(registry.host, pem)
        with pytest.raises(UntrustedCertificateError):
            machine.connect(registry.host, "")
        with pytest.raises(InvalidCertificateError):
            machine.connect(registry.host.replace("127.0.0.1", "localhost"), pem)


def test_a_mirror_that_does_not_answer_is_a_registry_error(tmp_path: Path) -> None:
    for machine in (LocalMachine(), LocalMachine(tmp_path)):
        with pytest.raises(RegistryError):
            machine.connect("127.0.0.1:9", "")
