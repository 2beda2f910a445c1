"""``regmirror user``: where a password comes from and where it is shown, confirmations, and the documents."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import bcrypt
import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.desired import names
from regmirror.errors import ExitCode, HelmError
from regmirror.ports.cluster import SECRET
from tests import samples
from tests.unit.rotating import RotationHarness
from tests.unit.terminal_session import Conversation, converse
from tests.unit.transcript import connect

PASSWORD = "canary-password"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RotationHarness:
    """A deployed mirror that the command is connected to."""
    harness = RotationHarness()
    connect(monkeypatch, harness.connections())
    monkeypatch.chdir(tmp_path)
    return harness


def user(*words: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["user", *words], input=stdin)


def hash_of(mirror: RotationHarness, name: str) -> bytes:
    secret = mirror.cluster.get(SECRET, names.USERS_SECRET)
    assert secret
    hashed: str = json.loads(base64.b64decode(secret["data"][name]))["password"]
    return hashed.encode()


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_password_is_read_from_standard_input(mirror: RotationHarness, end: str) -> None:
    done = user("add", "alice", "--password-stdin", stdin=PASSWORD + end)
    assert done.exit_code == 0, done.stderr
    assert bcrypt.checkpw(PASSWORD.encode(), hash_of(mirror, "alice"))
    assert done.stdout == ""
    assert "Added alice." in done.stderr
    assert PASSWORD not in done.stderr


def test_a_generated_password_is_the_only_line_of_standard_output(mirror: RotationHarness) -> None:
    done = user("add", "alice", "--generate")
    (password,) = done.stdout.splitlines()
    assert bcrypt.checkpw(password.encode(), hash_of(mirror, "alice"))
    assert password not in done.stderr


def test_documents_have_the_generated_password_and_never_a_hash(mirror: RotationHarness) -> None:
    added = json.loads(user("add", "alice", "--group", "platform", "--generate", "-o", "json").stdout)
    assert bcrypt.checkpw(added["generatedPassword"].encode(), hash_of(mirror, "alice"))
    assert (added["kind"], added["action"], added["inEffect"]) == ("UserReport", "add", True)
    changed = yaml.safe_load(user("groups", "alice", "x", "-o", "yaml").stdout)
    assert (changed["generatedPassword"], changed["tokensExpireAfterSeconds"]) == (None, 360)
    listed = user("list", "-o", "json")
    assert [entry["groups"] for entry in json.loads(listed.stdout)["users"]] == [["x"]]
    assert "$2b$" not in listed.output


@pytest.mark.usefixtures("mirror")
def test_the_list_is_a_table_with_its_warnings_beside_it() -> None:
    assert "has no accounts" in user("list").stderr
    user("add", "alice", "--generate")
    done = user("list")
    heading, row = done.stdout.splitlines()
    assert heading.split() == ["NAME", "GROUPS", "CHANGED", "RULES"]
    assert row.split()[0] == "alice"
    assert 'no rule names the account "alice"' in done.stderr


def test_a_removal_says_how_long_tokens_live_and_how_to_end_them(mirror: RotationHarness) -> None:
    user("add", "alice", "--generate")
    done = user("remove", "alice", "--yes")
    assert "expire within 360 s" in done.stderr
    assert "regmirror rotate-cert --emergency" in done.stderr
    assert mirror.cluster.get(SECRET, names.USERS_SECRET) is not None


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "_alice", "--generate"], '"_alice" is not a valid account name'),
        (["add", "alice", "--group", 'a"b', "--generate"], "is not a valid group"),
        (["add", "alice", "--group", "a\u2028b", "--generate"], "is not a valid group"),
        (["add", "alice", "--group", "\udcff", "--generate"], "is not a valid group"),
        (["groups", "alice", "\udcff"], "is not a valid group"),
        (["add", "alice", "--generate", "--password-stdin"], "--generate cannot be combined with --password-stdin"),
        (["add", "alice", "--password-stdin", "-f", "-"], "both read standard input"),
        (["add", "alice"], "cannot ask for a password without a terminal"),
        (["passwd", "alice"], "cannot ask for a password without a terminal"),
        (["remove", "alice"], "cannot ask for confirmation without a terminal: nothing was removed"),
        (["groups", "alice"], "name at least one, or use --none"),
        (["groups", "alice", "x", "--none"], "--none cannot be combined with groups"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_refused_before_anything_is_changed(words: list[str], message: str) -> None:
    done = user(*words)
    assert done.exit_code == ExitCode.USAGE
    assert message in " ".join(done.stderr.split())


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("content", [b"canary" * 1000, b"\xff\xfe" * 20], ids=["long", "not text"])
def test_whatever_standard_input_has_is_not_shown(content: bytes) -> None:
    done = user("add", "alice", "--password-stdin", stdin=content)
    assert done.exit_code == ExitCode.USAGE
    assert "RM132" in done.stderr
    assert "canary" not in done.output


def test_a_generated_password_that_was_stored_but_not_applied_is_said_to_be_unknown(mirror: RotationHarness) -> None:
    mirror.helm.failures_of_upgrade[names.AUTH] = HelmError("broken")
    done = user("add", "alice", "--generate")
    assert (done.exit_code, done.stdout) == (ExitCode.PARTIAL, "")
    assert "set another: regmirror user passwd alice --generate" in done.stderr


@pytest.mark.usefixtures("mirror")
@pytest.mark.parametrize("output", ["table", "json"])
@pytest.mark.parametrize("kind", ["full disk", "closed pipe"])
def test_a_generated_password_that_nobody_could_read_is_said_to_be_unknown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str, output: str
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe, Path("/dev/full").open("w") as disk, pytest.raises(SystemExit) as ended:
        monkeypatch.setattr(sys, "stdout", pipe if kind == "closed pipe" else disk)
        app(["user", "add", "alice", "--generate", "-o", output])
    assert ended.value.code == ExitCode.FAILED
    shown = capsys.readouterr().err
    assert "RM704" in shown
    assert "set another: regmirror user passwd alice --generate" in shown


def in_terminal(directory: Path, *words: str, answers: list[tuple[str, str]]) -> Conversation:
    (directory / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("REGMIRROR_")}
    command = ["-m", "regmirror", "user", *words, "--kubeconfig", "absent"]
    return converse(command, answers, directory, environ | {"TERM": "dumb", "COLUMNS": "200"})


def test_a_terminal_asks_twice_and_shows_nothing(tmp_path: Path) -> None:
    questions = ["Password (not shown)", "Repeat the password (not shown)"]
    done = in_terminal(
        tmp_path, "add", "alice", answers=[(questions[0], "canary"), (questions[0], PASSWORD), (questions[1], PASSWORD)]
    )
    assert "fewer than 8 characters" in done.screen
    assert "RM202" in done.screen
    assert "canary" not in done.screen + done.output


def test_two_different_passwords_change_nothing(tmp_path: Path) -> None:
    answers = [("Password (not shown)", PASSWORD), ("Repeat the password (not shown)", f"{PASSWORD}x")]
    done = in_terminal(tmp_path, "passwd", "alice", answers=answers)
    assert done.code == ExitCode.USAGE
    assert "the two passwords differ" in done.screen
    assert "canary" not in done.screen
