"""``regmirror access test``: a table of who may pull what, compared with the configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.cli.config import schema_of
from tests import samples
from tests.golden import check_golden

GITHUB = {"clientId": "a", "clientSecret": {"env": "SIGN_IN_CLIENT_SECRET"}, "organization": "acme"}
UPSTREAMS = [
    {**samples.MINIMAL["upstreams"][0], "rules": [{"allow": ["acme/private/**"], "groups": ["platform"]}]},
    samples.TWO_UPSTREAMS[1],
]
TABLE = """\
- {image: library/alpine, allow: true}
- {image: acme/private/x, allow: false}
- image: docker.io/acme/private/x:1
  user: ci
  groups: [platform]
  allow: true
- {image: quay.io/prometheus/node-exporter, allow: false}
- {image: acme/private/x, signedIn: alice@example.com, groups: [platform, other], from: 10.0.0.7, allow: true}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    document = samples.document(upstreams=UPSTREAMS, access={"signIn": {"github": GITHUB}})
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return tmp_path


def run(here: Path, table: str, *options: str) -> Any:
    (here / "expectations.yaml").write_text(table)
    return CliRunner().invoke(app, ["access", "test", "expectations.yaml", *options])


def test_every_expectation_is_compared(here: Path) -> None:
    result = run(here, TABLE)
    assert result.exit_code == 1
    check_golden("transcripts/access-test.txt", result.output)
    assert run(here, TABLE.replace("exporter, allow: false", "exporter, allow: true")).exit_code == 0


def test_the_short_form_shows_what_is_not_as_expected(here: Path) -> None:
    output = run(here, TABLE, "-o", "short").output
    assert "node-exporter" in output
    assert "alpine" not in output


def test_the_document_has_every_decision(here: Path) -> None:
    result = run(here, TABLE, "-o", "json")
    report = json.loads(result.stdout)
    check_golden("documents/AccessTestReport.yaml", yaml.safe_dump(report, sort_keys=False))
    assert (result.exit_code, report["failed"], len(report["results"])) == (1, 1, 5)
    assert report["results"][2]["rule"]["key"] == "upstreams[0].rules[0].allow[0]"
    assert [one["line"] for one in report["results"]] == [1, 2, 3, 7, 8]
    assert schema_of("AccessTestReport")["properties"]["failed"]["description"]


def test_ci_systems_read_it_as_tests(here: Path) -> None:
    result = run(here, TABLE, "-o", "junit")
    root = ElementTree.fromstring(result.stdout)  # noqa: S314 - our own
    assert (root.attrib["tests"], root.attrib["failures"]) == ("5", "1")
    (failure,) = root.iter("failure")
    assert "upstreams[1].anonymousPull[0] prometheus/*" in failure.attrib["message"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("- {image: alpine}", "line 1: [0].allow: required key is missing"),
        ("- {image: alpine, allow: 'yes'}", "line 1: [0].allow: expected true or false, without quotes"),
        ("- {image: Alpine, allow: true}", 'line 1: [0].image: "Alpine" is not an image name'),
        (
            "- {image: a, allow: true}\n- {image: a, usr: x, allow: true}",
            'line 2: [1].usr: unknown key; did you mean "user"?',
        ),
        ("- {image: a, groups: [x], allow: true}", "only a client that has logged in has groups"),
        ("- {image: a, user: a, signedIn: b, allow: true}", "a client has either an account"),
        ("- {image: a, from: 10.0.0.0/8, allow: true}", '"10.0.0.0/8" is not an IP address'),
        ("- {image: a, user: '*', allow: true}", "is not a valid account name"),
        ("- {image: a, user: '', allow: true}", '"" is not a valid account name'),
        ("- {image: a, signedIn: '', allow: true}", '"" is not a valid signed-in name'),
        ("- {image: a, signedIn: '  ', allow: true}", '"  " is not a valid signed-in name'),
        ("- {image: a, from: '', allow: true}", '"" is not an IP address'),
        ("- {image: a, user: a, groups: [''], allow: true}", '"" is not a valid group'),
        ("- {image: ghcr.io/a/b, allow: true}", "line 1: [0].image: no upstream serves ghcr.io"),
        ("- {image: ghcr.io/a/b, allow: true}", "\n    Try: add the registry to upstreams"),
        ("- {image: a, upstream: hub, allow: true}", 'the file has no upstream "hub"'),
        ("- {image: a, upstream: hub, allow: true}", "\n    Try: use one of docker-hub"),
        ("- {image: a, allow: true, allow: false}", "duplicate key"),
        ("image: a", "is not a list of expectations"),
        ("[]", "is not a list of expectations"),
        ("", "is empty"),
        ("a: [", "is not valid YAML: line 1"),
        ("- !!python/object {}", "YAML tags are not allowed"),
        ("&a [*a]", "refers to itself"),
    ],
)
def test_a_wrong_table_is_refused_with_its_lines(here: Path, table: str, message: str) -> None:
    result = run(here, table)
    assert (result.exit_code, "RM136" in result.output) == (2, True)
    assert message in result.output


def test_a_client_that_cannot_exist_is_refused(here: Path) -> None:
    (here / "regmirror.yaml").write_text(yaml.safe_dump(samples.document(upstreams=UPSTREAMS), sort_keys=False))
    result = run(here, "- {image: alpine, allow: true}\n- {image: alpine, signedIn: alice, allow: true}")
    assert result.exit_code == 2
    assert "line 2: [1].signedIn: nobody can sign in: the file has no access.signIn" in result.output


@pytest.mark.parametrize(
    ("provider", "code"),
    [({"gitlab": {"url": "https://gitlab.example.com"}}, 2), ({"github": {"organization": "acme"}}, 0)],
)
def test_a_person_has_groups_only_at_a_provider_with_groups(here: Path, provider: dict[str, Any], code: int) -> None:
    application = {"clientId": "id", "clientSecret": {"env": "SECRET"}}
    ((name, of),) = provider.items()
    document = samples.document(upstreams=UPSTREAMS, access={"signIn": {name: {**application, **of}}})
    (here / "regmirror.yaml").write_text(yaml.safe_dump(document))
    person = "{image: acme/private/x, signedIn: alice, groups: [platform], allow: true}"
    result = run(here, f"- {{image: library/alpine, allow: true}}\n- {person}\n")
    assert result.exit_code == code, result.output
    if code:
        assert "line 2: [1].groups: access.signIn.gitlab does not provide groups" in result.output
    why = CliRunner().invoke(app, ["why", "acme/private/x", "--signed-in", "alice", "--group", "platform", "--offline"])
    assert ("does not provide groups" in why.output) is bool(code)


def test_a_missing_table_is_an_error(here: Path) -> None:
    result = CliRunner().invoke(app, ["access", "test", str(here / "nosuch.yaml")])
    assert (result.exit_code, "no such file" in result.output) == (2, True)


@pytest.mark.parametrize(("table", "file"), [("expectations", "several-upstreams"), ("two-tenants", "two-tenants")])
def test_the_example_holds_for_its_configuration(table: str, file: str) -> None:
    examples = Path(__file__).parents[2] / "examples"
    words = [str(examples / f"access/{table}.yaml"), "-f", str(examples / f"{file}.yaml")]
    result = CliRunner().invoke(app, ["access", "test", *words])
    assert result.exit_code == 0, result.output
