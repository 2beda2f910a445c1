"""A Secret that changes is told by keys and settings; whatever stands in it is never shown."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from regmirror.deploy.diff_changes import Cause, ForeignField
from regmirror.deploy.diff_secrets import foreign_keys, diff_secret
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
    """The Secret after somebody has changed one key of it."""
    data = {**secret["data"], key: base64.b64encode(text.encode()).decode()}
    entry = {"manager": manager, "fieldsV1": {"f:data": {f"f:{key}": {}}}}
    return {**secret, "data": data, "metadata": {**secret["metadata"], "managedFields": [entry]}}


@pytest.mark.parametrize("name", secrets())
def test_a_secret_that_is_as_it_should_be_has_no_change(name: str) -> None:
    assert diff_secret(secrets()[name], secrets()[name]) is None
    assert foreign_keys(secrets()[name], secrets()[name]) == []


def test_another_setting_in_the_file_is_named_without_its_values() -> None:
    name = "regmirror-docker-hub-config"
    found = diff_secret(secrets(registry={"ttl": "24h"})[name], secrets()[name])
    assert found is not None
    assert (found.cause, [field.path for field in found.fields]) == (Cause.FILE, ["data[config.yml].proxy.ttl"])
    assert all(field.masked and field.old is None and field.new is None for field in found.fields)


def test_a_setting_of_redis_is_named() -> None:
    name = "regmirror-redis-config"
    found = diff_secret(secrets(redis={"maxMemory": "64mb"})[name], secrets()[name])
    assert found is not None
    assert [field.path for field in found.fields] == ["data[valkey.conf].maxmemory"]


def test_an_edit_by_hand_is_drift_and_none_of_its_words_are_told() -> None:
    wanted = secrets()["regmirror-auth-config"]
    live = edited(wanted, "auth_config.yml", "canary-key: 1\nserver: {canary-addr: canary}\ntoken: canary")
    found = diff_secret(wanted, live)
    assert found is not None
    assert (found.cause, found.by) == (Cause.DRIFT, ("kubectl-edit",))
    assert "data[auth_config.yml].server" in [field.path for field in found.fields]
    assert "canary" not in repr(found)


@pytest.mark.parametrize("text", ["canary", "- canary", "canary: [", "", "\x00canary"])
def test_whatever_stands_in_the_place_of_a_configuration_is_one_change(text: str) -> None:
    wanted = secrets()["regmirror-docker-hub-config"]
    found = diff_secret(wanted, edited(wanted, "config.yml", text))
    assert found is not None
    assert "canary" not in repr(found)


def test_a_key_that_is_missing_is_drift() -> None:
    wanted = secrets()["regmirror-signing"]
    found = diff_secret(wanted, {**wanted, "data": {"tls.crt": wanted["data"]["tls.crt"]}})
    assert found is not None
    assert [(field.path, field.cause) for field in found.fields] == [("data[tls.key]", Cause.DRIFT)]


def test_a_lost_version_alone_is_a_change() -> None:
    wanted = secrets()["regmirror-redis-config"]
    found = diff_secret(wanted, {**wanted, "metadata": {**wanted["metadata"], "annotations": {}}})
    assert found is not None
    assert [field.path for field in found.fields] == ["metadata.annotations[regmirror.dev/version]"]


def test_a_key_that_somebody_has_added_stays() -> None:
    wanted = secrets()["regmirror-redis-config"]
    live = edited(wanted, "extra", "canary")
    assert diff_secret(wanted, live) is None
    assert foreign_keys(wanted, live) == [ForeignField("Secret", "regmirror-redis-config", "data.extra", "kubectl-edit")]
