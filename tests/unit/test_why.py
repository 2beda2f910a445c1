"""``regmirror why``: which rule decides, what the mirror says, and what it has; nothing is counted as a pull."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from typer.testing import CliRunner

from regmirror.access.live import ask_mirror, with_groups
from regmirror.access.question import Question, client_of, find_image
from regmirror.access.report import WhyReport
from regmirror.access.rules import RuleBook
from regmirror.access.why import why_report
from regmirror.cli.app import app
from regmirror.cli.rbac import Command
from regmirror.config.access_decision import ANYONE
from regmirror.config.documents import Unknown
from regmirror.config.load import parse_file
from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.errors import (
    ConfigurationError,
    LoginRefusedError,
    NotMirroredError,
    StorageUnreachableError,
)
from regmirror.ports.http import Answer
from tests import samples
from tests.golden import check_golden
from tests.unit.deployed import Deployed, deployed
from tests.unit.test_roles import Restricted, restricted
from tests.unit.transcript import connect

RULES = [
    {"deny": ["acme/private/secret"], "users": ["ci"]},
    {"allow": ["acme/private/**"], "groups": ["platform"]},
    {"deny": ["acme/closed/**"]},
    {"allow": ["acme/closed/x", "acme/here"], "from": ["10.0.0.0/8"]},
]
UPSTREAM = {**samples.MINIMAL["upstreams"][0], "deny": ["acme/no"], "rules": RULES}
PROXIES = {"ingress": {"trustedProxies": ["192.0.2.0/24"]}}
STORED = "docker-hub/docker/registry/v2/repositories/library/alpine/_manifests"
SINCE = datetime(2026, 11, 20, 8, tzinfo=UTC)
LIMITS = {"RateLimit-Limit": "200;w=21600", "RateLimit-Remaining": "150;w=21600"}


def rule_book(**changes: Any) -> tuple[Mirror, RuleBook]:
    mirror, root = parse_file(yaml.safe_dump(samples.document(**changes), sort_keys=False), "regmirror.yaml")
    return mirror, RuleBook(mirror, root, "regmirror.yaml")


@pytest.mark.parametrize(
    ("image", "upstream", "expected"),
    [
        ("alpine", "docker-hub", "library/alpine:latest"),
        ("library/alpine:3", "docker-hub", "library/alpine:3"),
        ("docker.io/acme/tool:1", "docker-hub", "acme/tool:1"),
        ("index.docker.io/alpine", "docker-hub", "library/alpine:latest"),
        ("registry-1.docker.io/acme/tool", "docker-hub", "acme/tool:latest"),
        ("quay.io/acme/tool:1@sha256:" + "a" * 64, "quay", "acme/tool@sha256:" + "a" * 64),
        ("quay.io/pause:3", "quay", "pause:3"),
        ("mirror.example.com/library/alpine", "docker-hub", "library/alpine:latest"),
        ("mirror.example.com/alpine", "docker-hub", "alpine:latest"),
        ("quay.example.com/acme/tool", "quay", "acme/tool:latest"),
    ],
)
def test_an_image_belongs_to_the_upstream_of_its_registry(image: str, upstream: str, expected: str) -> None:
    found, name = find_image(samples.mirror(upstreams=samples.TWO_UPSTREAMS), image)
    assert (found.name, str(name)) == (upstream, expected)


def test_an_image_of_another_registry_is_not_mirrored() -> None:
    mirror = samples.mirror(upstreams=samples.TWO_UPSTREAMS)
    with pytest.raises(NotMirroredError, match=r"no upstream serves ghcr\.io.*docker\.io, quay\.io"):
        find_image(mirror, "ghcr.io/acme/tool")
    with pytest.raises(NotMirroredError, match='no upstream "hub"'):
        find_image(mirror, "alpine", "hub")
    with pytest.raises(ConfigurationError, match="is not an image name"):
        find_image(mirror, "quay.io/Acme")
    assert find_image(mirror, "prometheus/x", "quay")[0].name == "quay"
    only = samples.mirror(upstreams=[{**samples.MINIMAL["upstreams"][0], "url": "https://proxy.example.com"}])
    assert str(find_image(only, "library/alpine:3")[1]) == "library/alpine:3"
    with pytest.raises(NotMirroredError, match=r"no upstream serves docker\.io"):
        find_image(only, "docker.io/library/alpine")
    twice = [*samples.TWO_UPSTREAMS, {**samples.TWO_UPSTREAMS[1], "name": "other", "host": "other.example.com"}]
    with pytest.raises(NotMirroredError, match=r"several upstreams serve quay\.io: quay, other"):
        find_image(samples.mirror(upstreams=twice), "quay.io/acme/tool")


@pytest.mark.parametrize(
    ("image", "client", "allowed", "key"),
    [
        ("library/a", {}, True, "anonymousPull[0]"),
        ("acme/no", {"user": "ci", "groups": ["platform"]}, False, "deny[0]"),
        ("acme/private/x", {}, False, None),
        ("acme/private/x", {"user": "ci", "groups": ["platform"]}, True, "rules[1].allow[0]"),
        ("acme/private/secret", {"user": "ci", "groups": ["platform"]}, False, "rules[0].deny[0]"),
        ("acme/private/secret", {"user": "bob", "groups": ["platform"]}, True, "rules[1].allow[0]"),
        ("acme/here", {"address": "10.1.2.3"}, True, "rules[3].allow[1]"),
        ("acme/here", {"address": "2001:db8::1"}, False, None),
    ],
)
def test_the_rule_that_decides_is_named_with_its_line(
    image: str, client: dict[str, Any], allowed: bool, key: str | None
) -> None:
    mirror, rules = rule_book(upstreams=[UPSTREAM], **PROXIES)
    report = why_report(mirror, rules, Question(*find_image(mirror, image), client_of(**client)))
    assert (report.allowed, report.rule.key) == (allowed, key and f"upstreams[0].{key}")
    if report.rule.key:
        text = yaml.safe_dump(samples.document(upstreams=[UPSTREAM], **PROXIES), sort_keys=False)
        assert report.rule.pattern and report.rule.line
        assert report.rule.pattern in text.splitlines()[report.rule.line - 1]


@pytest.mark.parametrize(
    ("image", "others"),
    [
        ("acme/private/x", ["group platform"]),
        ("acme/here", ["everyone, from 10.0.0.0/8"]),
        ("acme/closed/x", []),
        ("acme/no", []),
        ("acme/unknown", []),
    ],
)
def test_whom_another_rule_allows_it_is_said(image: str, others: list[str]) -> None:
    mirror, rules = rule_book(upstreams=[UPSTREAM], **PROXIES)
    report = why_report(mirror, rules, Question(*find_image(mirror, image), ANYONE))
    assert [other.clients for other in report.other_rules] == others


@pytest.fixture
def mirror() -> Deployed:
    """A healthy mirror with an S3 key, which has cached library/alpine:3."""
    key = {"id": {"env": "S3_ID"}, "secret": {"env": "S3_SECRET"}}
    found = deployed(
        storage={**samples.MINIMAL["storage"], "accessKey": key},
        upstreams=[
            {
                **samples.MINIMAL["upstreams"][0],
                "rules": [{"allow": ["acme/private/*"], "users": ["ci"]}],
                "credentials": {"username": {"env": "HUB"}, "password": {"env": "TOKEN"}},
            }
        ],
    )
    cache(found, "3", digest_at(found, "3"))
    return found


def digest_at(mirror: Deployed, tag: str) -> str:
    return mirror.upstream.add_image("library/alpine", tag, [b"layer" * 500, b"another"], platforms=("arm64", "amd64"))


def cache(mirror: Deployed, tag: str, digest: str) -> None:
    revision = f"{STORED}/revisions/{digest.replace(':', '/')}/link"
    mirror.store.write(f"{STORED}/tags/{tag}/current/link", digest.encode())
    mirror.store.write(revision, digest.encode())
    mirror.store.dates[revision] = SINCE


def ask(mirror: Deployed, image: str, password: str | None = None, **client: Any) -> WhyReport:
    live = mirror.live()
    question = Question(*find_image(mirror.mirror, image), client_of(**client))
    question = replace(question, client=with_groups(live, question.client))
    text = yaml.safe_dump(mirror.mirror.model_dump(mode="json", by_alias=True, exclude_defaults=True))
    root = yaml.compose(text)
    assert root is not None
    rules = RuleBook(mirror.mirror, root, "regmirror.yaml")
    findings = ask_mirror(live, question, SecretStr(password) if password else None)
    return why_report(live.mirror, rules, question, findings, live)


def test_a_cached_image_that_is_current_costs_no_pull(mirror: Deployed) -> None:
    report = ask(mirror, "alpine:3")
    assert report.allowed
    assert report.mirror and report.mirror.allowed
    assert report.difference is None
    assert not isinstance(report.cache, Unknown) and report.cache
    assert (report.cache.since, report.cache.stale, report.cache.served) == (SINCE, False, True)
    assert not isinstance(report.at_upstream, Unknown) and report.at_upstream
    assert (report.at_upstream.state, report.at_upstream.digest) == ("public", report.cache.digest)
    assert report.pulls == 0
    check_golden("documents/WhyReport.yaml", yaml.safe_dump(report.document(), sort_keys=False))


def test_no_request_is_one_that_a_rate_limit_counts(mirror: Deployed) -> None:
    """Docker Hub counts GET of manifests, and the registry sends one if it lacks what it is asked for."""
    for image in ("alpine:3", "alpine:nosuch"):
        mirror.http.requests.clear()
        ask(mirror, image)
        manifests = [request for request in mirror.http.requests if "/manifests/" in request.path]
        assert {request.method for request in manifests} == {"HEAD"}
        at_mirror = [request.path for request in manifests if samples.HOST in request.url]
        assert all("/manifests/sha256:" in path for path in at_mirror)


def test_a_tag_that_moved_costs_one_pull(mirror: Deployed) -> None:
    mirror.upstream.add_image("library/alpine", "3", [b"newer"])
    report = ask(mirror, "alpine:3")
    assert report.cache and not isinstance(report.cache, Unknown)
    assert (report.cache.stale, report.pulls) == (True, 1)
    by_digest = ask(mirror, f"library/alpine@{report.cache.digest}")
    assert (by_digest.pulls, by_digest.cache and by_digest.cache.served) == (0, True)  # type: ignore[union-attr]


def test_what_is_not_cached_costs_one_pull(mirror: Deployed) -> None:
    mirror.upstream.add_image("library/alpine", "4", [b"x"])
    report = ask(mirror, "alpine:4")
    assert (report.cache, report.pulls) == (None, 1)
    # The tag is known, but its manifest has expired.
    mirror.store.delete(f"{STORED}/revisions/{digest_at(mirror, '3').replace(':', '/')}/link")
    assert ask(mirror, "alpine:3").cache is None


@pytest.mark.parametrize(
    ("answer", "state"),
    [(Answer(404, {}, b""), "missing"), (Answer(401, {}, b""), "refused"), (Answer(429, LIMITS, b""), "rateLimited")],
)
def test_what_the_upstream_says(mirror: Deployed, answer: Answer, state: str) -> None:
    mirror.upstream.answers["/v2/library/alpine/manifests/3"] = answer
    report = ask(mirror, "alpine:3")
    assert report.at_upstream and not isinstance(report.at_upstream, Unknown)
    assert (report.at_upstream.state, report.pulls) == (state, None)
    assert report.at_upstream.pull_limit == (200 if state == "rateLimited" else None)


def test_an_image_that_only_the_mirrors_account_can_read_is_private(mirror: Deployed) -> None:
    mirror.upstream.private = {"library/alpine"}
    report = ask(mirror, "alpine:3")
    assert report.at_upstream and not isinstance(report.at_upstream, Unknown)
    assert report.at_upstream.state == "private"


def test_an_account_is_asked_for_with_its_password(mirror: Deployed) -> None:
    mirror.host.users, mirror.host.private = {"ci"}, {"acme/private/x"}
    mirror.host.allowed |= {"acme/private/x"}
    assert not ask(mirror, "acme/private/x").allowed
    report = ask(mirror, "acme/private/x", "canary-password", user="ci")
    assert (report.allowed, report.difference) == (True, None)
    assert "canary-password" not in json.dumps(report.document())
    with pytest.raises(LoginRefusedError, match="does not accept the account bob"):
        ask(mirror, "acme/private/x", "canary-password", user="bob")


def test_the_groups_of_an_account_are_those_of_docker_auth(mirror: Deployed) -> None:
    account = {"password": "x", "labels": {"user": ["ci"], "groups": ["deploy"]}}
    mirror.edit(names.AUTH_SECRET, "auth_config.yml", lambda config: config["users"].update(ci=account))
    assert with_groups(mirror.live(), client_of("ci")).groups == {"deploy"}
    assert with_groups(mirror.live(), client_of("ci", groups=["x"])).groups == {"x"}


def test_only_the_file_can_answer_for_another_address_or_a_sign_in(mirror: Deployed) -> None:
    for client in ({"address": "10.0.0.1"}, {"signed_in": "alice@example.com"}, {"user": "ci"}):
        report = ask(mirror, "alpine:3", **client)
        assert (report.mirror, report.allowed) == (None, True)


def test_a_mirror_with_older_rules_is_found_out(mirror: Deployed) -> None:
    mirror.host.allowed.clear()
    stuck = ask(mirror, "alpine:3")
    assert not stuck.allowed
    assert stuck.rule.allowed
    assert stuck.difference
    assert "has not read its new rules" in stuck.difference.message
    assert "rollout restart deployment/regmirror-auth" in stuck.difference.hint
    mirror.edit(names.AUTH_SECRET, "auth_config.yml", lambda config: config["acl"].pop())
    old = ask(mirror, "alpine:3").difference
    assert old
    assert ("runs with other rules" in old.message, "regmirror deploy" in old.hint) == (True, True)


def test_with_a_docker_auth_of_others_its_rules_decide() -> None:
    external = {"realm": "https://auth.example.com/auth", "issuer": "Acme", "certificate": {"file": "token.pem"}}
    mirror = deployed(auth={"external": external})
    mirror.host.allowed.clear()
    found = ask(mirror, "alpine:3").difference
    assert found
    assert "the existing docker_auth has other rules" in found.message


def test_a_store_that_does_not_answer_is_unknown(mirror: Deployed) -> None:
    mirror.store.failure = StorageUnreachableError("cannot reach the store")
    report = ask(mirror, "alpine:3")
    assert report.cache == Unknown(unknown="cannot reach the store")
    assert (report.allowed, report.pulls) == (True, None)
    mirror.mirror = samples.mirror(storage={"filesystem": {"size": "10Gi"}})
    assert isinstance(ask(mirror, "alpine:3").cache, Unknown)


def test_it_works_with_its_role(mirror: Deployed) -> None:
    mirror.cluster = Restricted(mirror.cluster, mirror.mirror, Command.WHY)
    for found in (mirror, restricted(Command.WHY)):
        found.host.allowed.clear()
        report = ask(found, "alpine:3")
        assert report.difference
        assert "forbidden" not in str(report.document())


def run(*arguments: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(app, ["why", *arguments], input=stdin)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "regmirror.yaml"
    path.write_text(yaml.safe_dump(samples.document()))
    return str(path)


def test_the_exit_code_is_the_answer(monkeypatch: pytest.MonkeyPatch, mirror: Deployed, file: str) -> None:
    connect(monkeypatch, mirror.connections())
    assert run("alpine:3", "-f", file).exit_code == 0
    refused = run("acme/other", "-f", file, "-o", "json")
    assert (refused.exit_code, json.loads(refused.stdout)["allowed"]) == (1, False)
    assert run("ghcr.io/acme/x", "-f", file).exit_code == 2
    mirror.http.hosts.clear()
    assert run("alpine:3", "-f", file).exit_code == 3
    assert run("alpine:3", "-f", file, "--offline").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--user", ""], '"" is not a valid account name'),
        (["--signed-in", ""], "signed-in name"),
        (["--signed-in", "  "], "signed-in name"),
        (["--user", "ci", "--group", ""], "group"),
        (["--from", ""], '"" is not an IP address'),
        (["--user", "", "--signed-in", "alice"], "either an account"),
        (["--user", "", "--group", "platform"], "is not a valid account name"),
    ],
    ids=str,
)
def test_a_variable_that_is_not_set_is_no_client_without_a_login(
    monkeypatch: pytest.MonkeyPatch, file: str, words: list[str], message: str
) -> None:
    connect(monkeypatch, None)
    result = run("alpine", "-f", file, "--offline", *words)
    assert (result.exit_code, message in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    ("sign_in", "words", "message"),
    [
        (None, [], "nobody can sign in: the file has no access.signIn"),
        ({"gitlab": {"url": "https://gitlab.example.com"}}, ["--group", "platform"], "gitlab does not provide groups"),
        ({"google": {"domain": "example.com"}}, ["--group", "platform"], "google does not provide groups"),
    ],
)
def test_a_client_that_cannot_exist_gets_no_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sign_in: Any, words: list[str], message: str
) -> None:
    connect(monkeypatch, None)
    path = tmp_path / "regmirror.yaml"
    path.write_text(yaml.safe_dump(samples.document(**sign_in_section(sign_in))))
    result = run("alpine", "-f", str(path), "--offline", "--signed-in", "alice@example.com", *words)
    assert (result.exit_code, message in result.output) == (2, True), result.output
    if sign_in:
        assert run("alpine", "-f", str(path), "--offline", "--signed-in", "alice@example.com").exit_code == 0


def sign_in_section(provider: Any) -> dict[str, Any]:
    """The section access with a provider, which also has what every provider needs."""
    secret = {"clientId": "0123", "clientSecret": {"env": "SIGN_IN_CLIENT_SECRET"}}
    return {"access": {"signIn": {name: secret | keys for name, keys in provider.items()}}} if provider else {}


def test_a_password_is_read_from_standard_input_only(
    monkeypatch: pytest.MonkeyPatch, mirror: Deployed, file: str
) -> None:
    connect(monkeypatch, mirror.connections())
    mirror.host.users = {"ci"}
    words = ["alpine:3", "-f", file, "--user", "ci"]
    result = run(*words, "--password-stdin", stdin="canary-password\n")
    assert result.exit_code == 0
    assert "canary-password" not in result.output
    for stdin, options in (("", ["--password-stdin"]), ("canary-password", [])):
        assert run(*words, *options, stdin=stdin).exit_code == 2
    assert run("alpine:3", "-f", file, "--password-stdin", stdin="x").exit_code == 2
    assert run(*words, "--offline").exit_code == 0
    mirror.host.users = set()
    wrong = run(*words, "--password-stdin", stdin="canary-password\n")
    assert (wrong.exit_code, "RM137" in wrong.output, "canary-password" in wrong.output) == (3, True, False)


def test_nothing_is_asked_offline(monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    connect(monkeypatch, None)
    result = run("acme/tool", "-f", file, "--offline")
    assert (result.exit_code, "upstreams[0].anonymousPull[1] acme/tool" in result.stdout) == (0, True)


def test_the_table(monkeypatch: pytest.MonkeyPatch, mirror: Deployed, file: str) -> None:
    connect(monkeypatch, mirror.connections())
    output = run("alpine:3", "-f", file).output.replace(file, "regmirror.yaml")
    refused = run("acme/private/x", "-f", file, "--offline").output.replace(file, "regmirror.yaml")
    check_golden(
        "transcripts/why.txt",
        f"$ regmirror why alpine:3\n{output}\n$ regmirror why acme/private/x --offline\n{refused}",
    )
