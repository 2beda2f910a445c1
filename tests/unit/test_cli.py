"""The command line: what it writes to which stream, its exit codes, and what it loads at start."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from regmirror import __version__
from regmirror.cli.app import app
from regmirror.cli.catalog import COMMANDS
from regmirror.cli.options import Format
from regmirror.cli.terminal import terminal
from regmirror.config.schema import mirror_schema
from regmirror.errors import DeadlineError, ExitCode, MissingSecretError, PartlyAppliedError, RegmirrorError
from regmirror.errors.documentation import REPORT_URL, check_url, error_url
from tests import samples

HEAVY = {
    "rich",
    "kubernetes",
    "boto3",
    "botocore",
    "pyhelm3",
    "cryptography",
    "jinja2",
    "pydantic_core",
    "asyncio",
    "yaml",
    "urllib3",
}
TOKEN = "canary-token"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def kubeconfig(**changes: Any) -> str:
    """A kubeconfig of a server at a port where nobody listens."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dead",
        "contexts": [{"name": "dead", "context": {"cluster": "dead", "user": "me"}}],
        "clusters": [{"name": "dead", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": {"token": TOKEN}}],
        **changes,
    }
    Path("kubeconfig").write_text(yaml.safe_dump(content))
    return "kubeconfig"


def test_the_version_is_shown() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"regmirror {__version__}\n")


def test_for_a_misspelled_command_the_nearest_is_suggested() -> None:
    result = run("deplyo")
    assert result.exit_code == ExitCode.USAGE
    assert "Did you mean 'deploy'?" in result.stderr


@pytest.mark.parametrize("before", [[], ["-f", "regmirror.yaml"]])
@pytest.mark.parametrize(("words", "name"), [(["user", "lst"], "list"), (["access", "tst"], "test")], ids=str)
def test_for_a_misspelled_subcommand_the_nearest_is_suggested(before: list[str], words: list[str], name: str) -> None:
    result = run(*before, *words)
    assert (result.exit_code, f"Did you mean '{name}'?" in result.stderr) == (ExitCode.USAGE, True), result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    for option in ("-h", "--help"):
        result = run(command, option)
        assert result.exit_code == 0
        assert "Usage" in result.stdout


def test_the_schema_is_that_of_the_model() -> None:
    result = run("config", "schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == mirror_schema()


def test_the_start_loads_nothing_heavy() -> None:
    program = "import regmirror.cli.app, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["deploy", "-f", "absent.yaml"], "RM100", "cannot read absent.yaml: no such file"),
        (["verify", "-f", "absent.yaml"], "RM100", "cannot read absent.yaml: no such file"),
        (["deploy", "--timeout", "5"], "RM100", '--timeout: "5" is not a duration'),
        (["deploy", "--namespace", "No Name"], "RM100", '--namespace: "No Name" is not a valid name'),
        (["deploy", "--ca-file", "absent.crt"], "RM100", "--ca-file absent.crt cannot be read as PEM certificates"),
        (
            ["deploy", "--resolve", "mirror.example.com"],
            "RM100",
            '--resolve "mirror.example.com" is not HOST:PORT:ADDR',
        ),
        (["deploy", "--kubeconfig", "absent"], "RM202", "there is no kubeconfig file absent"),
        (["status", "-f", "absent.yaml"], "RM100", "cannot read absent.yaml: no such file"),
        (["support-bundle", "-f", "absent.yaml"], "RM100", "cannot read absent.yaml: no such file"),
        (["support-bundle", "--kubeconfig", "absent"], "RM202", "there is no kubeconfig file absent"),
        (["status", "--interval", "5"], "RM100", '--interval: "5" is not a duration'),
        (["status", "--kubeconfig", "absent"], "RM202", "there is no kubeconfig file absent"),
        (["verify", "--kubeconfig", "absent"], "RM202", "there is no kubeconfig file absent"),
        (["diff", "-f", "absent.yaml"], "RM100", "cannot read absent.yaml: no such file"),
        (["diff", "--kubeconfig", "absent"], "RM202", "there is no kubeconfig file absent"),
        (["deploy", "--dry-run", "--kubeconfig", "absent"], "RM202", "there is no kubeconfig file absent"),
        (["destroy", "--timeout", "5"], "RM100", '--timeout: "5" is not a duration'),
        (["destroy", "--yes", "--kubeconfig", "absent"], "RM202", "there is no kubeconfig file absent"),
    ],
)
@pytest.mark.parametrize("output", ["json", "yaml", "table"])
def test_a_mistake_of_the_user_leaves_with_2_and_one_clear_error(
    words: list[str], code: str, message: str, output: str
) -> None:
    result = run(*words, "-o", output)
    assert result.exit_code == ExitCode.USAGE
    assert f"Error {code}: {message}" in result.stderr
    assert "Traceback" not in result.stderr
    if output == "table":
        assert result.stdout == ""
    else:
        document = (json.loads if output == "json" else yaml.safe_load)(result.stdout)
        assert list(document) == ["error"]
        assert document["error"]["code"] == code
        assert message in document["error"]["message"]


@pytest.mark.parametrize("content", ["a: [b\n  token: canary-token", "canary-token", "[canary-token]", "", "\x00"])
def test_a_broken_kubeconfig_is_reported_without_its_content(content: str) -> None:
    Path("kubeconfig").write_text(content)
    result = run("deploy", "--kubeconfig", "kubeconfig")
    assert result.exit_code == ExitCode.USAGE
    assert "Error RM202: the kubeconfig kubeconfig cannot be used: " in result.stderr
    assert TOKEN not in result.stderr


def test_for_a_context_that_does_not_exist_those_that_do_are_listed() -> None:
    result = run("deploy", "--kubeconfig", kubeconfig(), "--context", "other")
    assert result.exit_code == ExitCode.USAGE
    assert "the kubeconfig kubeconfig has no context other\n  Try: choose one with --context: dead\n" in result.stderr


def test_a_cluster_that_does_not_answer_fails_the_deployment() -> None:
    result = run("deploy", "--kubeconfig", kubeconfig(), "--helm", "/absent/helm", "-o", "json")
    assert result.exit_code == ExitCode.FAILED
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "RM201"
    assert "no answer from the Kubernetes API https://127.0.0.1:1 (context dead)" in error["message"]
    assert "also RM301: cannot start Helm (/absent/helm)" in error["message"]
    assert error["causes"][0]["hint"].endswith(": kubectl --context dead version")
    assert TOKEN not in result.output


@pytest.mark.parametrize("words", [["diff"], ["deploy", "--dry-run"]])
def test_a_diff_that_fails_exits_with_3_since_1_means_differences(words: list[str]) -> None:
    result = run(*words, "--kubeconfig", kubeconfig(), "--helm", "/absent/helm", "-o", "json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"]["code"] in {"RM201", "RM301"}


def test_verify_reports_failed_connections() -> None:
    resolve = f"{samples.HOST}:443:127.0.0.1:1"
    result = run("verify", "--kubeconfig", kubeconfig(), "--resolve", resolve, "-o", "json")
    assert result.exit_code == ExitCode.FAILED
    report = json.loads(result.stdout)
    outcomes = {entry["id"]: entry["result"] for entry in report["checks"]}
    assert report["result"] == "error"
    assert outcomes["cluster-api"] == outcomes["tls-host"] == "error"
    asked_of_the_file = {"cluster-versions", "config-patterns"}
    assert {id_ for id_, outcome in outcomes.items() if outcome == "success"} == asked_of_the_file


def test_verify_shows_a_table_to_people() -> None:
    resolve = f"{samples.HOST}:443:127.0.0.1:1"
    result = run("verify", "--kubeconfig", kubeconfig(), "--resolve", resolve)
    assert result.exit_code == ExitCode.FAILED
    lines = result.stdout.splitlines()
    assert lines[:2] == ["cluster", "  × the Kubernetes API is reachable"]
    assert f"      See: {check_url('cluster-api', 'cluster')}" in lines
    assert "  - the Kubernetes version is supported (skipped: cluster-api did not pass)" in lines
    assert lines[-2].startswith("× 2 passed, 3 failed, 0 warnings, ")
    assert lines[-1] == "  failed: cluster-api, tls-host, tls-address"


def test_status_reports_an_unreachable_cluster_once_and_exits_with_1() -> None:
    resolve = f"{samples.HOST}:443:127.0.0.1:1"
    result = run("status", "--kubeconfig", kubeconfig(), "--resolve", resolve)
    assert result.exit_code == ExitCode.FAILED
    lines = result.stdout.splitlines()
    assert lines[0] == f"? https://{samples.HOST}: cannot read the cluster"
    text = " ".join(result.stdout.split())
    assert text.count("no answer from the Kubernetes API https://127.0.0.1:1 (context dead): ") == 1
    assert any(line.startswith("  public host            unknown: no answer from https://") for line in lines)


@pytest.mark.parametrize("output", ["json", "yaml", "table"])
def test_a_watched_status_is_shown_again_until_it_is_interrupted(output: str) -> None:
    words = ["--kubeconfig", kubeconfig(), "--resolve", f"{samples.HOST}:443:127.0.0.1:1", "-o", output]
    command = [sys.executable, "-m", "regmirror", "status", "--watch", "--interval", "1s", *words]
    seen = 0
    # A shell starts its background jobs with SIGINT ignored, and their children inherit that.
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while seen < 2:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            seen += "cannot read the cluster" in line or "StatusReport" in line
        process.send_signal(signal.SIGINT)
        rest, words_left = process.communicate(timeout=300)
    assert process.returncode == ExitCode.INTERRUPTED
    assert words_left == ""
    assert "Traceback" not in rest


def test_a_support_bundle_of_an_unreachable_cluster_has_the_rest_and_lists_what_is_missing() -> None:
    words = ["--kubeconfig", kubeconfig(), "--resolve", f"{samples.HOST}:443:127.0.0.1:1", "--helm", "/absent/helm"]
    result = run("support-bundle", *words, "--output-file", "help.tar.gz")
    assert result.exit_code == ExitCode.OK
    assert result.stdout.splitlines()[:2] == ["√ help.tar.gz: 5 files", "Omitted:"]
    assert (
        "  objects, events and logs, because they cannot be redacted without the mirror's Secrets: "
        "no answer from the Kubernetes API" in result.stdout
    )
    with tarfile.open("help.tar.gz") as archive:
        files = {member.name: archive.extractfile(member) for member in archive}
        texts = {name.removeprefix("help/"): stream.read().decode() for name, stream in files.items() if stream}
    assert sorted(texts) == ["OMITTED.txt", "regmirror.yaml", "status.json", "verify.json", "versions.json"]
    assert json.loads(texts["versions.json"])["helm"].startswith("unknown: cannot start Helm (/absent/helm)")
    assert json.loads(texts["verify.json"])["result"] == "error"
    assert TOKEN not in "".join(texts.values())


def test_a_support_bundle_replaces_no_file() -> None:
    Path("help.tar.gz").write_text("precious")
    result = run("support-bundle", "--kubeconfig", kubeconfig(), "--output-file", "help.tar.gz", "-o", "json")
    assert result.exit_code == ExitCode.USAGE
    assert "cannot write help.tar.gz: the file exists" in json.loads(result.stdout)["error"]["message"]
    assert "Collecting" not in result.stderr
    assert Path("help.tar.gz").read_text() == "precious"


def exit_code_of(error: BaseException, **options: Any) -> int:
    with pytest.raises(typer.Exit) as caught, terminal(**options):
        raise error
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RegmirrorError("x"), 1),
        (MissingSecretError("x"), 2),
        (PartlyAppliedError("x"), 3),
        (DeadlineError("x"), 124),
        (KeyboardInterrupt(), 130),
        (EOFError(), 130),
        (ValueError("x"), 1),
        (ExceptionGroup("x", [ValueError("x")]), 1),
    ],
)
def test_every_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code_of(error) == code


def test_an_internal_error_shows_neither_its_traceback_nor_its_message_but_where_to_report_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exit_code_of(ValueError("canary"), output=Format.JSON)
    captured = capsys.readouterr()
    assert captured.err == (
        "Error RM000: internal error (ValueError)\n"
        f"  Try: rerun with --debug and report the output: {REPORT_URL}\n"
        f"  See: {error_url('RM000')}\n"
    )
    assert json.loads(captured.out)["error"] == {
        "code": "RM000",
        "message": "internal error (ValueError)",
        "hint": f"rerun with --debug and report the output: {REPORT_URL}",
        "documentation": error_url("RM000"),
    }


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code_of(ValueError("what happened"), debug=True)
    assert "ValueError: what happened" in capsys.readouterr().err


def test_no_color_writes_no_escape_sequence_at_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    exit_code_of(RegmirrorError("plain"), no_color=True)
    plain = capsys.readouterr().err
    exit_code_of(RegmirrorError("red"))
    assert "\x1b" not in plain
    assert "31m" in capsys.readouterr().err


def test_markup_in_a_message_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code_of(RegmirrorError("[bold]upstreams[0].url[/bold]: :smile: " + "x" * 200))
    message = f"Error RM000: [bold]upstreams[0].url[/bold]: :smile: {'x' * 200}\n"
    assert capsys.readouterr().err == f"{message}  See: {error_url('RM000')}\n"
