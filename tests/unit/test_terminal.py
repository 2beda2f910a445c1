"""What a command writes: symbols and text that the encoding allows, colors, and what it says when interrupted."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from rich.console import Console

from regmirror.cli.options import Format
from regmirror.cli.progress import StepProgress
from regmirror.cli.terminal import ASCII, UNICODE, Terminal, terminal
from regmirror.errors import PartlyAppliedError, RegmirrorError
from regmirror.errors.documentation import error_url
from tests import samples

HOST = samples.HOST
CLOSED = f"{HOST}:443:127.0.0.1:1"
COMMANDS = [
    ["verify", "--resolve", CLOSED],
    ["verify", "--resolve", CLOSED, "-o", "json"],
    ["verify", "--resolve", CLOSED, "-o", "junit"],
    ["status", "--resolve", CLOSED],
    ["deploy", "--helm", "/absent/hélm"],
    ["diff", "--helm", "/absent/hélm"],
    ["config", "validate"],
    ["config", "show"],
    ["client-config", "k3s"],
    ["explain", "RM301"],
    ["rbac"],
    ["--help"],
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()), encoding="utf-8")
    context = {"name": "größe", "context": {"cluster": "c", "user": "u"}}
    clusters = [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}]
    users = [{"name": "u", "user": {"token": "canary"}}]
    content = {"current-context": "größe", "contexts": [context], "clusters": clusters, "users": users}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("encoding", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}], ids=str)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_fails_for_what_the_encoding_lacks(place: Path, words: list[str], encoding: dict[str, str]) -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    environ = plain | {"REGMIRROR_KUBECONFIG": "kubeconfig", "PYTHONCOERCECLOCALE": "0"} | encoding
    done = subprocess.run(
        [sys.executable, "-m", "regmirror", *words], capture_output=True, env=environ, cwd=place, check=False
    )
    assert done.returncode in {0, 1, 2, 3}
    both = done.stdout.decode("ascii") + done.stderr.decode("ascii")
    assert "RM000" not in both
    assert "Traceback" not in both
    if words[-1] == "json":
        assert json.loads(done.stdout)["kind"] == "VerifyReport"


def console(encoding: str) -> Console:
    return Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="backslashreplace"))


def written(streams: Terminal) -> str:
    streams.stdout.file.flush()
    buffer: io.BytesIO = streams.stdout.file.buffer  # type: ignore[attr-defined]
    return buffer.getvalue().decode("ascii")


def test_documents_stay_valid_in_every_encoding() -> None:
    for output, load in ((Format.JSON, json.loads), (Format.YAML, yaml.safe_load)):
        streams = Terminal(output, False, console("ascii"), console("ascii"), ASCII)
        streams.document({"message": "größer als √", "list": ["日本"]})
        assert load(written(streams)) == {"message": "größer als √", "list": ["日本"]}


@pytest.mark.parametrize(
    ("encoding", "symbols"), [("utf-8", UNICODE), ("ascii", ASCII), ("cp1252", ASCII), ("latin-1", ASCII)]
)
def test_symbols_are_those_that_the_encoding_has(
    monkeypatch: pytest.MonkeyPatch, encoding: str, symbols: object
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    with terminal() as streams:
        assert streams.symbols == symbols


@pytest.mark.parametrize("variable", ["NO_COLOR", "--no-color"])
def test_results_and_progress_have_no_style_without_color(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    if variable == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    with terminal(no_color=variable == "--no-color") as streams, StepProgress(streams) as progress:
        progress.started("Secrets")
        progress.finished("Secrets", "1 created", changed=True)
        streams.result("bold", "bold red")
        streams.info("dim", "dim")
    captured = capsys.readouterr()
    both = captured.out + captured.err
    styles = [part for part in both.split("\x1b[")[1:] if part.lstrip("0123456789;").startswith("m")]
    assert styles == []
    assert variable == "NO_COLOR" or "\x1b" not in both


def run_into(stdout: int, place: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose standard output is this file descriptor."""
    return subprocess.run(
        [sys.executable, "-m", "regmirror", *words],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=os.environ | {"REGMIRROR_KUBECONFIG": "kubeconfig"},
        cwd=place,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["config", "validate"], 0),
        (["config", "show"], 0),
        (["why", "alpine", "--offline"], 0),
        (["why", "acme/other", "--offline", "-o", "json"], 1),
        (["access", "test", "allowed.yaml"], 0),
        (["access", "test", "refused.yaml"], 1),
        (["explain", "RM301"], 0),
        (["status", "--watch", "--resolve", CLOSED], 1),
    ],
    ids=str,
)
def test_the_exit_code_is_the_answer_even_if_nobody_reads_it(place: Path, words: list[str], code: int) -> None:
    (place / "allowed.yaml").write_text("- {image: alpine, allow: true}\n" * 100)
    (place / "refused.yaml").write_text("- {image: alpine, allow: true}\n" * 100 + "- {image: a/b, allow: true}\n")
    reader, writer = os.pipe()
    os.close(reader)
    done = run_into(writer, place, *words)
    os.close(writer)
    assert (done.returncode, b"Traceback" in done.stderr, b"RM" in done.stderr) == (code, False, False), done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["why", "alpine", "--offline", "-o", "json"], 3),
        (["why", "acme/other", "--offline"], 3),
        (["access", "test", "table.yaml"], 3),
        (["access", "test", "table.yaml", "-o", "yaml"], 3),
        (["config", "show"], 1),
    ],
    ids=str,
)
def test_a_result_that_cannot_be_written_is_an_error(place: Path, words: list[str], code: int) -> None:
    (place / "table.yaml").write_text("- {image: alpine, allow: true}\n")
    with Path("/dev/full").open("wb") as full:
        done = run_into(full.fileno(), place, *words)
    error = done.stderr.decode()
    assert error.startswith("Error RM704: cannot write to standard output: No space left on device\n")
    assert (done.returncode, "Traceback" in error, "Exception ignored" in error) == (code, False, False), error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_messages_that_cannot_be_written_change_nothing(place: Path) -> None:
    command = [sys.executable, "-m", "regmirror", "why", "ghcr.io/a/b", "--offline", "-o", "json"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, cwd=place, check=False)
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "RM135")


@pytest.mark.parametrize("resumes", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), EOFError()])
def test_only_a_command_that_resumes_says_so(
    capsys: pytest.CaptureFixture[str], error: BaseException, resumes: bool
) -> None:
    with pytest.raises(typer.Exit) as ended, terminal(resumes=resumes):
        raise error
    assert ended.value.exit_code == 130
    hint = "  Try: run the command again: it continues where it stopped\n" if resumes else ""
    assert capsys.readouterr().err == f"Error RM702: interrupted\n{hint}  See: {error_url('RM702')}\n"


def test_causes_of_an_error_have_their_own_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    error = PartlyAppliedError("some steps failed")
    error.causes = (RegmirrorError("x", hint="try y"),)
    with pytest.raises(typer.Exit), terminal(Format.JSON):
        raise error
    document = json.loads(capsys.readouterr().out)["error"]
    assert document["documentation"] == error_url("RM701")
    assert document["causes"] == [
        {"code": "RM000", "message": "x", "hint": "try y", "documentation": error_url("RM000")}
    ]


def test_a_long_message_is_wrapped_between_words_in_a_terminal() -> None:
    stream = io.StringIO()
    narrow = Console(file=stream, force_terminal=True, color_system=None, width=40)
    streams = Terminal(Format.TABLE, False, narrow, narrow)
    streams.info("Error RM100: the file /home/me/a-directory/with-a-long-name/regmirror.yaml already exists", wrap=True)
    assert stream.getvalue().splitlines() == [
        "Error RM100: the file",
        "  /home/me/a-directory/with-a-long-name/regmirror.yaml",
        "  already exists",
    ]
    streams.result("  - the image silently comes from Docker Hub", wrap=True)
    assert stream.getvalue().splitlines()[3:] == ["  - the image silently comes from Docker", "    Hub"]


def test_a_hint_within_a_message_stays_in_one_line_to_be_copied() -> None:
    stream = io.StringIO()
    narrow = Console(file=stream, force_terminal=True, color_system=None, width=30)
    hint = "  Try: kubectl --context a-long-name version"
    Terminal(Format.TABLE, False, narrow, narrow).info(f"Error RM201: no answer\n{hint}\nalso RM301: x", wrap=True)
    assert stream.getvalue().splitlines() == ["Error RM201: no answer", hint, "also RM301: x"]
