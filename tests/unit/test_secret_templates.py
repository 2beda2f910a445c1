"""The forms of the Secrets: with the values put in, they are what deploy applies; without, they hold none."""

from __future__ import annotations

import base64
import json
from typing import Any

import yaml
from hypothesis import given

from regmirror.config.model import Mirror
from regmirror.desired.secret_templates import Placeholder, SecretTemplate, secret_templates, secret_values
from regmirror.desired.secrets import secret_manifests
from tests import samples
from tests.unit.free_text import TEXTS

KEY = {"id": {"env": "S3_ID"}, "secret": {"file": "s3"}}
CREDENTIALS = {"username": {"env": "HUB_NAME"}, "password": {"secret": {"name": "hub", "key": "token"}}}
VALUES = {
    "redis-password": "canary-redis-password",
    "s3-access-key-id": "canary-s3-id",
    "s3-access-key-secret": "canary-s3-secret",
    "docker-hub-username": "canary-hub-name",
    "docker-hub-password": "canary-hub-token",
}


def mirror(**changes: Any) -> Mirror:
    hub = {**samples.MINIMAL["upstreams"][0], "credentials": CREDENTIALS}
    storage = {**samples.MINIMAL["storage"], "accessKey": KEY, **changes.pop("storage", {})}
    return samples.mirror(storage=storage, **{"upstreams": [hub, samples.TWO_UPSTREAMS[1]], **changes})


def filled(form: SecretTemplate, values: dict[str, str]) -> dict[str, str]:
    """The Secret's files with values that need no quoting put in."""
    return {
        key: "".join(
            part if isinstance(part, str) else f'"{values[part.value]}"' if part.quoted else values[part.value]
            for part in parts
        )
        for key, parts in form.files.items()
    }


def test_filled_in_they_are_what_deploy_applies() -> None:
    wanted = mirror()
    pair = samples.key_pair()
    values = {
        **VALUES,
        "signing-key": pair.key_pem.decode(),
        "signing-certificate": pair.certificate_pem.decode(),
        "signing-bundle": pair.certificate_pem.decode(),
    }
    applied = secret_manifests(wanted, samples.mirror_secrets())
    assert [form.name for form in secret_templates(wanted)] == [manifest["metadata"]["name"] for manifest in applied]
    for form, manifest in zip(secret_templates(wanted), applied, strict=True):
        content = {key: base64.b64decode(value).decode() for key, value in manifest["data"].items()}
        read = {key: parsed(key, text) for key, text in filled(form, values).items()}
        assert read == {key: parsed(key, text) for key, text in content.items()}
        assert (form.type, form.labels) == (manifest["type"], manifest["metadata"]["labels"])


def parsed(key: str, text: str) -> Any:
    """A file as its program reads it; redis.conf escapes letters that it need not."""
    if key.endswith(".yml"):
        return yaml.safe_load(text)
    if key.endswith(".json"):
        return json.loads(text)
    return text.replace("\\x2d", "-")


def test_every_value_that_is_needed_is_told_with_its_place_in_the_file() -> None:
    needed = {name for form in secret_templates(mirror()) for name in form.placeholders}
    told = {value.name: value.key_path for value in secret_values(mirror())}
    assert needed == set(told)
    assert told["docker-hub-password"] == "upstreams[0].credentials.password"
    assert told["s3-access-key-secret"] == "storage.accessKey.secret"


def test_docker_auths_configuration_is_no_secret() -> None:
    assert [form.name for form in secret_templates(mirror()) if not form.placeholders] == [
        "regmirror-auth-config",
        "regmirror-quay-credential",
    ]


def test_the_version_changes_with_the_form_alone() -> None:
    def versions(**changes: Any) -> dict[str, str]:
        return {form.name: form.version for form in secret_templates(mirror(**changes))}

    assert versions() == versions()
    changed = versions(registry={"ttl": "1h"})
    assert {name for name, version in versions().items() if changed[name] != version} == {
        "regmirror-docker-hub-config",
        "regmirror-quay-config",
    }


@given(issuer=TEXTS)
def test_no_text_of_the_configuration_is_taken_for_a_blank(issuer: str) -> None:
    forms = {form.name: form for form in secret_templates(mirror(auth={"issuer": issuer}))}
    (config,) = forms["regmirror-auth-config"].files.values()
    assert not [part for part in config if isinstance(part, Placeholder)]
    text = filled(forms["regmirror-docker-hub-config"], VALUES)["config.yml"]
    assert yaml.safe_load(text)["auth"]["token"]["issuer"] == issuer


def test_an_account_that_the_file_does_not_name_needs_no_value() -> None:
    names = {blank for form in secret_templates(samples.mirror()) for blank in form.placeholders}
    assert names == {"signing-key", "signing-certificate", "signing-bundle", "redis-password"}
