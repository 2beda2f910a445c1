"""A repository that only the mirror's account can read: the real registry serves it to everyone, and verify says so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regmirror.adapters.http import Urllib3Http
from regmirror.desired import names
from regmirror.verify.check import Outcome, Passed, Skipped, Warned
from tests.unit.deployed import deployed

from .pull_through import REPOSITORY, PullThrough, digest_of, pull_through

ACCOUNT = ("canary-hub-name", "a-password")
WRONG = ("canary-hub-name", "another")


@pytest.fixture(scope="module")
def private(
    registry_program: Path, hub_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PullThrough]:
    with pull_through(registry_program, hub_program, tmp_path_factory.mktemp("private"), ACCOUNT) as running:
        running.publish("1", b"secret")
        yield running


def checked(url: str, account: tuple[str, str]) -> Outcome:
    """The outcome of the check for a mirror of an upstream, with an account."""
    upstream: dict[str, Any] = {"name": "docker-hub", "url": url, "anonymousPull": ["acme/*"]}
    mirror = deployed(upstreams=[upstream])
    mirror.image = f"{REPOSITORY}:1"
    credential = f'{{"Username": "{account[0]}", "Secret": "{account[1]}"}}'.encode()
    mirror.replace(names.credential_secret("docker-hub"), **{"credential.json": credential})
    mirror.http = Urllib3Http()  # type: ignore[assignment] # the real adapter, for the stand-in
    return mirror.ask("upstream-private")


def test_everyone_gets_it_from_the_mirror(private: PullThrough) -> None:
    manifest, _ = private.publish("2", b"another secret")
    assert private.get("manifests", digest_of(manifest)) == (200, manifest)


def test_verify_warns(private: PullThrough) -> None:
    outcome = checked(private.upstream, ACCOUNT)
    assert isinstance(outcome, Warned)
    assert outcome.message.startswith(f"only the mirror's account can read {REPOSITORY}:1 at {private.upstream}")


def test_verify_does_not_warn_if_the_account_cannot_read_it(private: PullThrough) -> None:
    outcome = checked(private.upstream, WRONG)
    assert isinstance(outcome, Skipped)
    assert "cannot read it either" in outcome.reason


def test_verify_does_not_warn_of_a_public_image(registry_program: Path, hub_program: Path, tmp_path: Path) -> None:
    with pull_through(registry_program, hub_program, tmp_path) as public:
        manifest, _ = public.publish("1", b"for everyone")
        assert checked(public.upstream, ACCOUNT) == Passed(digest_of(manifest))
