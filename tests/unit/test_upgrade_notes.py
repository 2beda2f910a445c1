"""The notes between two versions, and the deployed version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror import __version__
from regmirror.cli.app import app
from regmirror.desired import names
from regmirror.desired.assets import changelog
from regmirror.errors import ConfigurationError, TemplateError
from regmirror.ports.cluster import DEPLOYMENT
from regmirror.upgrade.changelog import UNRELEASED, Notes, deployed_version, notes_between, order_of, parse_changelog
from regmirror.upgrade.report import UpgradeNotes, upgrade_report
from regmirror.version import chart_version, is_development
from tests.fakes.cluster import FakeCluster
from tests.golden import check_golden

NOTES = parse_changelog(changelog())
THREE = parse_changelog(
    "# Changes\n## Unreleased\n### Added\n- d\n## 0.10.0 - 2027-02-01\n### Restarts\n- c\n  goes on\n"
    "## 0.9.0 - 2027-01-01\n### By hand\n- b\n## 0.1.0 - 2026-11-24\n### Added\n- a\n"
)


def versions(found: list[Notes]) -> list[str]:
    return [one.version for one in found]


def test_every_version_says_what_restarts_and_what_is_done_by_hand() -> None:
    assert [one.version for one in NOTES if {"Restarts", "By hand"} - one.sections.keys()] == []
    assert [title for one in NOTES for title, entries in one.sections.items() if not entries] == []
    assert all(one.date for one in NOTES if one.version != UNRELEASED)


def test_versions_stand_newest_first() -> None:
    assert versions(NOTES) == versions(sorted(NOTES, key=lambda one: one.order, reverse=True))


def test_what_differs_from_the_newest_release_does_not_have_its_number() -> None:
    newest = next(one.version for one in NOTES if one.version != UNRELEASED)
    if versions(NOTES)[0] == UNRELEASED:
        assert is_development(__version__), "CHANGELOG.md has changes that are not released"
        assert order_of(__version__) > order_of(newest)
    else:
        assert __version__ == newest


def test_the_charts_bear_the_version_of_regmirror() -> None:
    charts = Path(__file__).parents[2].glob("charts/*/Chart.yaml")
    assert {yaml.safe_load(path.read_text())["version"] for path in charts} == {chart_version(__version__)}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("0.1.0", "0.10.0", ["0.9.0", "0.10.0"]),
        ("0.9.0", "0.10.0", ["0.10.0"]),
        ("0.9.0", "0.9.0", []),
        ("0.1.0", "unreleased", ["0.9.0", "0.10.0", "unreleased"]),
        ("0.10.0", "0.11.0.dev0", ["unreleased"]),
        ("0.11.0.dev0", "0.11.0.dev0", ["unreleased"]),
        ("0.9.0.dev0", "0.10.0", ["0.9.0", "0.10.0"]),
        ("0.1.0", "0.9.0.dev0", ["0.9.0"]),
    ],
)
def test_the_notes_between_two_versions_are_listed_oldest_first(before: str, after: str, expected: list[str]) -> None:
    assert versions(notes_between(THREE, before, after)) == expected


def test_an_entry_of_several_lines_is_one() -> None:
    assert THREE[1].sections == {"Restarts": ["c goes on"]}


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("0.2.0", "0.10.0", "--from: no notes for version 0.2.0"),
        ("0.1.0", "1.0.0", "--to: no notes for version 1.0.0"),
        ("0.10.0", "0.9.0", "version 0.10.0 is newer than 0.9.0"),
        ("0.11.0.dev0", "0.10.0", "version 0.11.0.dev0 is newer than 0.10.0"),
    ],
)
def test_versions_without_notes_are_refused(before: str, after: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        notes_between(THREE, before, after)


def test_a_heading_that_is_not_a_version_is_an_error() -> None:
    with pytest.raises(TemplateError, match="## Soon"):
        parse_changelog("## Soon\n")


def deployment(chart: str) -> FakeCluster:
    cluster = FakeCluster()
    labels = {"helm.sh/chart": chart} if chart else {}
    cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "regmirror-auth", "namespace": cluster.namespace, "labels": labels},
            "spec": {},
        }
    )
    return cluster


def test_the_deployed_version_is_that_of_the_charts() -> None:
    for version in ("0.9.0", "0.11.0.dev0"):
        live = deployment(f"auth-{chart_version(version)}").get(DEPLOYMENT, names.AUTH)
        assert deployed_version(live, "a test") == version


@pytest.mark.parametrize("cluster", [FakeCluster(), deployment("")])
def test_an_unknown_deployed_version_must_be_named(cluster: FakeCluster) -> None:
    with pytest.raises(ConfigurationError) as caught:
        deployed_version(cluster.get(DEPLOYMENT, names.AUTH), "a test")
    assert caught.value.hint == "name the old version, e.g. --from 0.1.0"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["upgrade-notes", *words])


def test_without_a_cluster_the_old_version_must_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run()
    assert result.exit_code == 2
    assert "cannot determine the deployed version: cannot read regmirror.yaml: no such file" in result.stderr
    assert "Try: regmirror upgrade-notes --from VERSION" in result.stderr


def test_manual_steps_come_first() -> None:
    result = run("--from", "0.1.0", "--to", "unreleased")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == ["unreleased", "  By hand"]
    assert "Next: regmirror diff; then regmirror deploy" in result.stderr


def test_the_notes_as_a_document() -> None:
    document = json.loads(run("--from", "0.1.0", "--to", "unreleased", "-o", "json").stdout)
    assert [one["version"] for one in document["versions"]] == ["unreleased"]
    assert set(document["versions"][0]["notes"]) >= {"Restarts", "By hand"}


def test_a_release_and_itself_differ_in_nothing() -> None:
    assert run("--from", "0.1.0", "--to", "0.1.0").stdout == "No changes between 0.1.0 and 0.1.0.\n"


def test_a_development_version_may_differ_from_itself() -> None:
    result = run("--from", "0.2.0.dev0", "--to", "0.2.0.dev0")
    assert result.stdout != ""
    assert "0.2.0.dev0 is a development version: some of these changes may be deployed already." in result.stderr


def test_the_document_of_the_notes() -> None:
    document = upgrade_report("0.1.0", "unreleased", notes_between(THREE, "0.1.0", "unreleased")).document()
    check_golden("documents/UpgradeNotes.yaml", yaml.safe_dump(document, sort_keys=False))
    UpgradeNotes.model_validate(document)
