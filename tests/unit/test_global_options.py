"""Options that commands share work before the command, too; and the commands of hints repeat those that were given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.main import get_group
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.cli.invocation import repeat_options, running
from regmirror.cli.options import CLUSTER_OPTIONS, OUTPUT_OPTIONS
from tests.unit.test_help import LEAVES, command_at

VALUES = {
    "file": ("-f", "one.yaml", "two.yaml"),
    "kubeconfig": ("--kubeconfig", "one", "two"),
    "context": ("--context", "one", "two"),
    "namespace": ("--namespace", "one", "two"),
    "image_registry": ("--image-registry", "one.example.com", "two.example.com"),
    "helm": ("--helm", "helm3", "helm4"),
    "resolve": ("--resolve", "one:443:192.0.2.1", "two:443:192.0.2.2"),
    "ca_file": ("--ca-file", "one.crt", "two.crt"),
    "timeout": ("--timeout", "1m", "2m"),
    "output": ("-o", "json", "yaml"),
    "debug": ("--debug", None, None),
    "no_color": ("--no-color", None, None),
}
ARGUMENTS: dict[tuple[str, ...], list[str]] = {
    ("client-config",): ["containerd"],
    ("why",): ["alpine"],
    ("access", "test"): ["expectations.yaml"],
} | {("user", name): ["alice"] for name in ("add", "passwd", "groups", "remove")}
PAIRS = [(path, name) for path in LEAVES for name in VALUES if name in {p.name for p in command_at(path).params}]
REFUSED = [(path, name) for path in LEAVES for name in VALUES if name not in {p.name for p in command_at(path).params}]


def parsed(before: list[str], path: tuple[str, ...], after: list[str]) -> dict[str, Any]:
    """The parameters that a command gets from a command line."""
    group = get_group(app)
    context = group.make_context("regmirror", [*before, *path])
    command: Any
    _, command, rest = group.resolve_command(context, [*path, *after, *ARGUMENTS.get(path, [])])
    for word in path[1:]:
        command, rest = command.commands[word], rest[1:]
    parameters: dict[str, Any] = command.make_context(path[-1], rest, parent=context).params
    return parameters


def words(name: str, which: int) -> list[str]:
    return [word for word in (VALUES[name][0], VALUES[name][which]) if word]


def test_every_shared_option_is_one_of_the_program_itself() -> None:
    own = [parameter.name for parameter in get_group(app).params]
    assert [name for name in own if name in VALUES] == list(CLUSTER_OPTIONS + OUTPUT_OPTIONS) == list(VALUES)


@pytest.mark.parametrize(("path", "name"), PAIRS)
def test_an_option_means_the_same_before_the_command(path: tuple[str, ...], name: str) -> None:
    assert parsed(words(name, 1), path, []) == parsed([], path, words(name, 1)) != parsed([], path, [])


@pytest.mark.parametrize(("path", "name"), PAIRS)
def test_an_option_after_the_command_wins(path: tuple[str, ...], name: str) -> None:
    both = parsed(words(name, 1), path, words(name, 2))[name]
    expected = parsed([], path, words(name, 2))[name]
    # What may be given several times adds up, and of two addresses for one host the later counts.
    assert both == ([VALUES[name][1], *expected] if name == "resolve" else expected)


@pytest.mark.parametrize(("path", "name"), REFUSED)
def test_a_command_without_the_option_refuses_it(path: tuple[str, ...], name: str) -> None:
    result = CliRunner().invoke(app, [*words(name, 1), *path, *ARGUMENTS.get(path, [])])
    assert result.exit_code == 2
    assert f"--{name.replace('_', '-')} is not an option of '{' '.join(path)}'." in result.stderr


def test_all_together_reach_the_command(tmp_path: Path) -> None:
    before = ["-f", str(tmp_path / "absent.yaml"), "-n", "other", "--context", "c", "-o", "json"]
    result = CliRunner().invoke(app, [*before, "verify"])
    assert result.exit_code == 2
    assert f"cannot read {tmp_path / 'absent.yaml'}: no such file" in result.stdout


def repeated(text: str, *command_line: str) -> str:
    """The text as a command shows it that was started by this command line."""
    group = get_group(app)
    name, *rest = command_line
    parent = group.make_context("regmirror", [name])
    with running(group.commands[name].make_context(name, rest, parent=parent)):
        return repeat_options(text)


GIVEN = ("-f", "my file.yaml", "-n", "other", "--context=lab", "--kubeconfig", "k", "--timeout", "5m", "-o", "json")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Next: regmirror verify", "Next: regmirror verify --context lab -f 'my file.yaml' --kubeconfig k -n other"),
        ("check it: regmirror config show", "check it: regmirror config show -f 'my file.yaml' -n other"),
        ("see regmirror explain RM301", "see regmirror explain RM301"),
        ("print it: regmirror config schema", "print it: regmirror config schema"),
        ("regmirror config", "regmirror config"),
        ("regmirror rbac deploy", "regmirror rbac -f 'my file.yaml' -n other deploy"),
        ("kubectl -n regmirror status", "kubectl -n regmirror status"),
        ("the regmirror release", "the regmirror release"),
        ("regmirror-deploy is no command", "regmirror-deploy is no command"),
    ],
)
def test_commands_of_hints_repeat_what_selects_the_mirror(text: str, shown: str) -> None:
    assert sorted(repeated(text, "deploy", *GIVEN).split()) == sorted(shown.split())
    assert repeated(text, "deploy") == text


def test_an_option_that_the_hint_gives_already_is_not_repeated() -> None:
    hint = "first regmirror deploy --prune -n here, then regmirror verify\nregmirror diff --file=x"
    assert repeated(hint, "deploy", "-n", "other", "-f", "g.yaml") == (
        "first regmirror deploy -f g.yaml --prune -n here, then regmirror verify -f g.yaml -n other\n"
        "regmirror diff -n other --file=x"
    )


def test_the_registry_of_a_proxy_is_repeated_for_the_check_of_a_node() -> None:
    registry = ["--registry", "proxy=docker.io"]
    hint = "on the node: regmirror client-config containerd --check"
    assert repeated(hint, "verify", "--nodes", *registry) == (
        "on the node: regmirror client-config --registry proxy=docker.io containerd --check"
    )


def test_options_from_the_environment_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGMIRROR_FILE", "g.yaml")
    assert repeated("regmirror deploy", "verify") == "regmirror deploy"


def test_an_error_repeats_the_options_wherever_they_were_given(tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.yaml")
    for command_line in (["-n", "other", "deploy", "-f", absent], ["deploy", "-n", "other", "-f", absent]):
        result = CliRunner().invoke(app, command_line)
        assert f"regmirror init -n other -f {absent}" in result.stderr or f"init -f {absent} -n other" in result.stderr
