"""Completion: what shells offer, through the protocol that their completion scripts speak."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from regmirror.__main__ import COMPLETION_VARIABLE
from regmirror.cli import reference_pages
from regmirror.cli.app import app
from regmirror.cli.catalog import COMMANDS
from regmirror.cli.options import Runtime
from tests import samples

Complete = Callable[[str], list[str]]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("KUBECONFIG", "REGMIRROR_KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(reference_pages, "check_ids", lambda: ["tls-host", "token-grant", "token-scope"])
    monkeypatch.setattr(reference_pages, "check_categories", lambda: ["tls", "token"])
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Complete:
    """Completes the last word of a command line as bash does."""

    def ask(line: str) -> list[str]:
        words = line.split(" ")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        monkeypatch.setenv(COMPLETION_VARIABLE, "complete_bash")
        with pytest.raises(SystemExit) as ended:
            get_command(app).main([], prog_name="regmirror", complete_var=COMPLETION_VARIABLE)
        assert ended.value.code == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out.split()

    return ask


def kubeconfig(path: Path, *contexts: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"contexts": [{"name": name} for name in contexts]}))
    return str(path)


def test_commands_are_offered_also_after_global_options(complete: Complete) -> None:
    assert complete("regmirror ") == list(COMMANDS)
    assert complete("regmirror -f mine.yaml -o json rend") == ["render"]
    assert complete("regmirror config ") == ["schema", "validate", "show"]


def test_options_are_offered(complete: Complete) -> None:
    assert complete("regmirror deploy --dry") == ["--dry-run"]
    assert "--namespace" in complete("regmirror --")


def test_checks_categories_and_formats_are_offered(complete: Complete) -> None:
    assert complete("regmirror verify --check token-") == ["token-grant", "token-scope"]
    assert complete("regmirror -n mirror verify --pre --category ") == ["tls", "token"]
    assert complete("regmirror status -o ") == ["table", "json", "yaml"]


def test_runtimes_and_upstreams_are_offered(complete: Complete, tmp_path: Path) -> None:
    assert complete("regmirror client-config ") == [runtime.value for runtime in Runtime]
    assert complete("regmirror client-config k3s --registry ") == ["docker-hub="]
    (tmp_path / "other.yaml").write_text("upstreams: [{name: quay}, {name: ghcr}]")
    assert complete("regmirror client-config k3s -f other.yaml --registry ") == ["quay=", "ghcr="]
    assert complete("regmirror -f other.yaml client-config k3s --registry g") == ["ghcr="]


def test_topics_of_explain_are_offered(complete: Complete) -> None:
    assert complete("regmirror explain RM30") == ["RM300", "RM301", "RM302"]
    assert "ingress.issuer" in complete("regmirror explain ing")


def test_contexts_come_from_the_kubeconfig_that_would_be_used(
    complete: Complete, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complete("regmirror status --context ") == []
    kubeconfig(tmp_path / ".kube" / "config", "home")
    assert complete("regmirror status --context ") == ["home"]
    both = os.pathsep.join([kubeconfig(tmp_path / "a", "prod"), kubeconfig(tmp_path / "b", "stage", "lab")])
    monkeypatch.setenv("KUBECONFIG", both)
    assert complete("regmirror status --context ") == ["prod", "stage", "lab"]
    monkeypatch.setenv("REGMIRROR_KUBECONFIG", kubeconfig(tmp_path / "c", "mine"))
    assert complete("regmirror --context ") == ["mine"]
    assert complete("regmirror status --kubeconfig a --context ") == ["prod"]
    assert complete("regmirror --kubeconfig b status --context s") == ["stage"]


@pytest.mark.parametrize("content", ["", "a: [", "- list", "\x00", "contexts: 7", "contexts: [{}]", "upstreams: null"])
def test_what_cannot_be_read_offers_nothing(complete: Complete, tmp_path: Path, content: str) -> None:
    (tmp_path / "broken").write_text(content)
    assert complete("regmirror status --kubeconfig broken --context ") == []
    assert complete("regmirror client-config k3s -f broken --registry ") == []
    assert complete("regmirror client-config k3s -f absent --registry ") == []


def test_commands_are_completed_without_loading_them() -> None:
    program = (
        "import sys; sys.argv = ['regmirror']; from regmirror.__main__ import main\n"
        "try: main()\nfinally: print([m for m in sys.modules if m in {'rich', 'yaml', 'regmirror.cli.deploy'}])"
    )
    environ = os.environ | {"COMP_WORDS": "regmirror de", "COMP_CWORD": "1", COMPLETION_VARIABLE: "complete_bash"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=True)
    assert done.stdout.splitlines() == ["deploy", "destroy", "[]"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(shell: str) -> None:
    environ = os.environ | {COMPLETION_VARIABLE: f"source_{shell}"}
    program = "import sys; sys.argv = ['regmirror']; from regmirror.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environ, check=True)
    assert f"{COMPLETION_VARIABLE}=complete_{shell}" in done.stdout
    assert done.stderr == ""
