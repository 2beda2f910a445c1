"""The output formats of verify: golden files, the published schema, and the options that select checks."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.cli.options import Format
from regmirror.cli.terminal import Terminal
from regmirror.cli.verify_table import print_results
from regmirror.desired import names
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Result, Severity, Skipped, Warned
from regmirror.verify.checks import CHECKS
from regmirror.verify.junit import junit_report
from regmirror.verify.report import report_schema, verify_report
from regmirror.verify.run import run_checks
from regmirror.verify.select import select_checks
from tests import samples
from tests.golden import check_golden
from tests.unit.check_faults.cluster import not_ready, nothing_deployed
from tests.unit.check_faults.config import rule_added
from tests.unit.check_faults.storage import no_bucket
from tests.unit.check_faults.tls import certificate_near_expiry
from tests.unit.deployed import Deployed, deployed


def result(
    id_: str, title: str, category: Category, outcome: Outcome, upstream: str = "", seconds: float = 0
) -> Result:
    severity = Severity.WARNING if isinstance(outcome, Warned) else Severity.ERROR
    return Result(Check(id_, title, category, lambda _: outcome, severity=severity), upstream, outcome, seconds)


RESULTS = [
    result("cluster-api", "the Kubernetes API is reachable", Category.CLUSTER, Passed("Kubernetes 1.37"), "", 0.0123),
    result(
        "cluster-pods",
        "all pods are ready",
        Category.CLUSTER,
        Failed("regmirror-auth: 0/1 ready\n  log: panic: <nil> & \x1b[31mmore", "run kubectl get pods"),
        "",
        0.2,
    ),
    result("tls-host", "the public host is reachable", Category.TLS, Passed(), "docker-hub", 0.05),
    result("tls-host", "the public host is reachable", Category.TLS, Skipped("cluster-pods did not pass"), "quay"),
    result(
        "tls-validity",
        "the public certificate is valid for at least 14 days",
        Category.TLS,
        Warned("the certificate of mirror.example.com expires in 9 days", "renew it"),
        "docker-hub",
        0.01,
    ),
]


def results_of(mirror: Deployed) -> list[Result]:
    """The results of a whole run, without what differs from run to run."""
    checks = select_checks(CHECKS, pre_install=False)
    return [replace(one, seconds=0.25, outcome=_stable(one.outcome)) for one in run_checks(checks, mirror.live())]


def _stable(outcome: Outcome) -> Outcome:
    """The outcome without a random key, response times and counts that depend on the order of requests."""
    if not isinstance(outcome, Passed):
        return outcome
    detail = re.sub(r"key id \S+", "key id mha0…", outcome.detail)
    detail = re.sub(r"\d+ ms for", "9 ms for", detail)
    return Passed(re.sub(r"\d+ hits, \d+ misses", "5 hits, 3 misses", detail))


def healthy() -> list[Result]:
    return results_of(deployed())


def with_three_faults() -> list[Result]:
    mirror = deployed()
    for inject in (not_ready, rule_added, no_bucket, certificate_near_expiry):
        inject(mirror)
    mirror.cluster.logs[f"{names.AUTH}-0", False] = "panic: open /config/auth_config.yml: no such file or directory\n"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{names.AUTH}-0", "labels": {"app.kubernetes.io/instance": names.AUTH}},
        "spec": {"containers": [{"name": "main"}]},
        "status": {"phase": "Running", "conditions": []},
    }
    mirror.cluster.put(pod)
    return results_of(mirror)


def table(results: list[Result], *, short: bool = False, several: bool = False) -> str:
    """What people see in a terminal of 80 columns."""
    written = io.StringIO()
    console = Console(file=written, width=80, force_terminal=True, color_system=None)
    print_results(Terminal(Format.TABLE, False, console, console), results, several=several, short=short)
    return "".join(f"{line.rstrip()}\n" for line in written.getvalue().splitlines())


def document() -> dict[str, object]:
    return verify_report(samples.mirror(), "prod", RESULTS)


GOLDEN: dict[str, Callable[[], str]] = {
    "transcripts/verify-healthy.txt": lambda: table(healthy()),
    "transcripts/verify-three-faults.txt": lambda: table(with_three_faults()),
    "transcripts/verify-short.txt": lambda: table(with_three_faults(), short=True),
    "transcripts/verify-several-upstreams.txt": lambda: table(RESULTS, several=True),
    "documents/VerifyReport.yaml": lambda: yaml.safe_dump(document(), sort_keys=False, allow_unicode=True),
    "documents/VerifyReport.json": lambda: json.dumps(document(), indent=2, ensure_ascii=False) + "\n",
    "documents/verify.junit.xml": lambda: junit_report(samples.mirror(), RESULTS) + "\n",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_results_are_written_as_in_the_golden_file(name: str) -> None:
    check_golden(name, GOLDEN[name]())


@pytest.mark.parametrize("name", [name for name in GOLDEN if name.startswith("transcripts/")])
def test_only_commands_and_links_are_longer_than_80_columns(name: str) -> None:
    long = [line.strip() for line in GOLDEN[name]().splitlines() if len(line) > 80]
    assert [line for line in long if not line.startswith(("Try: ", "See: https://"))] == []


def test_junit_is_valid_xml_with_control_characters_in_a_log() -> None:
    root = ElementTree.fromstring(junit_report(samples.mirror(), RESULTS))  # noqa: S314 - our own
    assert {key: root.get(key) for key in ("tests", "failures", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "skipped": "1",
    }
    assert [suite.get("name") for suite in root] == ["cluster", "tls"]


def test_short_prints_only_the_summary_of_a_healthy_mirror() -> None:
    assert table(RESULTS[:1], short=True) == "√ 1 passed, 0 failed, 0 warnings, 0 skipped\n"


def test_a_failure_has_one_hint_and_one_link() -> None:
    lines = table(RESULTS[1:2]).splitlines()
    assert sum(line.strip().startswith("Try: ") for line in lines) == 1
    assert sum(line.strip().startswith("See: https://") for line in lines) == 1


def test_the_schema_describes_every_key_of_a_report() -> None:
    printed = CliRunner().invoke(app, ["config", "schema", "--kind", "VerifyReport"])
    schema = json.loads(printed.stdout)
    assert schema == report_schema()
    report = verify_report(samples.mirror(), "prod", RESULTS)
    for keys, described in (
        (set(report), schema["properties"]),
        ({key for entry in report["checks"] for key in entry}, schema["$defs"]["CheckReport"]["properties"]),
    ):
        assert keys == set(described)
        assert [key for key, entry in described.items() if not entry.get("description")] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--check", "token-isued"],
            'Error RM100: --check: unknown check "token-isued"\n  Try: did you mean token-issued',
        ),
        (["--check", "nonsense"], "  Try: available: cluster-api, "),
        (["--pre", "--check", "clients-pull"], 'Error RM100: --check: unknown check "clients-pull"'),
        (
            ["--category", "tokens"],
            'Error RM100: --category: unknown category "tokens"\n  Try: available: cluster, config',
        ),
        (["--wait", "5"], "Error RM100: --wait: "),
    ],
)
def test_an_invalid_option_is_reported_before_anything_is_checked(options: list[str], message: str) -> None:
    ended = CliRunner().invoke(app, ["verify", "--file", "missing.yaml", *options])
    assert ended.exit_code == 2
    assert message in ended.stderr


def test_the_command_line_is_repeated_in_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = deployed()
    nothing_deployed(mirror)
    monkeypatch.setattr("regmirror.cli.connections.CommandConnections", lambda *_, **__: mirror.connections())
    words = ["-f", "other.yaml", "-n", "regmirror", "--context", "prod", "--check", "cluster-deployed"]
    ended = CliRunner().invoke(app, ["verify", *words])
    assert ended.exit_code == 1
    command = "regmirror deploy -f other.yaml -n regmirror --context prod"
    assert f"      Try: apply the configuration file: {command}\n" in ended.stdout
