"""init at a terminal: it asks for what is missing, keeps typed secrets out of sight and out of the configuration."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from regmirror.config.load import load_mirror
from tests.unit.terminal_session import Conversation, converse
from tests.unit.test_answers import NINE

S3_KEY = [("S3 access key: name or id", "canary-id"), ("S3 access key: secret (not shown)", "canary-secret")]


def init(directory: Path, *options: str, answers: list[tuple[str, str]], **environ: str) -> Conversation:
    known = {
        name: value for name, value in os.environ.items() if name not in NINE and not name.startswith("REGMIRROR_")
    }
    command = ["-m", "regmirror", "init", "--kubeconfig", "absent", *options]
    return converse(command, answers, directory, known | {"TERM": "dumb", "COLUMNS": "200"} | environ)


def test_every_question_has_its_place_in_the_file(tmp_path: Path) -> None:
    answers = [
        ("Public host name of the mirror", "mirror.example.com"),
        ("What everyone may pull", "mjpitz, library/alpine"),
        ("S3 bucket", ""),
        ("S3 bucket", "layers"),
        ("S3 endpoint", "https://s3.example.com"),
        ("An image of mjpitz/* that verify can pull", "library/alpine:3"),
        *S3_KEY,
        ("Docker Hub account (empty for none): name or id", "hub-user"),
        ("Docker Hub account (empty for none): secret (not shown)", "canary-token"),
    ]
    done = init(tmp_path, answers=answers)
    assert done.code == 0, done.screen
    assert done.output == ""
    assert "The cluster cannot be asked what it offers: the kubeconfig absent cannot be used" in done.screen
    mirror = load_mirror(tmp_path / "regmirror.yaml")
    (upstream,) = mirror.upstreams
    assert (mirror.host, mirror.storage.bucket) == ("mirror.example.com", "layers")
    assert mirror.storage.endpoint == "https://s3.example.com"
    assert upstream.anonymous_pull == ["mjpitz/*", "library/alpine"]
    assert upstream.probe_image == "library/alpine:3"


def test_typed_secrets_are_kept_in_files_of_their_owner_alone(tmp_path: Path) -> None:
    answers = [*S3_KEY, ("Docker Hub account (empty for none): name or id", "")]
    options = ("--host=m.example.com", "--allow=a", "--bucket=layers", "--endpoint=http://s3:9000", "--probe-image=a/b")
    done = init(tmp_path, *options, answers=answers)
    assert done.code == 0, done.screen
    folder = tmp_path / "regmirror.secrets"
    files = {path.name: path.read_text() for path in folder.iterdir()}
    assert files == {".gitignore": "*\n", "s3-id": "canary-id", "s3-secret": "canary-secret"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in ("s3-id", "s3-secret")} == {0o600}
    assert "canary-secret" not in done.screen
    assert "canary" not in (tmp_path / "regmirror.yaml").read_text()
    assert load_mirror(tmp_path / "regmirror.yaml").upstreams[0].credentials is None


def test_with_everything_given_only_the_rest_is_asked(tmp_path: Path) -> None:
    options = ("--host=m.example.com", "--probe-image=mjpitz/tool:1")
    done = init(tmp_path, *options, answers=[], **NINE)
    assert done.code == 0, done.screen
    assert not (tmp_path / "regmirror.secrets").exists()


def test_leaving_at_a_question_writes_nothing(tmp_path: Path) -> None:
    done = init(tmp_path, answers=[("Public host name of the mirror", "\x04")])
    assert done.code == 130
    assert "Traceback" not in done.screen
    assert list(tmp_path.iterdir()) == []
