"""Accounts at the real docker_auth: who may pull what, when a removed account ends, and what an attacker achieves."""

from __future__ import annotations

import base64
import json
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml

from lab import addresses
from tests.e2e.deployed_mirror import DeployedMirror, Object, Outcome, run
from tests.e2e.load import Load
from tests.e2e.login_client import Account, LoginClient
from tests.e2e.waiting import await_value, on_this_machine

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not os.environ.get("LAB_DOCKER_AUTH"), reason="the stand-in for docker_auth has no labels"),
]

REPOSITORY, OPEN = "acme/tool", "library/demo"
LIFETIME, LEEWAY = 60.0, 60.0
ATTACK_SECONDS, ATTACKERS, ATTACK_PAUSE = 15.0, 64, 0.5
ATTACKER, OTHER = "127.0.77.1", "127.0.77.2"


@dataclass(frozen=True)
class Place:
    """A mirror of two upstreams with the same images; a rule of the first is for its group ``team``."""

    mirror: DeployedMirror
    second: str
    """The host of the second upstream."""

    def client(self, source: str = "127.0.0.1", *, second: bool = False) -> LoginClient:
        return LoginClient(self.mirror, self.second if second else self.mirror.host, source)

    def user(self, *words: str) -> Object:
        """Run ``regmirror user``; returns its document."""
        outcome = self.mirror.regmirror("user", *words, "-o", "json")
        assert outcome.code == 0, outcome.stderr
        document: Object = outcome.document
        return document

    def add(self, name: str, *words: str) -> Account:
        """Add an account with a generated password."""
        return name, self.user("add", name, "--generate", *words)["generatedPassword"]

    def resolve(self) -> list[str]:
        return self.mirror.target.resolve(self.second)


@pytest.fixture(scope="module")
def place(new_mirror: Callable[[], DeployedMirror]) -> Place:
    """It trusts the lab's Ingress controller, so it knows the addresses of clients."""
    mirror = new_mirror()
    if not mirror.target.is_lab:
        pytest.skip("only the lab has two registries with the same images")
    second = f"{mirror.namespace}-second.{mirror.target.domain}"
    (first,) = yaml.safe_load(mirror.file.read_text())["upstreams"]
    upstream = first | {"anonymousPull": ["library/*"]}
    rules = [{"allow": [REPOSITORY], "groups": ["team"]}]
    gateway = next(ip_network(addresses.POD_SUBNET).hosts())
    mirror.change_file(
        upstreams=[upstream | {"rules": rules}, upstream | {"name": "second", "host": second}],
        auth={"tokenLifetime": "1m"},
        ingress={"trustedProxies": [f"{gateway}/32", f"{addresses.NODE_ADDRESS}/32"]},
    )
    files = [f"--cert={mirror.target.certificate}", f"--key={mirror.target.key}"]
    mirror.kubectl("create", "secret", "tls", "regmirror-tls-second", *files)
    made = Place(mirror, second)
    outcome = mirror.deploy(*made.resolve())
    assert outcome.code == 0, outcome.stderr
    return made


def crane(place: Place, account: Account | None, directory: Path) -> Outcome:
    """Pull with the real client crane, which logs in as docker does."""
    auth = base64.b64encode(":".join(account or ("", "")).encode()).decode()
    auths = {place.mirror.host: {"auth": auth}} if account else {}
    (directory / "config.json").write_text(json.dumps({"auths": auths}))
    words = ["crane", "pull", f"{place.mirror.host}/{REPOSITORY}:1", str(directory / "image.tar")]
    return run(words, directory, {"SSL_CERT_FILE": str(place.mirror.target.authority), "DOCKER_CONFIG": str(directory)})


def test_only_an_account_of_the_group_pulls_and_no_pull_fails_when_it_is_added(place: Place, tmp_path: Path) -> None:
    assert crane(place, None, tmp_path).code != 0
    with Load(place.mirror).running() as load:
        alice = place.add("alice", "--group", "team")
        stranger = place.add("stranger")
        place.user("groups", "stranger", "others")
    assert load.failures == [], load.report()
    pulled = crane(place, alice, tmp_path)
    assert pulled.code == 0, pulled.stderr
    assert crane(place, stranger, tmp_path).code != 0
    assert crane(place, None, tmp_path).code != 0
    hashed = place.mirror.kubectl("get", "configmaps,pods,deployments", "-o", "yaml")
    assert "$2b$" not in hashed


def test_a_later_deployment_changes_nothing_and_verify_finds_the_accounts(place: Place) -> None:
    place.add("carol", "--group", "team")
    pods = place.mirror.pods()
    outcome = place.mirror.deploy(*place.resolve(), "-o", "json")
    assert (outcome.code, outcome.document["changed"]) == (0, False), outcome.stderr
    assert place.mirror.pods() == pods
    verified = place.mirror.verify(*place.resolve(), "--category", "config", "--category", "token")
    assert verified.code == 0, verified.stdout


def test_a_token_of_one_upstream_is_useless_at_another(place: Place) -> None:
    dora = place.add("dora", "--group", "team")
    token = place.client().token_text(REPOSITORY, dora)
    assert place.client().manifest(REPOSITORY, token) == 200
    assert place.client(second=True).manifest(REPOSITORY, token) == 401
    other = place.client(second=True).token_text(REPOSITORY, dora)
    assert place.client(second=True).manifest(REPOSITORY, other) == 401


def test_a_removed_account_ends_with_its_token(place: Place) -> None:
    eve = place.add("eve", "--group", "team")
    token, issued = place.client().token_text(REPOSITORY, eve), time.monotonic()
    removed = place.user("remove", "eve", "--yes")
    assert removed["tokensExpireAfterSeconds"] == LIFETIME + LEEWAY
    assert place.client().token(REPOSITORY, eve).status == 401
    await_value(lambda: place.client().manifest(REPOSITORY, token), lambda status: status == 401)
    assert time.monotonic() - issued < LIFETIME + LEEWAY + on_this_machine(5.0)


def test_an_emergency_rotation_ends_every_token_at_once(place: Place) -> None:
    frank = place.add("frank", "--group", "team")
    place.user("remove", "frank", "--yes")
    grace = place.add("grace", "--group", "team")
    token = place.client().token_text(REPOSITORY, grace)
    rotated = place.mirror.rotate("--emergency", *place.resolve())
    assert rotated.code == 0, rotated.stderr
    assert place.client().manifest(REPOSITORY, token) == 401
    assert place.client().token(REPOSITORY, frank).status == 401
    assert place.client().manifest(REPOSITORY, place.client().token_text(REPOSITORY, grace)) == 200


def attack(place: Place, name: str, stop: threading.Event) -> Counter[int]:
    """Try wrong passwords of an account from one address, in two ways, until ``stop`` is set."""
    answers: Counter[int] = Counter()
    client = place.client(ATTACKER)
    while not stop.wait(ATTACK_PAUSE):
        answers[client.token(REPOSITORY, (name, "wrong password")).status] += 1
        answers[client.token(REPOSITORY, query=f"&%61ccount={name}").status] += 1
    return answers


def test_a_client_that_tries_passwords_slows_nobody_and_locks_nobody_out(place: Place) -> None:
    heidi = place.add("heidi", "--group", "team")
    stop, seconds, logins, begun = threading.Event(), [], [], time.monotonic()
    with ThreadPoolExecutor(ATTACKERS) as attackers:
        running = [attackers.submit(attack, place, "heidi", stop) for _ in range(ATTACKERS)]
        try:
            while time.monotonic() - begun < ATTACK_SECONDS:
                asked = time.monotonic()
                assert place.client(OTHER).token(OPEN).status == 200
                seconds.append(time.monotonic() - asked)
                if len(seconds) % 10 == 0:
                    logins.append(place.client(OTHER).token(REPOSITORY, heidi).status)
        finally:
            stop.set()
        answers = sum((one.result() for one in running), Counter())
    assert set(answers) == {401, 429}
    # Two per second, and the burst.
    assert answers[401] <= 2 * (time.monotonic() - begun) + 41
    assert statistics.median(seconds) < on_this_machine(0.1)
    assert set(logins) == {200}
    assert all(restarts == 0 for restarts in place.mirror.pods().values())
