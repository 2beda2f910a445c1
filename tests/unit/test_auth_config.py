"""docker_auth's configuration: anonymous clients get what the file allows, and nothing else is granted."""

from __future__ import annotations

import yaml

from regmirror.desired.access_rules import access_rules
from regmirror.desired.auth_config import auth_config
from tests import samples


def test_tokens_are_signed_as_the_registry_checks_them() -> None:
    config = auth_config(samples.mirror(auth={"issuer": "acme", "tokenLifetime": "10m"}))
    assert config["token"] == {
        "issuer": "acme",
        "expiration": 600,
        "certificate": "/signing/tls.crt",
        "key": "/signing/tls.key",
        "disable_legacy_key_id": True,
    }


def test_only_the_front_reaches_it() -> None:
    assert auth_config(samples.mirror())["server"] == {"addr": "127.0.0.1:5001"}


def test_the_only_user_is_the_anonymous_one() -> None:
    assert auth_config(samples.mirror())["users"] == {"": {}}


def test_everyone_may_pull_what_the_file_allows_in_its_order() -> None:
    rules = access_rules(samples.mirror())
    assert [rule["match"]["name"] for rule in rules] == ["library/*", "acme/tool"]
    assert all(rule["actions"] == ["pull"] for rule in rules)
    assert all(rule["match"]["type"] == "repository" for rule in rules)


def test_a_rule_holds_for_its_own_upstream_alone() -> None:
    rules = access_rules(samples.mirror(upstreams=samples.TWO_UPSTREAMS))
    assert {rule["match"]["name"]: rule["match"]["service"] for rule in rules} == {
        "library/*": "mirror.example.com",
        "acme/tool": "mirror.example.com",
        "prometheus/*": "quay.example.com",
    }


def test_an_upstream_without_a_list_grants_nothing() -> None:
    assert access_rules(samples.mirror(upstreams=[{"name": "hub", "anonymousPull": []}])) == []


def test_the_rules_are_written_without_yaml_aliases() -> None:
    upstream = {"name": "hub", "anonymousPull": ["a/*", "b/**"], "deny": ["a/x", "b/x"]}
    assert "&" not in yaml.safe_dump(access_rules(samples.mirror(upstreams=[upstream])))
