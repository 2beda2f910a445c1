"""The Roles that rbac prints name the Secrets that a command may use, and each command works with no others."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from regmirror.cli.rbac import Command, role
from regmirror.config.model import Mirror
from regmirror.deploy.diff import diff_mirror
from regmirror.desired import names
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import SECRET, Kind, Object, Right
from regmirror.status.collect import collect_status
from regmirror.status.report import status_report
from regmirror.verify.check import Failed, Skipped
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.unit.deployed import Deployed, deployed
from tests.unit.deploying import Place
from tests.unit.rotating import pair_of

ACCESS_KEY = {
    "id": {"secret": {"name": "bucket", "key": "id"}},
    "secret": {"secret": {"name": "bucket", "key": "secret"}},
}
CREDENTIALS = {"username": {"env": "HUB_USER"}, "password": {"secret": {"name": "hub", "key": "token"}}}
FULL: dict[str, Any] = {
    "storage": {**samples.MINIMAL["storage"], "accessKey": ACCESS_KEY},
    "upstreams": [{**samples.MINIMAL["upstreams"][0], "credentials": CREDENTIALS}],
    "redis": {"password": {"secret": {"name": "cache", "key": "password"}}},
}
HUB = names.registry_secret("docker-hub")
ACCOUNT = names.credential_secret("docker-hub")
WITH_HELM = {Command.DEPLOY, Command.ROTATE_CERT, Command.USER, Command.DESTROY}


def secret_rules(mirror: Mirror, command: Command) -> dict[str, set[str] | None]:
    """By verb: the Secrets that the Role allows it for; None if it is for all."""
    rules = [rule for rule in role(mirror, command)["rules"] if rule["resources"] == ["secrets"]]
    return {
        verb: set(rule["resourceNames"]) if "resourceNames" in rule else None
        for rule in rules
        for verb in rule["verbs"]
    }


def test_status_may_not_read_the_signing_key_nor_what_it_does_not_need() -> None:
    assert secret_rules(samples.mirror(), Command.STATUS) == {"get": {names.BUNDLE_SECRET}}
    full = secret_rules(samples.mirror(**FULL), Command.STATUS)
    assert full == {"get": {names.BUNDLE_SECRET, HUB, ACCOUNT}}


def test_verify_reads_the_mirrors_secrets_alone() -> None:
    everything = {names.SIGNING_SECRET, names.BUNDLE_SECRET, names.AUTH_SECRET, names.REDIS_SECRET, HUB, ACCOUNT}
    everything.add(names.USERS_SECRET)
    assert secret_rules(samples.mirror(), Command.VERIFY) == {"get": {*everything, "regmirror-tls"}}
    assert secret_rules(samples.mirror(**FULL), Command.VERIFY) == {"get": {*everything, "regmirror-tls", "bucket"}}


def test_status_and_verify_read_what_the_way_out_needs() -> None:
    account = {key: {"secret": {"name": "ecr", "key": key}} for key in ("username", "password")}
    hub = {**samples.MINIMAL["upstreams"][0], "caBundle": {"configMap": {"name": "company"}}, "credentials": account}
    mirror = samples.mirror(
        storage={**samples.MINIMAL["storage"], "caBundle": {"secret": {"name": "store-ca"}}},
        egress={"httpsProxy": {"secret": {"name": "proxy", "key": "url"}}},
        upstreams=[hub],
    )
    for command in (Command.STATUS, Command.VERIFY):
        assert {HUB, "ecr", "store-ca", "proxy"} <= (secret_rules(mirror, command)["get"] or set())
        rules = [rule for rule in role(mirror, command)["rules"] if rule["resources"] == ["configmaps"]]
        assert [(rule["verbs"], rule["resourceNames"]) for rule in rules] == [(["get"], ["company"])]


def test_upgrade_notes_reads_no_secret() -> None:
    assert secret_rules(samples.mirror(), Command.UPGRADE_NOTES) == {}


@pytest.mark.parametrize("command", Command)
def test_only_what_helm_needs_is_allowed_for_every_secret(command: Command) -> None:
    unnamed = {verb for verb, allowed in secret_rules(samples.mirror(**FULL), command).items() if allowed is None}
    helm = {"get", "list", "create", "update", "delete"}
    assert unnamed <= (helm if command in WITH_HELM else {"list"})
    assert unnamed == set() or command not in {Command.STATUS, Command.VERIFY, Command.UPGRADE_NOTES}


def test_a_role_never_names_objects_where_kubernetes_ignores_names() -> None:
    for command in Command:
        for rule in role(samples.mirror(**FULL), command)["rules"]:
            assert "resourceNames" not in rule or not {"list", "create", "watch", "deletecollection"} & set(
                rule["verbs"]
            )


class Restricted(FakeCluster):
    """Reads only the Secrets that the Role of a command allows."""

    def __init__(self, cluster: FakeCluster, mirror: Mirror, command: Command) -> None:
        self.__dict__ |= cluster.__dict__
        self.rules = secret_rules(mirror, command)

    def may(self, right: Right) -> bool:
        if right.resource != "secrets":
            return super().may(right)
        allowed = self.rules.get(right.verb, set())
        return allowed is None or right.name in allowed

    def get(self, kind: Kind, name: str) -> Object | None:
        self._require(kind, Right("get", "", "secrets", name))
        return super().get(kind, name)

    def select(
        self, kind: Kind, selector: str = "", field_selector: str = "", *, everywhere: bool = False
    ) -> list[Object]:
        self._require(kind, Right("list", "", "secrets"))
        return super().select(kind, selector, field_selector, everywhere=everywhere)

    def _require(self, kind: Kind, right: Right) -> None:
        if kind == SECRET and not self.may(right):
            raise PermissionDeniedError(f"forbidden: {right}")


def restricted(command: Command, **changes: Any) -> Deployed:
    mirror = deployed(**changes)
    mirror.cluster = Restricted(mirror.cluster, mirror.mirror, command)
    return mirror


@pytest.mark.parametrize("changes", [{}, FULL])
def test_status_works_with_its_role(changes: dict[str, Any]) -> None:
    status = collect_status(restricted(Command.STATUS, **changes).live())
    assert "forbidden" not in status_report(status).model_dump_json()
    assert status.signing_ends == samples.key_pair().certificate.not_valid_after_utc


def test_verify_works_with_its_role() -> None:
    outcomes = restricted(Command.VERIFY).ask_all().items()
    refused = {check: outcome for check, outcome in outcomes if isinstance(outcome, Failed | Skipped)}
    assert "forbidden" not in str(refused)
    assert "permission" not in str(refused)


def test_diff_works_with_its_role() -> None:
    place = Place()
    place.deploy()
    connections = place.connected()
    connections.blocking = Restricted(place.cluster, connections.mirror, Command.DIFF)
    assert not asyncio.run(diff_mirror(connections)).differs


def test_during_a_rotation_the_certificate_is_that_of_the_key_that_signs() -> None:
    mirror = deployed()
    new = pair_of()
    mirror.replace(names.BUNDLE_SECRET, **{"bundle.crt": new.certificate_pem + samples.key_pair().certificate_pem})
    assert mirror.live().signing_certificate() == samples.key_pair().certificate
    mirror.host.signing = new
    assert mirror.live().signing_certificate() == new.certificate


def test_a_missing_permission_names_the_secret() -> None:
    assert str(Right("get", "", "secrets", "regmirror-bundle")) == "get secrets/regmirror-bundle"
    mirror = deployed()
    mirror.cluster.denied = {Right("get", "", "secrets", names.AUTH_SECRET)}
    outcome = mirror.ask("cluster-permissions")
    assert isinstance(outcome, Failed)
    assert outcome.message.endswith(f"get secrets/{names.AUTH_SECRET}")
