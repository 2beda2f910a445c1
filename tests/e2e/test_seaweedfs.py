"""A mirror on SeaweedFS: deployed, verified, pulled through, and its data removed."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.seaweedfs import running

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def mirror(
    new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DeployedMirror]:
    """A deployed mirror whose profile knows the region."""
    made = new_mirror()
    lab = made.target.lab
    if lab is None:
        pytest.skip("SeaweedFS runs on the lab's node")
    with running(lab["address"], lab["hosts"]["s3"], tmp_path_factory.mktemp("seaweedfs")) as store:
        keys = {"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret_key}
        made.environment.update({"S3_ENDPOINT": store.endpoint, **keys})
        assert made.init().code == 0
        made.change_file(storage={"profile": "seaweedfs"})
        outcome = made.deploy()
        assert outcome.code == 0, outcome.stderr
        yield made


def test_every_check_passes(mirror: DeployedMirror) -> None:
    outcome = mirror.verify()
    results = {check["id"]: check["result"] for check in outcome.document["checks"]}
    assert outcome.code == 0, outcome.stdout
    assert set(results.values()) == {"success"}, results


def test_its_data_is_removed(mirror: DeployedMirror) -> None:
    bucket = mirror.environment["S3_BUCKET"]
    outcome = mirror.regmirror("destroy", "--yes", "--purge-data", "--confirm-purge", bucket, "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["data"]["objects"] > 0
    again = mirror.regmirror("destroy", "--yes", "--purge-data", "--confirm-purge", bucket, "-o", "json")
    assert again.document["changed"] is False, again.stdout
