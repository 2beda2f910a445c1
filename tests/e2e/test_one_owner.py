"""Two mirrors never share data or a namespace unnoticed: what belongs to the first is refused to the second."""

from collections.abc import Callable

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.long_runs import only_in_long_runs

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def first(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror that serves."""
    mirror = new_mirror()
    assert mirror.deploy().code == 0
    return mirror


@pytest.fixture(scope="module")
def second(first: DeployedMirror, new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror in another namespace whose file names the bucket and the prefix of the first."""
    mirror = new_mirror()
    mirror.change_file(storage=yaml.safe_load(first.file.read_text())["storage"])
    return mirror


def test_data_of_another_mirror_is_refused(first: DeployedMirror, second: DeployedMirror) -> None:
    outcome = second.deploy("-o", "json")
    assert (outcome.code, outcome.document["error"]["code"]) == (1, "RM403")
    assert (
        f"belongs to {first.host} (namespace {first.namespace} of this cluster; "
        in outcome.document["error"]["message"]
    )
    assert second.objects("secrets", "-l", "app.kubernetes.io/managed-by=regmirror") == []
    bucket = yaml.safe_load(second.file.read_text())["storage"]["bucket"]
    assert second.regmirror("destroy", "--yes", "--purge-data", "--confirm-purge", bucket).code == 1
    assert first.regmirror("diff").code == 0
    first.await_healthy()


@only_in_long_runs
def test_taken_over_data_is_reported_to_its_old_owner(first: DeployedMirror, second: DeployedMirror) -> None:
    assert second.deploy("--take-over").code == 0
    second.await_healthy()
    assert list(first.failures()) == ["storage-owner"]
    assert first.deploy().code == 1
    assert first.deploy("--take-over").code == 0
    first.await_healthy()


def test_another_host_is_refused_in_the_namespace_of_a_mirror(first: DeployedMirror) -> None:
    before = first.file.read_text()
    first.change_file(host=f"other-{first.host}")
    try:
        outcome = first.deploy("-o", "json")
        assert (outcome.code, outcome.document["error"]["code"]) == (2, "RM103")
        assert first.regmirror("deploy", "--dry-run").code == 2
    finally:
        first.file.write_text(before)
    first.await_healthy()
