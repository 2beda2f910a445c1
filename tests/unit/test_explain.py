"""explain: prints the reference section of every error, check and configuration key, without a network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner, Result

from regmirror.cli import reference_pages
from regmirror.cli.app import app
from regmirror.cli.explain import explain
from regmirror.cli.explanation import Explanation, TopicList
from regmirror.config.model_keys import documented_keys
from regmirror.errors.documentation import DOCUMENTATION_URL, check_url, error_url, key_url
from regmirror.verify.check import Category
from regmirror.verify.checks import CHECKS
from tests.golden import check_golden
from tests.unit.test_documentation import error_classes

PAGES = {
    "errors.md": """# Errors

Text.

## Exit codes

| code |

## RM301

**Helm is not installed,
or too old.**

```
# Error RM301: no Helm
## RM999
```

See [exit codes](#exit-codes), [a guide](../guides/upgrade.md#helm) and [Helm](https://helm.sh).

## RM302

**A chart is not valid.**
""",
    "checks/index.md": "# Checks\n\n## how-to-read\n\nNo check.\n",
    "checks/token.md": "# Token checks\n\n## token-grant\n\n**`/auth` grants a pull.** Text.\n",
    "client-check.md": """# Check of a machine

| id | what it means |
|---|---|
| `login-user`, `login-placeholder` | the login is of another account: [accounts](../guides/accounts.md) |
""",
    "node-check.md": "# Check of the nodes\n\n## not-listed\n\n**No file names the mirror.** Text.\n",
    "configuration.md": """# Configuration

## Types

Text.

## ingress

The public endpoint.

## ingress.issuer

Issuer. Keys: [name](#ingressissuername).

## `ingress.issuer.name`

Name of the issuer.

## upstreams.name

Name of the upstream.
""",
}


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in PAGES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(reference_pages, "reference_directory", lambda: tmp_path)
    for cached in (reference_pages.topics, reference_pages.check_ids, reference_pages.check_categories):
        cached.cache_clear()
    yield
    for cached in (reference_pages.topics, reference_pages.check_ids, reference_pages.check_categories):
        cached.cache_clear()


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["explain", *words])


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("name", ["RM301", "rm301"])
def test_an_error_is_explained_with_links_to_the_site(name: str) -> None:
    result = run(name)
    assert result.exit_code == 0
    assert result.stdout.startswith("## RM301\n\n**Helm is not installed,\nor too old.**\n")
    assert f"See exit codes, [a guide]({DOCUMENTATION_URL}/guides/upgrade/#helm) and [Helm](https://helm.sh).\n" in (
        result.stdout
    )
    assert "## RM999" in result.stdout
    assert "RM302" not in result.stdout
    assert result.stdout.endswith(f"\nSee: {error_url('RM301')}\n")


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    "name", ["ingress.issuer.name", "Ingress.Issuer.Name", "upstreams[0].name", "upstreams[].name"]
)
def test_a_key_is_found_in_every_notation(name: str) -> None:
    assert "Name of the" in run(name).stdout


@pytest.mark.usefixtures("pages")
def test_a_key_with_keys_below_it_lists_them() -> None:
    assert "The public endpoint.\n\nKeys:\n\n- `ingress.issuer`\n- `ingress.issuer.name`\n" in run("ingress").stdout
    assert "Issuer. Keys: name.\n\nSee: " in run("ingress.issuer").stdout


@pytest.mark.usefixtures("pages")
def test_the_document_has_title_address_and_markdown() -> None:
    text = run("token-grant", "-o", "yaml").stdout
    assert Explanation.model_validate(yaml.safe_load(text)).url == check_url("token-grant", "token")
    check_golden("documents/Explanation.yaml", text)


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("name", ["login-user", "login-placeholder"])
def test_a_finding_of_a_machine_is_explained(name: str) -> None:
    shown = run(name).stdout
    assert shown.startswith(f"## {name}\n\nthe login is of another account: [accounts]({DOCUMENTATION_URL}/guides/acc")
    assert shown.endswith(f"\nSee: {DOCUMENTATION_URL}/reference/client-check/\n")


@pytest.mark.usefixtures("pages")
def test_without_a_topic_all_are_listed_by_kind() -> None:
    lines = run().stdout.splitlines()
    assert lines[:5] == ["Error codes:", "  RM301", "  RM302", "", "Checks:"]
    assert lines[5:8] == ["  token-grant", "", "Findings of client-config --check:"]
    assert lines[8:12] == ["  login-user", "  login-placeholder", "", "Reasons of verify --nodes:"]
    assert lines[12:15] == ["  not-listed", "", "Configuration keys:"]
    text = run("-o", "yaml").stdout
    assert len(TopicList.model_validate(yaml.safe_load(text)).topics) == 10
    check_golden("documents/TopicList.yaml", text)


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("RM30", "did you mean RM301 or RM302?"),
        ("tokengrant", "did you mean token-grant?"),
        ("ingres.issuer", "did you mean ingress.issuer or"),
        ("how-to-read", "list all topics: regmirror explain"),
        ("Exit codes", "list all topics: regmirror explain"),
    ],
)
def test_an_unknown_topic_is_answered_with_the_nearest(name: str, hint: str) -> None:
    result = run(name, "-o", "json")
    assert result.exit_code == 2
    error = json.loads(result.stdout)["error"]
    assert error["message"] == f'there is no topic "{name}"'
    assert error["hint"].startswith(hint)


@pytest.mark.usefixtures("pages")
def test_markdown_is_rendered_in_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: True))
    explain("token-grant")
    shown = capsys.readouterr().out
    assert "**" not in shown
    assert "/auth grants a pull. Text." in re.sub(r"\x1b\[[0-9;]*m", "", shown)


def test_every_error_code_is_explained() -> None:
    topics = reference_pages.topics()
    assert [one.code for one in error_classes() if one.code not in topics] == []
    assert all(topics[one.code].title != one.code for one in error_classes())


def test_every_check_is_explained_on_the_page_of_its_category() -> None:
    topics = reference_pages.topics()
    wrong = [
        check.id
        for check in CHECKS
        if check.id not in topics or topics[check.id].url != check_url(check.id, check.category.value)
    ]
    assert wrong == []
    assert set(reference_pages.check_categories()) == {category.value for category in Category}


def test_every_key_of_the_configuration_is_explained() -> None:
    topics = reference_pages.topics()
    known = {topic.id for topic in topics.values()}
    expected = set(documented_keys())
    assert {"host", "upstreams.name", "ingress.issuer.kind", "storage.accessKey.id"} <= expected
    assert sorted(key for key in expected if reference_pages.normalize(key) not in known) == []
    assert topics["ingress.issuer"].url == key_url("ingress.issuer")
