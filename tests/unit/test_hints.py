"""Every failure says what to do, in commands that can be run as they stand, and docs/checks.md says the same."""

from __future__ import annotations

import re

import pytest
from typer.main import get_group

from regmirror.cli.app import app
from regmirror.distribution.client import DamagedBlobError
from regmirror.verify.check import Failed, Warned
from tests.e2e.hint_runner import commands_in
from tests.unit.check_faults import FAULTS, Harm
from tests.unit.deployed import deployed
from tests.unit.test_checks import FAILURES, damage_layer
from tests.unit.test_documentation import sections

HARMS = [
    *(pytest.param(check, harm, id=f"{check}: {words}") for check, harm, words in FAULTS),
    *(pytest.param(check, harm, id=f"{check}: {name}") for check, name, harm, _ in FAILURES),
]
IN_WORDS_OF_THE_PAGE = {
    r"-n regmirror\b": "-n NAMESPACE",
    "regmirror-docker-hub": "regmirror-UPSTREAM",
    r"REGISTRY_\w+-": "NAME-",
    r"s3://\S+": "s3://BUCKET/KEY",
    r"secret tls \S+": "secret tls SECRET",
}


def hint_of(check: str, harm: Harm) -> str:
    mirror = deployed()
    harm(mirror)
    outcome = mirror.ask(check)
    assert isinstance(outcome, Failed | Warned)
    return outcome.hint


def page(check: str) -> str:
    return " ".join(sections("checks.md")[check].split())


@pytest.mark.parametrize(("check", "harm"), HARMS)
def test_a_hint_says_what_to_do_in_words_of_its_own(check: str, harm: Harm) -> None:
    hint = hint_of(check, harm)
    assert hint
    assert "docs/checks.md" not in hint


@pytest.mark.parametrize(("check", "harm"), HARMS)
def test_its_commands_can_be_run_and_are_those_of_the_page(check: str, harm: Harm) -> None:
    for command in commands_in(hint_of(check, harm)):
        program, *words = command.split()
        if program == "regmirror":
            get_group(app).commands[words[0]].make_context(words[0], words[1:])
        if program == "kubectl":
            assert words[:2] == ["-n", "regmirror"]
        documented = command
        for found, general in IN_WORDS_OF_THE_PAGE.items():
            documented = re.sub(found, general, documented)
        assert documented in page(check)


def test_a_damaged_layer_is_taken_out_of_the_bucket_where_the_registry_keeps_it() -> None:
    mirror = deployed(storage={"bucket": "layers", "region": "here", "prefix": "a/b", "endpoint": "http://s3:9000"})
    damage_layer(mirror)
    outcome = mirror.ask("clients-pull")
    assert isinstance(outcome, Failed)
    removal, forgetting = commands_in(outcome.hint)
    url = r"s3://layers/a/b/docker-hub/docker/registry/v2/blobs/sha256/(..)/\1[0-9a-f]{62}/data"
    assert re.fullmatch(rf"aws s3 --endpoint-url http://s3:9000 rm {url}", removal)
    assert forgetting == "kubectl -n regmirror rollout restart deployment/regmirror-redis"
    assert DamagedBlobError("https://x", 1, "sha256:y").digest == "sha256:y"


def test_a_certificate_is_put_into_its_secret_or_awaited_from_cert_manager() -> None:
    issuer = {"issuer": {"name": "letsencrypt", "kind": "ClusterIssuer"}}
    mirror = deployed(ingress=issuer)
    mirror.replace("regmirror-tls", **{"tls.crt": b"x"})
    outcome = mirror.ask("tls-secret")
    assert isinstance(outcome, Failed)
    assert commands_in(outcome.hint) == ["kubectl -n regmirror describe certificate regmirror-tls"]
