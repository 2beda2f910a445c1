"""Something keeps a deployment from its end: it says what and why and what to try, and the next one arrives."""

import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.e2e.deploy_blocker import Hindrance, quota
from tests.e2e.deploy_blockers import HINDRANCES
from tests.e2e.deployed_mirror import Deployment, Object

pytestmark = pytest.mark.lab

LONG = bool(os.environ.get("REGMIRROR_LONG"))
TRIED = [one for one in HINDRANCES if LONG or one.quick]
CHANGE_NUMBERS = count(200)
ROLLING = ["-l", "app.kubernetes.io/instance!=regmirror-redis"]
"""All pods but that of Redis, which goes before the next one comes: there are never two."""


@pytest.fixture(scope="module")
def served(new_deployment: Callable[[], Deployment]) -> Iterator[Deployment]:
    """A mirror that serves; each test leaves it so."""
    mirror = new_deployment()
    assert mirror.deploy().code == 0
    yield mirror
    assert mirror.failures() == {}


def hindered(mirror: Deployment, hindrance: Hindrance, *options: str) -> Object:
    """The error of a deployment that is kept from its end; the hindrance and the change of the file are taken back."""
    before = mirror.file.read_text()
    undo = hindrance.harm(mirror)
    mirror.change_file(**hindrance.file(f"{next(CHANGE_NUMBERS)}Mi"))
    try:
        outcome = mirror.deploy("--timeout", "20s", "-o", "json", *options)
    finally:
        undo()
        mirror.file.write_text(before)
    assert outcome.code == hindrance.code, outcome.words
    error: Object = outcome.document["error"]
    return error


@pytest.mark.parametrize("hindrance", TRIED, ids=lambda one: one.name)
def test_what_is_in_the_way_is_told_and_the_next_deployment_arrives(served: Deployment, hindrance: Hindrance) -> None:
    error = hindered(served, hindrance)
    said = f"{error['message']}\n{error['hint']}"
    assert [words for words in hindrance.words if words not in said] == [], said
    again = served.deploy()
    assert again.code == 0, again.words
    assert served.regmirror("diff").code == 0


@pytest.mark.parametrize("hindrance", [one for one in TRIED if one.puts_back], ids=lambda one: one.name)
def test_with_rollback_the_mirror_serves_as_before(served: Deployment, hindrance: Hindrance) -> None:
    pods = served.pods(*ROLLING)
    error = hindered(served, hindrance, "--rollback-on-failure")
    assert error["code"] == "RM703"
    assert pods.items() <= served.pods(*ROLLING).items()
    assert served.regmirror("diff").code == 0


def test_a_first_deployment_without_room_for_its_secrets(new_deployment: Callable[[], Deployment]) -> None:
    mirror = new_deployment()
    undo = quota(secrets=lambda _: 3)(mirror)
    outcome = mirror.deploy("-o", "json")
    undo()
    assert outcome.code == 3, outcome.words
    error = outcome.document["error"]
    assert "cannot apply Secret regmirror-" in error["message"]
    assert "exceeded quota: small" in error["message"]
    assert "make room in the ResourceQuota small" in error["hint"]
    assert mirror.deploy().code == 0
    assert mirror.failures() == {}
