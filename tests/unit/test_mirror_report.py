"""``regmirror report``: what is collected, what is reported if a part is missing, and what is written where."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.config.documents import Unknown
from regmirror.desired import names
from regmirror.desired.verify_rights import verify_rights
from regmirror.errors import ClusterError, ExitCode, RegistryError, StorageUnreachableError
from regmirror.errors.documentation import DOCUMENTATION_URL
from regmirror.ports.cluster import DEPLOYMENT
from regmirror.report.attention import attention_items, verdict
from regmirror.report.collect import collect_report
from regmirror.report.document import ContentsReport, Health, MirrorReport, RankingReport
from regmirror.report.figures import headline_figures
from regmirror.report.page import report_page
from regmirror.report.rights import report_rights
from regmirror.status.rights import status_rights
from tests import report_sample, samples
from tests.fakes.metrics_server import MetricsServer
from tests.golden import check_golden
from tests.unit.deployed import REGISTRY, Deployed, deployed
from tests.unit.transcript import connect

PREFIX = "docker-hub/docker/registry/v2"
TOP = """\
regmirror_start_time_seconds 1763884800
regmirror_repository_requests{result="pulled",repository="library/alpine"} 42
regmirror_repository_requests_uncertain{result="pulled",repository="library/alpine"} 2
regmirror_repository_requests{result="refused",repository="evil/miner"} 7
regmirror_repository_requests{result="pulled",repository="<script>"} 99
"""


@pytest.fixture
def mirror() -> Deployed:
    """A healthy mirror with one image in its bucket, and a ranking."""
    found = deployed()
    layer, manifest = "a" * 64, "b" * 64
    repository = f"{PREFIX}/repositories/library/alpine"
    found.store.sizes = {
        f"{repository}/_layers/sha256/{layer}/link": 71,
        f"{repository}/_manifests/revisions/sha256/{manifest}/link": 71,
        f"{repository}/_manifests/tags/3/index/sha256/{manifest}/link": 71,
        f"{PREFIX}/blobs/sha256/aa/{layer}/data": 3_000_000,
        f"{PREFIX}/blobs/sha256/bb/{manifest}/data": 1_000,
        f"{PREFIX}/blobs/sha256/cc/{'c' * 64}/data": 500,
    }
    found.cluster.listeners[f"{REGISTRY}-0", names.METRICS_PORT] = MetricsServer(body=TOP, path="/top")
    return found


def collected(mirror: Deployed, **options: Any) -> MirrorReport:
    return collect_report(mirror.live(), with_checks=False, **options)


def test_the_contents_of_the_bucket_are_reported_by_repository(mirror: Deployed) -> None:
    (upstream,) = collected(mirror).upstreams
    assert isinstance(upstream.contents, ContentsReport)
    assert (upstream.contents.bytes, upstream.contents.unused, upstream.contents.complete) == (3_001_500, 500, True)
    (alpine,) = upstream.contents.repositories
    assert (alpine.name, alpine.bytes, alpine.tags, alpine.manifests) == ("library/alpine", 3_001_000, 1, 1)


def test_the_ranking_of_the_pods_is_reported_without_names_of_nothing(mirror: Deployed) -> None:
    (upstream,) = collected(mirror).upstreams
    assert isinstance(upstream.ranking, RankingReport)
    assert [(one.name, one.count, one.uncertain) for one in upstream.ranking.pulled] == [("library/alpine", 42, 2)]
    assert [(one.name, one.count, one.uncertain) for one in upstream.ranking.refused] == [("evil/miner", 7, 0)]


def test_without_metrics_there_is_no_ranking() -> None:
    (upstream,) = collected(deployed(monitoring={"metrics": False})).upstreams
    assert upstream.ranking == Unknown(unknown="the pods count nothing: monitoring.metrics is false")


def test_a_listing_that_takes_too_long_is_reported_as_incomplete(mirror: Deployed) -> None:
    (upstream,) = collected(mirror, time_limit=4.0).upstreams
    assert isinstance(upstream.contents, ContentsReport)
    assert not upstream.contents.complete


def test_a_part_that_cannot_be_read_is_unknown_and_the_others_are_reported(mirror: Deployed) -> None:
    def history() -> Any:
        raise RegistryError("http://127.0.0.1:9090 did not answer in time")

    mirror.store.failure = StorageUnreachableError("no answer")
    mirror.cluster.listeners.pop((f"{REGISTRY}-0", names.METRICS_PORT))
    report = collected(mirror, history=history)
    (upstream,) = report.upstreams
    assert upstream.contents == Unknown(unknown="this machine cannot reach AWS; regmirror verify asks the pods")
    assert isinstance(upstream.ranking, Unknown)
    assert report.history == Unknown(unknown="http://127.0.0.1:9090 did not answer in time")
    assert (report.health, report.checks) == (Health.HEALTHY, None)
    assert "did not answer in time" in report_page(report)


def test_all_checks_are_part_of_it(mirror: Deployed) -> None:
    mirror.cluster.delete(DEPLOYMENT, names.AUTH)
    report = collect_report(mirror.live())
    assert isinstance(report.checks, list)
    failed = [check.id for check in report.checks if check.result == "error"]
    assert failed
    assert report.health is Health.FAILING
    assert verdict(report) == "Not serving"
    errors = [item for item in attention_items(report) if item.level == "error"]
    assert errors[0].title == f"{names.AUTH}: missing"
    assert all(item.hint for item in errors if item.documentation)


def test_a_namespace_without_a_mirror_is_one_item_with_what_to_do() -> None:
    found = deployed()
    for name in (names.REDIS, names.AUTH, REGISTRY):
        found.cluster.delete(DEPLOYMENT, name)
    report = collected(found)
    assert verdict(report) == "Not deployed"
    assert [item.hint for item in attention_items(report)] == ["regmirror deploy"]


@pytest.mark.parametrize("name", ["healthy", "broken"])
def test_the_page_as_it_is_written(name: str) -> None:
    page = report_page(getattr(report_sample, name)())
    check_golden(f"report/{name}.html", page.replace(DOCUMENTATION_URL, "https://docs.example.com"))


def test_the_document_as_it_is_printed() -> None:
    document = report_sample.healthy().document()
    MirrorReport.model_validate(document)
    assert list(document)[:3] == ["apiVersion", "kind", "host"]
    assert (document["kind"], document["health"]) == ("MirrorReport", "healthy")


def test_hostile_texts_are_escaped_wherever_they_are_shown() -> None:
    page = report_page(report_sample.broken(report_sample.HOSTILE, context=report_sample.HOSTILE))
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("</style>") == 1
    assert page.count("&lt;/style&gt;") > 8


def test_a_page_stays_small_however_much_is_cached() -> None:
    many = {f"team-{number}/service": 10_000_000 + number for number in range(500)}
    use = report_sample.use("docker-hub").model_copy(update={"contents": report_sample.contents(**many)})
    assert len(report_page(report_sample.healthy(upstreams=[use]))) < 400_000


def test_figures_that_are_not_known_say_why() -> None:
    report = report_sample.healthy()
    unknown = Unknown(unknown="no pod is running")
    changes = {"cache": unknown, "store": unknown, "pull_limit": unknown}
    status = report.status.model_copy(update={"upstreams": [report.status.upstreams[0].model_copy(update=changes)]})
    figures = headline_figures(report.model_copy(update={"status": status}))
    assert {(figure.value, figure.detail) for figure in figures} == {("–", "unknown: no pod is running")}


def test_few_pulls_left_are_a_warning() -> None:
    report = report_sample.healthy()
    upstream = report.status.upstreams[0]
    assert not isinstance(upstream.pull_limit, Unknown)
    limit = upstream.pull_limit.model_copy(update={"remaining": 20})
    status = report.status.model_copy(update={"upstreams": [upstream.model_copy(update={"pull_limit": limit})]})
    figure = headline_figures(report.model_copy(update={"status": status}))[-1]
    assert (figure.value, figure.level) == ("20", "warning")


def run(mirror: Deployed, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    connect(monkeypatch, mirror.connections())
    return CliRunner().invoke(app, ["report", "--no-verify", *words])


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_writes_a_page_and_replaces_its_own(
    mirror: Deployed, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    for _ in range(2):
        result = run(mirror, monkeypatch)
        assert (result.exit_code, result.stdout.splitlines()[0]) == (ExitCode.OK, "√ regmirror-report.html")
    assert (directory / "regmirror-report.html").read_text().startswith("<!doctype html>")
    assert [path.name for path in directory.iterdir()] == ["regmirror-report.html"]


def test_a_file_that_is_not_a_report_is_not_replaced(
    mirror: Deployed, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    (directory / "notes.html").write_text("precious")
    result = run(mirror, monkeypatch, "--output-file", "notes.html")
    assert result.exit_code == ExitCode.USAGE
    assert "cannot write notes.html: the file exists and is not a report" in result.stderr
    assert (directory / "notes.html").read_text() == "precious"


def test_the_page_and_the_data_go_to_standard_output_on_request(
    mirror: Deployed, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    assert run(mirror, monkeypatch, "--output-file", "-").stdout.startswith("<!doctype html>")
    assert json.loads(run(mirror, monkeypatch, "-o", "json").stdout)["kind"] == "MirrorReport"
    assert [*directory.iterdir()] == []
    both = run(mirror, monkeypatch, "-o", "json", "--output-file", "page.html")
    assert json.loads(both.stdout)["health"] == "healthy"
    assert (directory / "page.html").exists()
    result = run(mirror, monkeypatch, "-o", "json", "--output-file", "-")
    assert result.exit_code == ExitCode.USAGE


def test_a_directory_that_does_not_exist_is_reported_before_anything_is_read(
    mirror: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(mirror, monkeypatch, "--output-file", "absent/page.html")
    assert result.exit_code == ExitCode.USAGE
    assert "there is no directory absent" in result.stderr
    assert "Collecting" not in result.stderr


@pytest.mark.parametrize("words", [["--since", "1m"], ["--since", "9999h"], ["--prometheus", "nonsense"]])
def test_options_that_make_no_sense_are_refused(
    mirror: Deployed, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    assert run(mirror, monkeypatch, *words).exit_code == ExitCode.USAGE


def test_no_part_of_the_page_shows_a_secret(mirror: Deployed, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    monkeypatch.setenv("REGMIRROR_PROMETHEUS_TOKEN", "canary-prometheus-token")
    connect(monkeypatch, mirror.connections())
    result = CliRunner().invoke(app, ["report", "--prometheus", "http://127.0.0.1:1", "--debug"])
    assert result.exit_code == ExitCode.OK
    text = (directory / "regmirror-report.html").read_text() + result.output
    assert "canary" not in text


def test_the_role_is_that_of_status_and_verify() -> None:
    mirror = samples.mirror()
    assert set(report_rights(mirror)) == {*status_rights(mirror), *verify_rights(mirror)}


def test_a_certificate_that_ends_soon_is_marked() -> None:
    report = report_sample.healthy()
    certificate = {"not_after": samples.NOW + timedelta(days=5), "days_left": 5}
    status = report.status.model_copy(
        update={"signing_certificate": report.status.signing_certificate.model_copy(update=certificate)}
    )
    assert '<td class="number few">5</td>' in report_page(report.model_copy(update={"status": status}))


def test_an_error_of_the_cluster_is_no_error_of_the_report(mirror: Deployed) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ClusterError("no answer")

    mirror.cluster.select = fail  # type: ignore[method-assign]
    assert isinstance(collected(mirror).upstreams[0].ranking, Unknown)
