"""The Secrets: typed and labelled as the ecosystem does, and the only place where a secret value stands."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from regmirror.desired import names
from regmirror.desired.auth_config import auth_config
from regmirror.desired.mirror_secrets import Account
from regmirror.desired.registry_config import registry_config
from regmirror.desired.secrets import Manifest, secret_manifests
from regmirror.signing.key_pair import fingerprint
from tests import samples

MIRROR = samples.mirror(namespace="mirrors", upstreams=samples.TWO_UPSTREAMS)


def by_name() -> dict[str, Manifest]:
    return {manifest["metadata"]["name"]: manifest for manifest in secret_manifests(MIRROR, samples.mirror_secrets())}


def content(manifest: Manifest) -> dict[str, bytes]:
    return {key: base64.b64decode(value, validate=True) for key, value in manifest["data"].items()}


def test_there_is_one_secret_for_each_reader() -> None:
    assert {name: sorted(manifest["data"]) for name, manifest in by_name().items()} == {
        "regmirror-signing": ["tls.crt", "tls.key"],
        "regmirror-bundle": ["bundle.crt"],
        "regmirror-redis-config": ["password", "valkey.conf"],
        "regmirror-auth-config": ["auth_config.yml"],
        "regmirror-docker-hub-config": ["config.yml"],
        "regmirror-docker-hub-credential": ["credential.json"],
        "regmirror-quay-config": ["config.yml"],
        "regmirror-quay-credential": ["credential.json"],
    }


@pytest.mark.parametrize("name", list(by_name()))
def test_a_secret_says_where_it_belongs_and_to_whom(name: str) -> None:
    manifest = by_name()[name]
    assert (manifest["apiVersion"], manifest["kind"]) == ("v1", "Secret")
    assert manifest["metadata"]["namespace"] == "mirrors"
    assert manifest["type"] == ("kubernetes.io/tls" if name == "regmirror-signing" else "Opaque")
    labels = manifest["metadata"]["labels"]
    assert labels["app.kubernetes.io/managed-by"] == labels["app.kubernetes.io/part-of"] == "regmirror"
    assert labels["app.kubernetes.io/name"] in {"redis", "auth", "registry"}


def test_the_age_of_the_signing_key_can_be_seen_without_reading_it() -> None:
    certificate = samples.key_pair().certificate
    assert by_name()[names.SIGNING_SECRET]["metadata"]["annotations"] == {
        "regmirror.dev/certificate-fingerprint": fingerprint(certificate),
        "regmirror.dev/not-after": certificate.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
    }


def test_no_secret_stands_outside_the_data() -> None:
    for manifest in by_name().values():
        rest = json.dumps({key: value for key, value in manifest.items() if key != "data"})
        assert not [canary for canary in samples.CANARIES if canary in rest]
        assert "PRIVATE KEY" not in rest


def test_only_docker_auth_gets_the_private_key() -> None:
    holders = [name for name, found in by_name().items() if b"PRIVATE KEY" in b"".join(content(found).values())]
    assert holders == ["regmirror-signing"]


def test_the_configuration_files_are_what_was_computed() -> None:
    found = by_name()
    upstream = MIRROR.upstreams[1]
    assert yaml.safe_load(content(found[names.AUTH_SECRET])["auth_config.yml"]) == auth_config(MIRROR)
    assert yaml.safe_load(content(found["regmirror-quay-config"])["config.yml"]) == registry_config(
        MIRROR, upstream, samples.mirror_secrets()
    )


def test_the_credential_helper_answers_each_upstreams_account() -> None:
    found = by_name()
    assert json.loads(content(found["regmirror-docker-hub-credential"])["credential.json"]) == {
        "ServerURL": "https://registry-1.docker.io",
        "Username": "canary-hub-name",
        "Secret": "canary-hub-token",
    }
    assert json.loads(content(found["regmirror-quay-credential"])["credential.json"]) == {
        "ServerURL": "https://quay.io",
        "Username": "",
        "Secret": "",
    }


@given(st.text(min_size=1))
@example("1e5")
@example("0o17")
@example("~")
@example("a: b # c\n- d")
def test_a_secret_is_a_string_to_every_yaml_parser(secret: str) -> None:
    mirror = samples.mirror()
    mirror_secrets = samples.mirror_secrets(s3=Account(SecretStr(secret), SecretStr(secret)))
    (manifest,) = [
        found
        for found in secret_manifests(mirror, mirror_secrets)
        if found["metadata"]["name"] == "regmirror-docker-hub-config"
    ]
    text = content(manifest)["config.yml"].decode()
    assert yaml.safe_load(text)["storage"]["s3"]["secretkey"] == secret
    assert not [node.value for node in scalars(yaml.compose(text, Loader=yaml.SafeLoader)) if bare_string(node)]


def scalars(node: Any) -> list[yaml.ScalarNode]:
    match node:
        case yaml.MappingNode():
            return [found for pair in node.value for part in pair for found in scalars(part)]
        case yaml.SequenceNode():
            return [found for part in node.value for found in scalars(part)]
    return [node]


def bare_string(node: yaml.ScalarNode) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:str" and node.style != '"')
