"""The forms in which verify gives its results: golden files, a schema that holds them, and the options that choose."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.cli.options import Format
from regmirror.cli.terminal import Terminal
from regmirror.cli.verify_table import print_results
from regmirror.config.model import Mirror
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Result, Severity, Skipped, Warned
from regmirror.verify.junit import junit_report
from regmirror.verify.report import report_schema, verify_report
from tests import samples

GOLDEN = Path(__file__).parents[1] / "golden"


def result(
    id_: str, title: str, category: Category, outcome: Outcome, upstream: str = "", seconds: float = 0
) -> Result:
    severity = Severity.WARNING if isinstance(outcome, Warned) else Severity.ERROR
    return Result(Check(id_, title, category, lambda _: outcome, severity=severity), upstream, outcome, seconds)


RESULTS = [
    result("cluster-api", "the Kubernetes API answers", Category.CLUSTER, Passed("Kubernetes 1.37"), "", 0.0123),
    result(
        "cluster-pods",
        "every pod is ready",
        Category.CLUSTER,
        Failed("regmirror-auth: 0/1 ready\n  log: panic: <nil> & \x1b[31mmore", "regmirror deploy"),
        "",
        0.2,
    ),
    result("tls-host", "the public host answers", Category.TLS, Passed(), "docker-hub", 0.05),
    result("tls-host", "the public host answers", Category.TLS, Skipped("needs cluster-pods"), "quay"),
    result(
        "tls-validity",
        "its certificate is valid for at least 14 days",
        Category.TLS,
        Warned("the certificate of mirror.example.com ends in 9 days", "renew it"),
        "docker-hub",
        0.01,
    ),
]


def table(*, short: bool) -> str:
    written = io.StringIO()
    console = Console(file=written, width=120)
    print_results(Terminal(Format.TABLE, False, console, console), RESULTS, several=True, short=short)
    return written.getvalue()


FORMS: dict[str, Callable[[Mirror], str]] = {
    "verify.table.txt": lambda _: table(short=False),
    "verify.short.txt": lambda _: table(short=True),
    "verify.json": lambda mirror: json.dumps(verify_report(mirror, RESULTS), indent=2, ensure_ascii=False) + "\n",
    "verify.junit.xml": lambda mirror: junit_report(mirror, RESULTS) + "\n",
}


@pytest.mark.parametrize("name", FORMS)
def test_results_are_written_as_in_the_golden_file(name: str, request: pytest.FixtureRequest) -> None:
    written = FORMS[name](samples.mirror())
    if request.config.getoption("--update-golden"):
        (GOLDEN / name).write_text(written)
    assert written == (GOLDEN / name).read_text()


def test_junit_is_xml_that_counts_right_whatever_a_log_has_brought() -> None:
    root = ElementTree.fromstring(junit_report(samples.mirror(), RESULTS))  # noqa: S314 - our own
    assert {key: root.get(key) for key in ("tests", "failures", "skipped")} == {
        "tests": "5",
        "failures": "1",
        "skipped": "1",
    }
    assert [suite.get("name") for suite in root] == ["cluster", "tls"]


def test_short_says_in_one_line_that_all_is_well() -> None:
    written = io.StringIO()
    console = Console(file=written, width=120)
    print_results(Terminal(Format.TABLE, False, console, console), RESULTS[:1], several=False, short=True)
    assert written.getvalue() == "√ 1 passed, 0 failed, 0 warned, 0 skipped\n"


def test_the_schema_has_every_key_of_a_report_with_a_description() -> None:
    printed = CliRunner().invoke(app, ["config", "schema", "--kind", "VerifyReport"])
    schema = json.loads(printed.stdout)
    assert schema == report_schema()
    report = verify_report(samples.mirror(), RESULTS)
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
            'Error RM100: --check: there is no check "token-isued"\n  Try: there are: token-issued',
        ),
        (["--pre", "--check", "clients-pull"], 'Error RM100: --check: there is no check "clients-pull"'),
        (["--category", "tokens"], 'Error RM100: --category: there is no "tokens"\n  Try: there are: cluster, config'),
        (["--wait", "5"], "Error RM100: --wait: "),
    ],
)
def test_an_option_that_names_nothing_is_told_before_anything_is_asked(options: list[str], message: str) -> None:
    ended = CliRunner().invoke(app, ["verify", "--file", "missing.yaml", *options])
    assert ended.exit_code == 2
    assert message in ended.stderr
