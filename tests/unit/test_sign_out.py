"""``regmirror user sign-out``: whose login ends in the database, and what is refused."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.desired import names
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections
from tests.fakes.redis_server import RedisServer
from tests.unit.transcript import connect

GITHUB = {"clientId": "id", "clientSecret": {"env": "CLIENT_SECRET"}, "organization": "acme"}
PASSWORD = "database-password-canary"
POD_NAME = f"{names.SIGN_IN}-0"


@dataclass
class Logins:
    """A mirror at which alice and bob have signed in."""

    monkeypatch: pytest.MonkeyPatch
    keys: set[str] = field(default_factory=lambda: {"t:alice", "t:bob"})
    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(exists=True))

    def __post_init__(self) -> None:
        self.cluster.put(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": POD_NAME, "labels": {"app.kubernetes.io/instance": names.SIGN_IN}},
                "status": {"conditions": [{"type": "Ready", "status": "True"}]},
            }
        )
        self.store_password(PASSWORD)
        self.cluster.listeners[POD_NAME, names.REDIS_PORT] = RedisServer(PASSWORD, keys=self.keys)
        self.connect(access={"signIn": {"github": GITHUB}})

    def store_password(self, password: str) -> None:
        data = {"password": base64.b64encode(password.encode()).decode()}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": names.SIGN_IN_SECRET}, "data": data}
        self.cluster.put(secret)

    def connect(self, **mirror: Any) -> None:
        connect(self.monkeypatch, FakeConnections(samples.mirror(**mirror), self.cluster))


@pytest.fixture
def logins(monkeypatch: pytest.MonkeyPatch) -> Logins:
    return Logins(monkeypatch)


def sign_out(*words: str) -> Result:
    return CliRunner().invoke(app, ["user", "sign-out", *words])


def test_only_the_login_of_the_named_person_ends(logins: Logins) -> None:
    done = sign_out("alice")
    assert done.exit_code == 0, done.output
    assert logins.keys == {"t:bob"}
    assert done.stdout == ""
    assert "Ended 1 login at" in done.stderr


def test_a_name_without_a_login_is_reported_after_the_others_have_ended(logins: Logins) -> None:
    done = sign_out("Alice", "bob", "-o", "json")
    assert done.exit_code == 1
    assert "nobody has a login with the name Alice; check its spelling" in done.stderr
    report = json.loads(done.stdout)
    assert (report["ended"], report["unknown"], report["loginsEnded"]) == (["bob"], ["Alice"], 1)
    assert logins.keys == {"t:alice"}


def test_all_logins_end_only_after_a_confirmation(logins: Logins) -> None:
    refused = sign_out("--all")
    assert refused.exit_code == 2
    assert "Try: regmirror user sign-out --all --yes" in refused.stderr
    assert len(logins.keys) == 2
    done = sign_out("--all", "--yes")
    assert done.exit_code == 0, done.output
    assert "Ended 2 logins" in done.stderr
    assert not logins.keys


@pytest.mark.parametrize("words", [[], ["alice", "--all", "--yes"]])
def test_either_people_are_named_or_everyone_is_meant(logins: Logins, words: list[str]) -> None:
    done = sign_out(*words)
    assert done.exit_code == 2
    assert "name at least one person, or use --all" in done.stderr
    assert len(logins.keys) == 2


def test_a_mirror_without_sign_in_has_no_logins(logins: Logins) -> None:
    logins.connect()
    done = sign_out("alice")
    assert done.exit_code == 1
    assert "nobody signs in to this mirror: the file has no access.signIn" in done.stderr


def test_a_database_that_refuses_the_password_is_named_without_showing_it(logins: Logins) -> None:
    logins.store_password("another-canary")
    done = sign_out("alice")
    assert done.exit_code == 1
    assert f"refuses the password in the Secret {names.SIGN_IN_SECRET}" in done.stderr
    assert "canary" not in done.output


def test_a_database_without_a_ready_pod_is_named(logins: Logins) -> None:
    logins.cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": POD_NAME, "labels": {"app.kubernetes.io/instance": names.SIGN_IN}},
            "status": {},
        }
    )
    done = sign_out("alice")
    assert done.exit_code == 1
    assert "the database of logins has no ready pod" in done.stderr
