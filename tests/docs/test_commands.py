"""Every command that the documentation has a reader type exists, with all of its options."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_group

from regmirror.cli.app import app
from tests.docs.markdown import ROOT, Place, code_blocks, pages

SHELL = {"", "sh", "bash", "console"}
"""Languages of blocks that may hold commands; most are not marked."""
_SEPARATOR = re.compile(r"\s(?:\||&&|\|\||;|<|>)\s|;\s|\$\(|`")
_LAB = {"up", "run", "status", "down", "build", "clean"}


@functools.cache
def group() -> Any:
    """The commands of regmirror."""
    return get_group(app)


def commands(page: Path) -> Iterator[Place]:
    """The simple commands in the code blocks of a page, and those written as inline code."""
    for language, block in code_blocks(page):
        if language in SHELL:
            for number, line in _joined(block.text):
                yield from (Place(page, block.line + number, part) for part in _simple(line))
    for match in re.finditer(r"`((?:kubectl )?regmirror [a-z][^`\n]*)`", page.read_text()):
        place = page.read_text().count("\n", 0, match.start()) + 1
        yield from (Place(page, place, part) for part in _simple(match[1]))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that ends in a backslash continues on the next."""
    start, whole = 0, ""
    for number, line in enumerate(text.splitlines()):
        start = start if whole else number
        whole += line.removesuffix("\\") if line.endswith("\\") else line
        if not line.endswith("\\"):
            yield start, whole.strip()
            whole = ""


def _simple(line: str) -> Iterator[str]:
    line = re.sub(r"\s+#\s.*$", "", line.removeprefix("$ "))
    for part in _SEPARATOR.split(line):
        yield re.sub(r"^(?:if |then |export )?(?:[A-Z_]+=\S* )*", "", part.strip()).rstrip(";)")


def problem(command: str) -> str | None:
    """What is wrong with a command of this repository; None for any other program."""
    if re.match(r"(?:kubectl )?regmirror [a-z-]", command):
        return _regmirror_problem(shlex.split(command.removeprefix("kubectl "))[1:])
    if match := re.match(r"python -m lab (\S+)", command):
        return None if match[1] in _LAB | {"COMMAND"} else f"the lab has no command {match[1]}"
    if match := re.match(r"make ([a-z-]+)$", command):
        return None if f"\n{match[1]}:" in (ROOT / "Makefile").read_text() else f"there is no target {match[1]}"
    return None


def _regmirror_problem(words: list[str]) -> str | None:
    options = _options(group())
    while words and words[0].startswith("-"):
        options_before, words = words[:1], words[1 if words[0] in {"--version", "--help", "-h"} else 2 :]
        if not _known(options_before[0], options):
            return f"regmirror has no option {options_before[0]}"
    command = group()
    while hasattr(command, "commands") and words and words[0] not in {"COMMAND", "..."}:
        if words[0] not in command.commands:
            return f"there is no command {words[0]}"
        command, words = command.commands[words[0]], words[1:]
    unknown = [word for word in words if word.startswith("-") and not _known(word, options | _options(command))]
    return f"{command.name} has no option {', '.join(unknown)}" if unknown else _refusal(command, words)


def _options(command: Any) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"-h", "--help"}


def _known(word: str, options: set[str]) -> bool:
    return word == "-" or word.partition("=")[0] in options


def _refusal(command: Any, words: list[str]) -> str | None:
    """What the parser says of values; placeholders such as FILE cannot be parsed, and help ends the program."""
    if hasattr(command, "commands") or any(re.search(r"\b[A-Z]{2,}\b|\.\.\.", word) for word in words):
        return None
    if {"-h", "--help"} & set(words):
        return None
    try:
        command.make_context(command.name, list(words))
    except Exception as error:  # each usage error of the parser has a class of its own
        return str(getattr(error, "message", "") or error)
    return None


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    wrong = [f"{command}  ({said})" for command in commands(page) if (said := problem(command.text))]
    assert wrong == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("regmirror deploi", "there is no command deploi"),
        ("regmirror deploy --dryrun", "deploy has no option --dryrun"),
        ("regmirror config shov", "there is no command shov"),
        ("kubectl regmirror verify --chek ID", "verify has no option --chek"),
        ("python -m lab upp", "the lab has no command upp"),
        ("make coffee", "there is no target coffee"),
    ],
)
def test_a_wrong_command_is_found(command: str, said: str) -> None:
    assert problem(command) == said


def test_commands_are_found_in_blocks_with_continuation_pipes_and_comments(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Text.\n\n```\n$ A=b regmirror init --yes \\\n  --host x   # comment\nregmirror status | jq .\n```\n"
        "And `regmirror rbac deploy | kubectl apply -f -`.\n"
    )
    found = [" ".join(command.text.split()) for command in commands(page)]
    first, *others = found
    assert first == "regmirror init --yes --host x"
    assert others == ["regmirror status", "jq .", "regmirror rbac deploy", "kubectl apply -f -"]
