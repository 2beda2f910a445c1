"""Help: the text of every command, its layout at 80 columns, the order of its options, and its examples."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from regmirror.__main__ import program_name
from regmirror.cli.app import app
from regmirror.cli.catalog import COMMANDS
from regmirror.cli.help_page import split_help
from regmirror.cli.help_text import wrap_command
from regmirror.cli.options import CLUSTER_OPTIONS, OUTPUT_OPTIONS
from tests.golden import check_golden

WIDTH = 80


def commands(group: Any = None, *path: str) -> Iterator[tuple[str, ...]]:
    """The words of every command and group of commands."""
    yield path
    for name, command in (group or get_group(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


PATHS = list(commands())
LEAVES = [path for path in PATHS if path not in {(), ("access",), ("config",), ("monitoring",), ("user",)}]


def command_at(path: tuple[str, ...]) -> Any:
    command: Any = get_group(app)
    for word in path:
        command = command.commands[word]
    return command


def help_of(path: tuple[str, ...], program: str = "regmirror") -> str:
    result = CliRunner(env={"COLUMNS": str(WIDTH)}).invoke(app, [*path, "--help"], prog_name=program)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_the_help_of_every_command_is_as_reviewed(path: tuple[str, ...]) -> None:
    check_golden(f"help/{'-'.join(path) or 'regmirror'}.txt", help_of(path))


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_help_fits_into_80_columns_and_names_values_by_what_they_are(path: tuple[str, ...]) -> None:
    lines = help_of(path).splitlines()
    assert [line for line in lines if len(line) > WIDTH and "https://" not in line] == []
    assert [line for line in lines if re.search(r"<\w+>|\{\w+\}|env var", line)] == []


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_shared_options_have_the_same_order_in_every_command(path: tuple[str, ...]) -> None:
    shared = CLUSTER_OPTIONS + OUTPUT_OPTIONS
    names = [parameter.name for parameter in command_at(path).params]
    own = [name for name in names if name not in shared]
    assert names == own + [name for name in shared if name in names]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_example_is_a_command_that_can_be_parsed(path: tuple[str, ...]) -> None:
    _, examples = split_help(command_at(path).help)
    assert examples
    group = get_group(app)
    for example in examples:
        program, *words = shlex.split(example.partition(" | ")[0].partition(" && ")[0], comments=True)
        assert program == "regmirror"
        words = words[: words.index(">")] if ">" in words else words
        words = words[: words.index("<")] if "<" in words else words
        context = group.make_context("regmirror", words)
        command: Any
        name, command, rest = group.resolve_command(context, words)
        while hasattr(command, "commands"):
            command, rest = command.commands[rest[0]], rest[1:]
        command.make_context(name, rest, parent=context)


def test_a_long_example_is_continued_before_an_option() -> None:
    command = "regmirror init --yes --host mirror.example.com --allow library --bucket my-mirror"
    assert wrap_command(command, 60) == [
        "regmirror init --yes --host mirror.example.com \\",
        "    --allow library --bucket my-mirror",
    ]
    assert shlex.split("\n".join(wrap_command(command, 60)).replace("\\\n", "")) == shlex.split(command)
    assert wrap_command("regmirror deploy", 60) == ["regmirror deploy"]


def test_every_summary_fits_into_one_line() -> None:
    for entry in COMMANDS.values():
        assert len(entry.summary) < 62
        assert entry.summary.endswith(".")


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"], ["verify", "-h"]])
def test_help_is_the_same_text_in_every_terminal(words: list[str]) -> None:
    plain = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "TERM"}}
    outputs = set()
    for more in ({}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "TERM": "xterm-256color"}, {"TERM": "dumb"}):
        environment = plain | {"COLUMNS": str(WIDTH)} | more
        done = subprocess.run(
            [sys.executable, "-m", "regmirror", *words], capture_output=True, text=True, env=environment, check=False
        )
        outputs.add(done.stdout + done.stderr)
    (text,) = outputs
    assert text.startswith("Usage: python -m regmirror ")
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/local/bin/regmirror", "regmirror"),
        ("regmirror", "regmirror"),
        ("/home/me/.krew/bin/kubectl-regmirror", "kubectl regmirror"),
        ("kubectl-regmirror.exe", "kubectl regmirror"),
        ("/site-packages/regmirror/__main__.py", "python -m regmirror"),
    ],
)
def test_usage_names_the_program_as_it_was_called(path: str, name: str) -> None:
    assert program_name(path) == name


def test_the_plugin_of_kubectl_shows_its_own_name() -> None:
    program = "import sys; sys.argv[0] = '/bin/kubectl-regmirror'; from regmirror.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "verify", "--help"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage: kubectl regmirror verify [OPTIONS]\n")
    refused = subprocess.run(
        [sys.executable, "-c", program, "--install-completion"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "regmirror --install-completion" in refused.stderr


def test_help_needs_neither_rich_nor_the_modules_of_the_commands() -> None:
    program = (
        "import sys; from regmirror.cli.app import app; app(['--help'], standalone_mode=False); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "rich" not in loaded
    assert "regmirror.cli.deploy" not in loaded
