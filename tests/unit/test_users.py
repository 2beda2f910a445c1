"""Accounts are written, docker_auth's pods are replaced for them, and a later deployment changes nothing."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import bcrypt
import pytest
import yaml
from pydantic import SecretStr

from regmirror.deploy.run import deploy_mirror
from regmirror.deploy.steps import DeployOptions
from regmirror.desired import names
from regmirror.desired.secrets import users_secret
from regmirror.destroy.run import plan_removal
from regmirror.errors import (
    AccountError,
    ConflictError,
    DamagedAccountError,
    HelmError,
    ManagedByGitOpsError,
    PartlyAppliedError,
    PasswordError,
    PermissionDeniedError,
)
from regmirror.ports.cluster import DEPLOYMENT, NAMESPACE, SECRET, Object, Right
from regmirror.support.known_secrets import secret_values
from regmirror.users import changes
from regmirror.users.changes import Change
from regmirror.users.listing import list_users
from regmirror.users.password import generate_password, hash_password
from regmirror.users.run import AccountChange, Outcome
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.helm import FakeHelm
from tests.fakes.progress import RecordedProgress
from tests.fakes.time import FakeTime
from tests.unit.rotating import FORCED, RotationHarness

HASH = SecretStr("$2b$10$" + "a" * 53)
OTHER_HASH = SecretStr("$2b$10$" + "b" * 53)
TIME = FakeTime()
ALICE = changes.add("alice", HASH, ["platform"])


def run(connections: FakeConnections, change: Change) -> Outcome:
    TIME.now += timedelta(seconds=1)
    work = AccountChange(connections, RecordedProgress(), timedelta(seconds=10), TIME.clock())
    return asyncio.run(work.run(change))


def entries(cluster: FakeCluster) -> dict[str, Any]:
    secret = cluster.get(SECRET, names.USERS_SECRET)
    return {key: json.loads(base64.b64decode(value)) for key, value in (secret or {}).get("data", {}).items()}


def add_bob_elsewhere(cluster: FakeCluster) -> None:
    """As somebody who edits the Secret: docker_auth's pods are not replaced. Bob has Alice's password and groups."""
    live = cluster.get(SECRET, names.USERS_SECRET)
    assert live
    live["data"]["bob"] = live["data"]["alice"]
    cluster.put(live)


def users_of_pods(mirror: RotationHarness) -> list[dict[str, Any]]:
    """The users in the configuration that each docker_auth pod has started with."""
    pods = mirror.cluster.taking_requests(names.AUTH)
    configs = [base64.b64decode(pod["started_with"][names.AUTH_SECRET]["auth_config.yml"]) for pod in pods]
    return [yaml.safe_load(config)["users"] for config in configs]


def test_docker_auth_has_an_account_as_soon_as_the_command_ends() -> None:
    mirror = RotationHarness()
    registries = mirror.cluster.taking_requests(names.registry("docker-hub"))
    outcome = run(mirror.connections(), ALICE)
    labels = {"user": ["alice"], "groups": ["platform"]}
    assert users_of_pods(mirror) == [{"": {}, "alice": {"password": HASH.get_secret_value(), "labels": labels}}]
    assert outcome.changed
    assert outcome.tokens_expire_after == timedelta(seconds=360)
    assert mirror.cluster.taking_requests(names.registry("docker-hub")) == registries
    assert mirror.deploy()["changed"] is False


def test_the_rest_of_the_file_is_not_applied() -> None:
    mirror = RotationHarness()
    mirror.mirror = samples.mirror(
        auth={"keySize": 2048, "tokenLifetime": "10m"}, ingress={"className": "traefik", "tlsSecret": None}
    )
    assert run(mirror.connections(), ALICE).tokens_expire_after == timedelta(seconds=360)


def test_every_change_reaches_docker_auth() -> None:
    mirror = RotationHarness()
    for change in (
        ALICE,
        changes.add("bob", HASH, []),
        changes.set_password("alice", OTHER_HASH),
        changes.set_groups("bob", ["x", "y", "x"]),
    ):
        run(mirror.connections(), change)
    (users,) = users_of_pods(mirror)
    assert users["alice"] == {
        "password": OTHER_HASH.get_secret_value(),
        "labels": {"user": ["alice"], "groups": ["platform"]},
    }
    assert users["bob"]["labels"] == {"user": ["bob"], "groups": ["x", "y"]}
    run(mirror.connections(), changes.remove(["alice", "bob"]))
    assert users_of_pods(mirror) == [{"": {}}]
    assert entries(mirror.cluster) == {}
    assert mirror.deploy()["changed"] is False


def test_the_same_groups_again_change_nothing() -> None:
    mirror = RotationHarness()
    run(mirror.connections(), ALICE)
    assert not run(mirror.connections(), changes.set_groups("alice", ["platform"])).changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (ALICE, 'there is an account "alice" already'),
        (changes.set_password("bob", HASH), 'there is no account "bob"; existing accounts: alice'),
        (changes.set_groups("bob", []), 'there is no account "bob"'),
        (changes.remove(["alice", "bob"]), 'there is no account "bob"'),
    ],
    ids=["add", "passwd", "groups", "remove"],
)
def test_a_change_that_does_not_fit_changes_nothing(change: Change, message: str) -> None:
    mirror = RotationHarness()
    run(mirror.connections(), ALICE)
    before = entries(mirror.cluster)
    with pytest.raises(AccountError, match=message) as caught:
        run(mirror.connections(), change)
    assert caught.value.hint
    assert entries(mirror.cluster) == before


def test_accounts_can_be_added_before_the_mirror_is_deployed() -> None:
    cluster = FakeCluster()
    connections = FakeConnections(samples.mirror(), cluster, FakeHelm(cluster))
    assert run(connections, ALICE).tokens_expire_after is None
    assert list(entries(cluster)) == ["alice"]


def test_without_a_namespace_the_error_says_what_to_do() -> None:
    cluster = FakeCluster(exists=False)
    with pytest.raises(AccountError, match="no namespace regmirror") as caught:
        run(FakeConnections(samples.mirror(), cluster, FakeHelm(cluster)), ALICE)
    assert caught.value.hint
    assert "regmirror deploy" in caught.value.hint
    assert cluster.get(NAMESPACE, "regmirror") is None


def test_a_mirror_of_gitops_is_not_changed() -> None:
    mirror = RotationHarness()
    live = mirror.cluster.get(DEPLOYMENT, names.AUTH)
    assert live
    live["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "x"}
    mirror.cluster.put(live)
    with pytest.raises(ManagedByGitOpsError):
        run(mirror.connections(), ALICE)
    assert entries(mirror.cluster) == {}


@pytest.mark.parametrize(
    "auth",
    [
        {"external": {"realm": "https://auth.example.com/auth", "issuer": "x", "certificate": {"file": "x"}}},
        {"chart": {"flavor": "cesanta", "path": "charts/docker-auth"}},
    ],
)
def test_a_docker_auth_that_cannot_have_accounts_is_refused(auth: dict[str, Any]) -> None:
    cluster = FakeCluster()
    with pytest.raises(AccountError, match=f"auth.{next(iter(auth))}"):
        run(FakeConnections(samples.mirror(auth=auth), cluster, FakeHelm(cluster)), ALICE)


def test_a_missing_permission_is_named() -> None:
    mirror = RotationHarness()
    mirror.cluster.denied = {Right("update", "", "secrets")}
    with pytest.raises(PermissionDeniedError) as caught:
        run(mirror.connections(), ALICE)
    assert caught.value.hint
    assert caught.value.hint.endswith("regmirror rbac user")


def test_an_account_that_somebody_else_added_is_removed_too() -> None:
    mirror = RotationHarness()
    run(mirror.connections(), ALICE)
    add_bob_elsewhere(mirror.cluster)
    run(mirror.connections(), changes.remove(["bob"]))
    assert list(entries(mirror.cluster)) == ["alice"]


class ChangedMeanwhileCluster:
    """Somebody else adds an account after the accounts were read."""

    def __init__(self, cluster: FakeCluster, change: Callable[[], None]) -> None:
        self._cluster, self._change = cluster, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def get(self, kind: Any, name: str) -> Object | None:
        found = self._cluster.get(kind, name)
        if name == names.USERS_SECRET:
            self._change()
        return found


@pytest.mark.parametrize("first", [[], ["alice"]])
def test_two_additions_at_once_lose_nothing(first: list[str]) -> None:
    mirror = RotationHarness()
    for name in first:
        run(mirror.connections(), changes.add(name, HASH, []))
    content = json.dumps({"password": HASH.get_secret_value(), "groups": []}).encode()
    theirs = users_secret(mirror.mirror, dict.fromkeys([*first, "bob"], content))
    racing = ChangedMeanwhileCluster(mirror.cluster, lambda: mirror.cluster.put(theirs))
    with pytest.raises(ConflictError, match="somebody else changed the accounts"):
        run(mirror.connections(racing), changes.add("carol", HASH, []))
    assert list(entries(mirror.cluster)) == [*first, "bob"]
    mirror.deploy()
    run(mirror.connections(), changes.add("carol", HASH, []))
    assert sorted(users_of_pods(mirror)[0]) == ["", *first, "bob", "carol"]


def test_a_damaged_entry_stops_every_change_but_its_removal() -> None:
    mirror = RotationHarness()
    mirror.cluster.put(users_secret(mirror.mirror, {"alice": b'{"groups": []}'}))
    with pytest.raises(DamagedAccountError):
        run(mirror.connections(), changes.add("bob", HASH, []))
    with pytest.raises(DamagedAccountError):
        mirror.deploy()
    listed = list_users(mirror.cluster, mirror.mirror)
    assert [(user.name, user.problem) for user in listed.users] == [("alice", "it has no password")]
    run(mirror.connections(), changes.remove(["alice"]))
    assert mirror.deploy()["changed"] is False


def test_an_account_whose_rollout_failed_is_applied_by_deploy() -> None:
    mirror = RotationHarness()
    mirror.helm.failures_of_upgrade[names.AUTH] = HelmError("broken")
    with pytest.raises(PartlyAppliedError) as caught:
        run(mirror.connections(), ALICE)
    assert caught.value.hint
    assert caught.value.hint.endswith("regmirror deploy")
    mirror.helm.failures_of_upgrade.clear()
    mirror.deploy()
    assert list(users_of_pods(mirror)[0]) == ["", "alice"]


def test_a_rotation_keeps_the_accounts() -> None:
    mirror = RotationHarness()
    run(mirror.connections(), ALICE)
    mirror.rotate(FORCED)
    assert list(users_of_pods(mirror)[0]) == ["", "alice"]
    assert mirror.deploy()["changed"] is False


def test_the_list_shows_groups_rules_and_whether_docker_auth_has_the_account() -> None:
    mirror = RotationHarness()
    run(mirror.connections(), ALICE)
    add_bob_elsewhere(mirror.cluster)
    rules = [{"allow": ["acme/*"], "groups": ["platform"]}]
    listed = list_users(
        mirror.cluster, samples.mirror(upstreams=[samples.document()["upstreams"][0] | {"rules": rules}])
    )
    shown = [(user.name, user.groups, user.rules, user.in_effect) for user in listed.users]
    assert shown == [
        ("alice", ["platform"], ["upstreams[0].rules[0]"], True),
        ("bob", ["platform"], ["upstreams[0].rules[0]"], False),
    ]
    assert "$2b$" not in json.dumps(listed.document())


def test_the_accounts_are_removed_with_the_mirror_and_named_before() -> None:
    mirror = RotationHarness()
    run(mirror.connections(), ALICE)
    removal = asyncio.run(plan_removal(mirror.connections(), purge_data=False))
    assert "Secret regmirror-users, with every account of regmirror user" in removal.preview().removed
    assert names.USERS_SECRET in removal.inventory.secrets


def test_a_pruning_deployment_keeps_the_accounts() -> None:
    mirror = RotationHarness()
    run(mirror.connections(), ALICE)
    options = DeployOptions(skip_bucket=True, skip_verify=True, prune=True)
    work = deploy_mirror(mirror.connections(), RecordedProgress(), timedelta(seconds=10), options, mirror.time.clock())
    assert asyncio.run(work).changed is False
    assert list(entries(mirror.cluster)) == ["alice"]


@pytest.mark.parametrize("secret", [names.USERS_SECRET, names.AUTH_SECRET])
def test_a_support_bundle_redacts_the_hashes_of_every_secret(secret: str) -> None:
    mirror = RotationHarness()
    run(mirror.connections(), ALICE)
    live = mirror.cluster.get(SECRET, secret)
    assert live
    assert HASH.get_secret_value() in secret_values([live])


def test_a_hash_is_of_the_password() -> None:
    password = generate_password()
    hashed = hash_password(password).get_secret_value()
    assert bcrypt.checkpw(password.get_secret_value().encode(), hashed.encode())
    assert hashed.startswith("$2b$10$")
    assert len(password.get_secret_value()) == 32
    assert generate_password() != password


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("seven77", "fewer than 8 characters"),
        ("x" * 73, "longer than 72 bytes"),
        ("ü" * 37, "longer than 72 bytes"),
        ("canary\nsecret", "control characters"),
        ("canary\x00secret", "control characters"),
        (" canary-secret", "begins or ends with a space"),
    ],
)
def test_a_password_that_bcrypt_or_clients_would_change_is_refused(password: str, problem: str) -> None:
    with pytest.raises(PasswordError, match=problem) as caught:
        hash_password(SecretStr(password))
    assert password not in caught.value.message
