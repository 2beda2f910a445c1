"""The results of verify as metrics, printed and published."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.desired import names
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import CONFIG_MAP, CRON_JOB
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Result, Severity, Skipped, Warned
from regmirror.verify.metrics import verification_metrics
from regmirror.verify.publish import publish
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.golden import check_golden
from tests.unit.deployed import deployed

SAMPLE = re.compile(r'[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)*\})? [0-9.]+')
"""A line of the text format, with the labels and values that occur here."""


def result(id_: str, outcome: Outcome, upstream: str = "") -> Result:
    severity = Severity.WARNING if isinstance(outcome, Warned) else Severity.ERROR
    return Result(Check(id_, "a title", Category.TOKEN, lambda _: outcome, severity=severity), upstream, outcome, 0.0)


RESULTS = [
    result("token-accepted", Failed("refused"), "docker-hub"),
    result("token-accepted", Passed(), "quay"),
    result("token-validity", Warned("soon")),
    result("token-sign-in", Skipped("nobody can")),
]


def test_every_check_is_a_metric_and_certificates_have_dates() -> None:
    text = verification_metrics(deployed().live(), RESULTS, samples.NOW, 2.5)
    check_golden("verification.prom", text)
    assert [line for line in text.splitlines() if not line.startswith("# ") and not SAMPLE.fullmatch(line)] == []


def test_a_name_cannot_end_its_label() -> None:
    text = verification_metrics(deployed().live(), [result("a", Passed(), 'x"} 1\ny\\')], samples.NOW, 0)
    assert r'upstream="x\"} 1\ny\\",result="success"} 1' in text
    assert SAMPLE.fullmatch(text.splitlines()[2])


def test_a_mirror_that_is_not_there_has_results_only() -> None:
    live = deployed().live()
    live.cluster = FakeCluster()
    text = verification_metrics(live, RESULTS, samples.NOW, 2.5)
    assert "certificate_not_before" not in text
    assert text.count("regmirror_check_result{") == len(RESULTS)


def test_the_results_belong_to_the_cron_job() -> None:
    cluster = FakeCluster()
    metadata = {"name": names.VERIFICATION, "namespace": cluster.namespace}
    cluster.apply({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": {}})
    publish(cluster, "a 1\n")
    publish(cluster, "a 2\n")
    job, found = cluster.get(CRON_JOB, names.VERIFICATION), cluster.get(CONFIG_MAP, names.VERIFICATION_RESULT)
    assert job is not None
    assert found is not None
    assert found["data"] == {names.VERIFICATION_METRICS: "a 2\n"}
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("CronJob", job["metadata"]["uid"])


def test_without_the_cron_job_nothing_is_published() -> None:
    cluster = FakeCluster()
    with pytest.raises(ConfigurationError, match="has no CronJob regmirror-verification"):
        publish(cluster, "a 1\n")
    assert cluster.get(CONFIG_MAP, names.VERIFICATION_RESULT) is None


@pytest.mark.parametrize("selection", [["--check", "token-accepted"], ["--category", "token"], ["--pre"]])
def test_a_selection_does_not_replace_the_results_of_all_checks(selection: list[str]) -> None:
    result = CliRunner().invoke(app, ["verify", "--publish", *selection])
    assert result.exit_code == 2
    assert "--publish publishes the results of all checks" in result.stderr
