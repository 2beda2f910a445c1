"""A mirror at which people sign in is deployed, deployed again, and removed."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from regmirror.config.access import Access
from regmirror.config.model import Mirror
from regmirror.deploy.prune import find_orphans
from regmirror.desired import names
from regmirror.desired.releases import build_stack
from regmirror.desired.secret_contents import secret_data
from regmirror.destroy.run import plan_removal
from regmirror.errors import ClientSecretError, VolumeError
from regmirror.ports.cluster import NAMESPACE, SECRET, STORAGE_CLASS
from regmirror.ports.helm import ListedRelease
from regmirror.users import changes
from regmirror.users.run import AccountChange
from tests import samples
from tests.fakes.progress import RecordedProgress
from tests.fakes.time import FakeTime
from tests.unit.deploying import Place, changed, configured
from tests.unit.test_sign_in import PROVIDERS
from tests.unit.test_volumes import DEFAULT, claim


def with_sign_in(kind: str = "github", **more: Any) -> Mirror:
    provider = PROVIDERS[kind] | {"clientSecret": {"env": "CLIENT_SECRET"}}
    return configured(access={"signIn": {kind: provider}}, **more)


def place(value: str = "client-secret") -> Place:
    found = Place()
    found.cluster.put(DEFAULT)
    found.environ["CLIENT_SECRET"] = value
    return found


def password(env: Place) -> str:
    found = env.cluster.get(SECRET, names.SIGN_IN_SECRET)
    assert found
    return base64.b64decode(found["data"]["password"]).decode()


def test_the_password_of_the_database_is_generated_once() -> None:
    env = place()
    report = env.deploy(with_sign_in())
    assert names.SIGN_IN in changed(report)
    assert report.sign_in_url == "https://mirror.example.com/github_auth"
    first = password(env)
    assert len(first) == 48
    assert changed(env.deploy(with_sign_in())) == []
    assert password(env) == first


def test_a_new_client_secret_replaces_the_pods_of_docker_auth_only() -> None:
    env = place()
    env.deploy(with_sign_in())
    env.environ["CLIENT_SECRET"] = "another"
    assert changed(env.deploy(with_sign_in())) == ["secrets", names.AUTH]


def test_a_client_secret_that_cannot_be_used_is_refused_before_anything_changes() -> None:
    env = place("canary&secret")
    with pytest.raises(ClientSecretError) as refused:
        env.deploy(with_sign_in("oidc"))
    assert "canary" not in f"{refused.value}{refused.value.hint}"
    assert env.cluster.get(SECRET, names.AUTH_SECRET) is None


def test_without_a_storage_class_nothing_is_changed() -> None:
    env = place()
    env.cluster.delete(STORAGE_CLASS, DEFAULT["metadata"]["name"])
    with pytest.raises(VolumeError, match="no default StorageClass") as refused:
        env.deploy(with_sign_in())
    assert refused.value.hint == "set access.signIn.volume to a StorageClass; the cluster has none"
    assert env.cluster.get(SECRET, names.AUTH_SECRET) is None
    without = with_sign_in().model_copy(update={"access": in_memory()})
    assert names.SIGN_IN in changed(env.deploy(without))


def test_the_storage_class_of_a_volume_cannot_be_changed() -> None:
    env = place()
    env.deploy(with_sign_in())
    env.cluster.put(claim(names.SIGN_IN, storageClassName="fast"))
    slow = with_sign_in().access.sign_in.model_copy(update={"volume": "slow"})  # type: ignore[union-attr]
    changed_file = with_sign_in().model_copy(update={"access": Access(sign_in=slow)})
    with pytest.raises(VolumeError, match="it has storageClass fast"):
        env.deploy(changed_file)


def in_memory() -> Access:
    """Logins on no volume."""
    found = with_sign_in().access.sign_in
    assert found
    return Access(sign_in=found.model_copy(update={"volume": "emptyDir"}))


def test_what_is_no_longer_in_the_file_is_pruned() -> None:
    stack = build_stack(samples.mirror(), samples.mirror_secrets(), {}, samples.NOW)
    orphans = find_orphans(stack, [ListedRelease(names.SIGN_IN, "redis-0.1.0", 1, "deployed")], [names.SIGN_IN_SECRET])
    assert orphans.names == [f"release {names.SIGN_IN}", f"Secret {names.SIGN_IN_SECRET}"]


@pytest.mark.parametrize("purge", [False, True])
def test_destroy_leaves_no_login(*, purge: bool) -> None:
    """Helm removes the volume with its release, so it is neither kept nor purged as data."""
    env = place()
    env.deploy(with_sign_in())
    env.cluster.put(claim(names.SIGN_IN))
    planned = asyncio.run(plan_removal(env.connected(with_sign_in()), purge_data=purge))
    assert not [line for line in (*planned.inventory.kept, *planned.inventory.removed) if "PersistentVolume" in line]
    asyncio.run(planned.execute(RecordedProgress(), timedelta(hours=1)))
    assert env.cluster.get(NAMESPACE, "regmirror") is None


def test_a_new_account_leaves_the_sign_in_as_it_is() -> None:
    env = place()
    env.deploy(with_sign_in())
    before = _files(env)
    work = AccountChange(env.connected(with_sign_in()), RecordedProgress(), timedelta(hours=1), FakeTime().clock())
    asyncio.run(work.run(changes.add("ci-robot", SecretStr("$2b$10$" + "a" * 53), [])))
    after = _files(env)
    assert after.keys() == before.keys()
    assert after["client-secret"] == before["client-secret"] == b"client-secret"
    config = yaml.safe_load(after["auth_config.yml"])
    assert set(config["users"]) == {"", "ci-robot"}
    assert config["github_auth"] == yaml.safe_load(before["auth_config.yml"])["github_auth"]
    assert changed(env.deploy(with_sign_in())) == []


def _files(env: Place) -> dict[str, bytes]:
    return secret_data(env.cluster.get(SECRET, names.AUTH_SECRET) or {})
