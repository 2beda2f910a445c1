"""A change of a Secret is shown by keys and settings; values only if they are known to be no secret."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import SecretStr

from regmirror.deploy.diff_changes import Cause, FieldChange, ForeignField
from regmirror.deploy.diff_secrets import diff_secret, foreign_keys
from regmirror.desired.secret_versions import annotate_versions
from regmirror.desired.secrets import secret_manifests
from tests import samples


def secrets(**changes: Any) -> dict[str, dict[str, Any]]:
    """The Secrets of a mirror by name."""
    manifests = annotate_versions(
        secret_manifests(samples.mirror(**changes), samples.mirror_secrets()), {}, samples.NOW
    )
    return {manifest["metadata"]["name"]: manifest for manifest in manifests}


def edited(secret: dict[str, Any], key: str, text: str, manager: str = "kubectl-edit") -> dict[str, Any]:
    """The Secret after someone changed one key of it."""
    data = {**secret["data"], key: base64.b64encode(text.encode()).decode()}
    entry = {"manager": manager, "fieldsV1": {"f:data": {f"f:{key}": {}}}}
    return {**secret, "data": data, "metadata": {**secret["metadata"], "managedFields": [entry]}}


@pytest.mark.parametrize("name", secrets())
def test_a_secret_that_is_as_it_should_be_has_no_change(name: str) -> None:
    assert diff_secret(secrets()[name], secrets()[name]) is None
    assert foreign_keys(secrets()[name], secrets()[name]) == []


def test_a_setting_that_is_no_secret_is_shown_with_its_values() -> None:
    name = "regmirror-docker-hub-config"
    change = diff_secret(secrets(registry={"ttl": "24h"})[name], secrets()[name])
    assert change is not None
    assert (change.cause, change.fields) == (
        Cause.FILE,
        (FieldChange("data[config.yml].proxy.ttl", Cause.FILE, "168h", "24h"),),
    )


def test_another_setting_is_named_without_its_values() -> None:
    wanted = secrets()["regmirror-docker-hub-config"]
    text = base64.b64decode(wanted["data"]["config.yml"]).decode().replace("canary-s3-secret", "canary-another")
    change = diff_secret(wanted, edited(wanted, "config.yml", text))
    assert change is not None
    assert [field.path for field in change.fields] == ["data[config.yml].storage.s3.secretkey"]
    assert all(field.masked and field.old is None and field.new is None for field in change.fields)


def test_access_rules_are_shown_one_by_one() -> None:
    name = "regmirror-auth-config"
    upstream = {**samples.MINIMAL["upstreams"][0], "anonymousPull": ["library/*", "acme/other"]}
    change = diff_secret(secrets(upstreams=[upstream])[name], secrets()[name])
    assert change is not None
    assert change.fields == (
        FieldChange("data[auth_config.yml].acl[mirror.example.com/acme/other]", Cause.FILE, None, "pull"),
        FieldChange("data[auth_config.yml].acl[mirror.example.com/acme/tool]", Cause.FILE, "pull", None),
    )


def test_another_order_of_access_rules_is_a_change() -> None:
    name = "regmirror-auth-config"
    upstream = {**samples.MINIMAL["upstreams"][0], "anonymousPull": ["acme/tool", "library/*"]}
    change = diff_secret(secrets(upstreams=[upstream])[name], secrets()[name])
    assert change is not None
    assert [(field.path, field.masked) for field in change.fields] == [("data[auth_config.yml].acl", True)]


def test_rules_and_urls_that_someone_else_wrote_are_hidden() -> None:
    wanted = secrets()["regmirror-auth-config"]
    rule = "acl: [{match: {account: canary}, actions: ['*']}]\ntoken: {issuer: 'https://user:canary@example.com'}"
    change = diff_secret(wanted, edited(wanted, "auth_config.yml", rule))
    assert change is not None
    assert "canary" not in repr(change)


def test_a_setting_of_redis_is_named() -> None:
    name = "regmirror-redis-config"
    found = diff_secret(secrets(redis={"maxMemory": "64mb"})[name], secrets()[name])
    assert found is not None
    assert [field.path for field in found.fields] == ["data[valkey.conf].maxmemory"]


def test_a_manual_edit_is_drift_and_its_content_is_not_shown() -> None:
    wanted = secrets()["regmirror-auth-config"]
    live = edited(wanted, "auth_config.yml", "canary-key: 1\nserver: {canary-addr: canary}\ntoken: canary")
    found = diff_secret(wanted, live)
    assert found is not None
    assert (found.cause, found.by) == (Cause.DRIFT, ("kubectl-edit",))
    assert "data[auth_config.yml].server" in [field.path for field in found.fields]
    assert "canary" not in repr(found)


@pytest.mark.parametrize("text", ["canary", "- canary", "canary: [", "", "\x00canary"])
def test_any_other_content_instead_of_a_configuration_is_one_change(text: str) -> None:
    wanted = secrets()["regmirror-docker-hub-config"]
    found = diff_secret(wanted, edited(wanted, "config.yml", text))
    assert found is not None
    assert "canary" not in repr(found)


def test_a_key_that_is_missing_is_drift() -> None:
    wanted = secrets()["regmirror-signing"]
    found = diff_secret(wanted, {**wanted, "data": {"tls.crt": wanted["data"]["tls.crt"]}})
    assert found is not None
    assert [(field.path, field.cause) for field in found.fields] == [("data[tls.key]", Cause.DRIFT)]


def test_a_lost_version_is_a_change() -> None:
    wanted = secrets()["regmirror-redis-config"]
    found = diff_secret(wanted, {**wanted, "metadata": {**wanted["metadata"], "annotations": {}}})
    assert found is not None
    assert [field.path for field in found.fields] == ["metadata.annotations[regmirror.dev/version]"]


def test_a_key_that_someone_added_is_kept() -> None:
    wanted = secrets()["regmirror-redis-config"]
    live = edited(wanted, "extra", "canary")
    assert diff_secret(wanted, live) is None
    assert foreign_keys(wanted, live) == [
        ForeignField("Secret", "regmirror-redis-config", "data.extra", "kubectl-edit")
    ]


def with_files(**files: Any) -> dict[str, Any]:
    """The Secret of a registry with a CA bundle or a proxy."""
    manifests = secret_manifests(samples.mirror(), samples.mirror_secrets(**files))
    found = {manifest["metadata"]["name"]: manifest for manifest in annotate_versions(manifests, {}, samples.NOW)}
    return found["regmirror-docker-hub-config"]


def test_a_ca_bundle_that_is_added_changed_or_removed_is_a_change_of_the_file() -> None:
    without, one = with_files(), with_files(ca_bundles={"docker-hub": samples.key_pair(1).certificate_pem})
    other = with_files(ca_bundles={"docker-hub": samples.key_pair(2).certificate_pem})
    for wanted, live in ((one, without), (other, one), (without, one)):
        change = diff_secret(wanted, live)
        assert change is not None
        assert (change.cause, change.fields) == (Cause.FILE, (FieldChange("data[ca.crt]", Cause.FILE, masked=True),))
        assert foreign_keys(wanted, live) == []


def test_the_url_of_a_proxy_is_hidden() -> None:
    change = diff_secret(with_files(proxy=SecretStr("http://user:canary@proxy:3128")), with_files())
    assert change is not None
    assert [field.path for field in change.fields] == ["data.proxy-url"]
    assert "canary" not in repr(change)


def test_a_ca_bundle_that_someone_else_added_is_kept() -> None:
    wanted = with_files()
    live = edited(wanted, "ca.crt", "certificates")
    assert diff_secret(wanted, live) is None
    assert foreign_keys(wanted, live) == [
        ForeignField("Secret", "regmirror-docker-hub-config", "data[ca.crt]", "kubectl-edit")
    ]
