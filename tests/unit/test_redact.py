"""Secrets are redacted in texts, in every encoding."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regmirror.desired.secrets import secret_manifests
from regmirror.ports.cluster import LEASE, POD, Kind, Object
from regmirror.support.known_secrets import secret_values
from regmirror.support.objects import redact_object, secret_summary
from regmirror.support.redact import Redactor
from tests import samples

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
LONG = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="*"), min_size=8, max_size=60)
CONFIG_MAP = Kind("v1", "ConfigMap")


def opaque(**data: str) -> Object:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"metadata": {"name": "one"}, "type": "Opaque", "data": encoded}


@given(TEXT, LONG, TEXT)
def test_a_long_secret_is_found_anywhere(before: str, secret: str, after: str) -> None:
    assert secret not in Redactor([secret]).redact(f"{before}{secret}{after}")


@given(st.binary(max_size=10), LONG, st.binary(max_size=10))
def test_a_secret_within_base64_is_found_at_any_offset(before: bytes, secret: str, after: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(before + secret.encode() + after).decode()
        redacted = Redactor([secret]).redact(encoded)
        assert "***" in redacted
        # At most the characters that share bits with its neighbours are left of it.
        assert len(redacted) <= len(encoded) - len(secret.encode()) * 8 // 6 + 3 + 4


@given(LONG)
def test_a_secret_within_json_and_urls_is_found(secret: str) -> None:
    redactor = Redactor([secret])
    for text in (json.dumps({"a": secret}), json.dumps({"a": secret}, ensure_ascii=False)):
        assert redactor.redact(text) == '{"a": "***"}'
    assert redactor.redact(f"/path?a={quote(secret, safe='')}&b=1") == "/path?a=***&b=1"


def test_a_short_secret_is_redacted_as_a_word_and_a_tiny_one_is_not() -> None:
    redactor = Redactor(["admin", "ab"])
    assert redactor.redact("password=admin, administrators, ab") == "password=***, administrators, ab"
    assert redactor.count == 1


def test_the_longer_of_two_secrets_is_redacted_first() -> None:
    assert Redactor(["long-secret", "long-secret-and-more"]).redact("long-secret-and-more") == "***"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ('{"authorization":"Basic dXNlcjpwYXNz","a":1}', '{"authorization":"Basic ***","a":1}'),
        ("GET /b?X-Amz-Signature=0f3a&X-Amz-Date=1", "GET /b?X-Amz-Signature=***&X-Amz-Date=1"),
        (f"token {'eyJhbGciOiJSUzI1NiJ9'}.{'eyJpc3MiOiJhIn0x'}.{'c2ln'} refused", "token *** refused"),
        ("as dckr_pat_lBarwycSICz7", "as ***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nafter", "***\nafter"),
        ("via http://user:p@ss@proxy:3128/x", "via http://***@proxy:3128/x"),
        ("postgres://u:p@db/x https://h/a@b", "postgres://***@db/x https://h/a@b"),
        ("run --db-password=hunter2 --v=2", "run --db-password=*** --v=2"),
        ("run --token 'a b' -api-key x", "run --token '***' -api-key ***"),
        ("DB_PASSWORD=hunter2 LEVEL=info", "DB_PASSWORD=*** LEVEL=info"),
        ('{"clientSecret": "a b", "key": "shown"}', '{"clientSecret": "***", "key": "shown"}'),
        ("password: hunter2", "password: ***"),
        ("as ghp_0123456789abcdefghijABCDEFGHIJ012345", "as ***"),
        (
            "Newly-acquired token is invalid: {IDToken: AccessToken:0a1b2c RefreshToken:3d ExpiresIn:0} user is not",
            "Newly-acquired token is invalid: {IDToken: AccessToken:*** RefreshToken:*** ExpiresIn:0} user is not",
        ),
        ("could not verify token 0123456789abcdef0123: timeout", "could not verify token ***: timeout"),
        ('bad token "0123456789abcdef0123": expired', 'bad token "***": expired'),
        ("the token of regmirror-auth-0 expired", "the token of regmirror-auth-0 expired"),
        ("id AKIAIOSFODNN7EXAMPLE used", "id *** used"),
        ("?sv=1&sig=abc%3D&se=2", "?sv=1&sig=***&se=2"),
        ("?Expires=1&Signature=abc~&Key-Pair-Id=K", "?Expires=1&Signature=***&Key-Pair-Id=K"),
        (
            "keys_zone=manifests:1m; kubectl create secret tls one",
            "keys_zone=manifests:1m; kubectl create secret tls one",
        ),
        ("image@sha256:00 docker.io/library/alpine@sha256:00", "image@sha256:00 docker.io/library/alpine@sha256:00"),
        ("invalid token: expired", "invalid token: expired"),
        ("author: nobody; the key of the door", "author: nobody; the key of the door"),
    ],
)
def test_unknown_secrets_are_redacted_if_they_look_like_one(text: str, expected: str) -> None:
    assert Redactor([]).redact(text) == expected


def test_every_secret_of_a_mirror_is_known() -> None:
    found = secret_values(secret_manifests(samples.mirror(), samples.mirror_secrets()))
    assert {"canary-redis-password", "canary-s3-id", "canary-s3-secret", "canary-hub-token"} <= found
    lines = samples.key_pair().key_pem.decode().splitlines()
    assert set(lines[1:-1]) <= found


def test_public_values_of_a_mirror_are_not_secrets() -> None:
    found = secret_values(secret_manifests(samples.mirror(), samples.mirror_secrets()))
    assert found & {"regmirror", samples.HOST, "layers", "eu-central-1", "RS256", "library/*"} == set()
    assert not any("CERTIFICATE" in value for value in found)


@pytest.mark.parametrize(
    ("secret", "values"),
    [
        (opaque(password="a: b"), {"a: b"}),
        (opaque(password="[x"), {"[x"}),
        (opaque(password="secret\n"), {"secret"}),
        (opaque(**{"c.json": '{"auths": {"h": {"auth": "dTpw", "email": "e"}}}'}), {"dTpw"}),
        (opaque(**{"c.yml": "tokens: [one, two]\nkey: 7\nname: n\nsecret: {name: n}"}), {"one", "two", "7"}),
        ({**opaque(release="H4sI"), "type": "helm.sh/release.v1"}, set()),
        ({**opaque(namespace="mine", token="t"), "type": "kubernetes.io/service-account-token"}, {"t"}),
        ({"metadata": {}, "data": {"binary": base64.b64encode(b"\xff\xfe").decode()}}, set()),
        ({"metadata": {}}, set()),
    ],
)
def test_values_are_found_in_any_secret(secret: Object, values: set[str]) -> None:
    texts = {base64.b64decode(value).decode().strip() for value in (secret.get("data") or {}).values() if values}
    assert secret_values([secret]) - texts == values - texts
    assert values <= secret_values([secret])


OURS = {"labels": {"app.kubernetes.io/part-of": "regmirror"}}


def test_the_summary_of_a_secret_has_no_values() -> None:
    secret = opaque(password="canary")
    assert secret_summary(secret) == {"name": "one"}
    secret["metadata"] |= OURS
    assert secret_summary(secret) == {"name": "one", "type": "Opaque", "sizes": {"password": 6}}


def test_an_object_is_shown_without_managed_fields_and_secret_variables() -> None:
    variables = [{"name": "DB_PASSWORD", "value": "canary"}, {"name": "LEVEL", "value": "info"}]
    metadata = {"name": "one", **OURS}
    pod = {
        "metadata": {
            **metadata,
            "managedFields": [{"manager": "x"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "canary", "kept": "yes"},
        },
        "spec": {"containers": [{"env": variables, "args": ["--db-password", "canary", "--v", "2"]}]},
        "auth": {"password": "canary", "secretName": "one"},
    }
    containers = [
        {"env": [{"name": "DB_PASSWORD", "value": "***"}, variables[1]], "args": ["--db-password", "***", "--v", "2"]}
    ]
    assert redact_object(pod, POD) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**metadata, "annotations": {"kept": "yes"}},
        "spec": {"containers": containers},
        "auth": {"password": "***", "secretName": "one"},
    }


def test_of_objects_of_others_only_the_name_is_shown() -> None:
    theirs = {"metadata": {"name": "theirs", "annotations": {"a": "canary"}}, "data": {"b": "canary"}}
    for kind in (CONFIG_MAP, POD, Kind("networking.k8s.io/v1", "Ingress")):
        shown = redact_object(theirs, kind)
        assert shown == {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "theirs"}}
    assert redact_object({"metadata": {"name": "one", **OURS}, "data": {"a": "shown"}}, CONFIG_MAP)["data"] == {
        "a": "shown"
    }


def test_a_limit_of_the_namespace_is_shown_whoever_created_it() -> None:
    quota = {"metadata": {"name": "small", "annotations": {"a": "canary"}}, "spec": {"hard": {"pods": "1"}}}
    shown = redact_object(quota, Kind("v1", "ResourceQuota"))
    assert (shown["metadata"], shown["spec"]) == ({"name": "small"}, {"hard": {"pods": "1"}})


def test_an_object_that_is_named_as_the_mirrors_are_is_shown_but_not_a_config_map() -> None:
    found = {"metadata": {"name": "regmirror-rotation"}, "spec": {"a": "b"}, "data": {"c": "d"}}
    assert "spec" in redact_object(found, LEASE)
    assert "data" not in redact_object(found, CONFIG_MAP)
