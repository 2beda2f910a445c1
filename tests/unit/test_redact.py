"""Secrets are redacted in texts, in every encoding."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regmirror.desired.secrets import secret_manifests
from regmirror.ports.cluster import POD, Kind, Object
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


def test_the_summary_of_a_secret_has_no_values() -> None:
    summary = secret_summary(opaque(password="canary"))
    assert summary == {"name": "one", "type": "Opaque", "sizes": {"password": 6}}


def test_an_object_is_shown_without_managed_fields_and_secret_variables() -> None:
    variables = [{"name": "DB_PASSWORD", "value": "canary"}, {"name": "LEVEL", "value": "info"}]
    pod = {
        "metadata": {
            "name": "one",
            "managedFields": [{"manager": "x"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "canary", "kept": "yes"},
        },
        "spec": {"containers": [{"env": variables}]},
    }
    assert redact_object(pod, POD) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", "annotations": {"kept": "yes"}},
        "spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": "***"}, variables[1]]}]},
    }


def test_only_the_keys_of_other_peoples_configuration_are_redact_object() -> None:
    theirs = {"metadata": {"name": "theirs"}, "data": {"b": "canary", "a": "canary"}, "binaryData": {"c": "eA=="}}
    assert redact_object(theirs, CONFIG_MAP)["keys"] == ["a", "b", "c"]
    assert "canary" not in str(redact_object(theirs, CONFIG_MAP))
    ours = {"metadata": {"labels": {"app.kubernetes.io/part-of": "regmirror"}}, "data": {"a": "shown"}}
    assert redact_object(ours, CONFIG_MAP)["data"] == {"a": "shown"}
