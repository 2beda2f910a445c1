"""What ``regmirror verify --nodes`` prints, and which options go with it."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.cli.options import Format, ReportFormat
from regmirror.cli.reference_pages import REASONS, topics
from regmirror.cli.terminal import Terminal
from regmirror.cli.verify_nodes import NodeOptions, verify_nodes
from regmirror.errors import ExitCode, PermissionDeniedError
from regmirror.ports.cluster import Right
from regmirror.verify.nodes.report import NodesReport
from regmirror.verify.nodes.verdict import Reason
from tests import samples
from tests.fakes.nodes import FakeNodes, Pull, Runtime, node
from tests.golden import check_golden
from tests.unit.deployed import deployed
from tests.unit.test_verify_nodes import ignores_mirror, uses_mirror


def refused(pull: Pull) -> str:
    pull.ask_mirror(401, "none")
    pull.ask_mirror(401, "token")
    return "docker.io: not found"


def run(output: ReportFormat, *names: str, **runtimes: Runtime) -> tuple[str, bool]:
    """Standard output, and whether the nodes are healthy."""
    healthy = deployed()
    nodes = FakeNodes(healthy.cluster, {f"worker-{name}": runtime for name, runtime in runtimes.items()})
    nodes.cluster.put(node("worker-d", ready=False))
    healthy.http.hosts[f"https://{samples.HOST}"] = nodes.observed(healthy.host)
    connections = healthy.connections()
    connections.blocking = nodes
    stdout = io.StringIO()
    terminal = Terminal(output.of_errors, False, Console(file=stdout, width=80), Console(file=io.StringIO()))
    options = NodeOptions(names, (), healthy.live().image, timedelta(minutes=2))
    is_healthy = verify_nodes(terminal, output, connections, options)
    return stdout.getvalue(), is_healthy


def test_the_table() -> None:
    text, is_healthy = run(ReportFormat.TABLE, a=uses_mirror, b=ignores_mirror, c=refused)
    assert not is_healthy
    check_golden("transcripts/verify-nodes.txt", text)


def test_short_omits_the_nodes_that_use_the_mirror() -> None:
    text, _ = run(ReportFormat.SHORT, a=uses_mirror, b=ignores_mirror)
    assert "worker-a" not in text
    assert "worker-b: bypasses the mirror (files-not-read)" in text


@pytest.mark.parametrize(
    ("runtimes", "expected"), [({"a": uses_mirror}, True), ({"a": uses_mirror, "b": refused}, False), ({}, False)]
)
def test_a_node_must_use_the_mirror_and_none_may_bypass_it(runtimes: dict[str, Runtime], *, expected: bool) -> None:
    text, is_healthy = run(ReportFormat.JSON, **runtimes)
    assert (is_healthy, json.loads(text)["healthy"]) == (expected, expected)


def test_the_document() -> None:
    text, _ = run(ReportFormat.YAML, a=uses_mirror, b=ignores_mirror)
    document = yaml.safe_load(text)
    assert NodesReport.model_validate(document).document() == document
    check_golden("documents/NodesReport.yaml", text)


def test_only_the_named_nodes_are_probed() -> None:
    text, _ = run(ReportFormat.JSON, "worker-a", a=uses_mirror, b=ignores_mirror)
    assert [one["name"] for one in json.loads(text)["nodes"]] == ["worker-a"]


def test_missing_permissions_are_named_before_a_pod_is_created() -> None:
    healthy = deployed()
    healthy.cluster.denied = {Right("create", "", "pods")}
    terminal = Terminal(Format.TABLE, False, Console(file=io.StringIO()), Console(file=io.StringIO()))
    options = NodeOptions((), (), healthy.live().image, timedelta(minutes=2))
    with pytest.raises(PermissionDeniedError, match="create pods") as caught:
        verify_nodes(terminal, ReportFormat.TABLE, healthy.connections(), options)
    assert "regmirror rbac verify-nodes" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pre"], "--nodes and --pre exclude each other"),
        (["--category", "token"], "--nodes and --category exclude each other"),
        (["--check", "token-grant"], "--nodes and --check exclude each other"),
        (["--wait", "1m"], "--nodes and --wait exclude each other"),
        (["-o", "junit"], "--nodes has no output format junit"),
        (["-o", "metrics"], "--nodes has no output format metrics"),
        (["--publish"], "--publish publishes the results of all checks"),
        (["--timeout", "0"], "--timeout: must be longer than 0"),
    ],
)
def test_options_that_do_not_go_with_nodes(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))
    result = CliRunner().invoke(app, ["verify", "--nodes", *words])
    assert (result.exit_code, message in result.output) == (ExitCode.USAGE, True), result.output


@pytest.mark.parametrize("words", [["--registry", "docker-hub=docker.io"], ["--timeout", "1m"]])
def test_options_of_nodes_are_refused_without_nodes(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))
    result = CliRunner().invoke(app, ["verify", *words])
    assert (result.exit_code, f"{words[0]} is for --nodes" in result.output) == (ExitCode.USAGE, True), result.output


def test_every_reason_has_a_section_in_the_reference() -> None:
    explained = [topic.name for topic in topics().values() if topic.kind == REASONS]
    assert sorted(explained) == sorted(Reason)
