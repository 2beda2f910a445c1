"""A mirror without an object store: its data is on a volume, which outlives it unless its removal is requested."""

from collections.abc import Callable, Iterator

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.load import Load
from tests.e2e.local_volume import LocalVolume
from tests.e2e.long_runs import only_in_long_runs

pytestmark = pytest.mark.lab

CLAIM = "regmirror-docker-hub"


@pytest.fixture(scope="module")
def volume(new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalVolume]:
    """A deployed mirror on a volume."""
    mirror = new_mirror()
    if mirror.target.lab is None:
        pytest.skip("the volume is a directory of the lab's node")
    made = LocalVolume(mirror, tmp_path_factory.mktemp("volume") / "data")
    made.create()
    content = yaml.safe_load(mirror.file.read_text())
    content["storage"] = {"filesystem": {"size": "1Gi", "storageClass": made.name}}
    mirror.file.write_text(yaml.safe_dump(content))
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    yield made
    made.delete()


def test_pulls_are_served_from_the_volume(volume: LocalVolume) -> None:
    outcome = volume.mirror.verify()
    results = {check["id"]: check["result"] for check in outcome.document["checks"]}
    assert outcome.code == 0, outcome.stdout
    assert {results[id_] for id_ in ("storage-pods", "cache-hit", "clients-pull")} == {"success"}
    # How fast the volume is depends on what else this machine does.
    assert results["storage-speed"] in {"success", "warning"}
    assert results["storage-bucket"] == "skipped"
    assert volume.blobs()


def test_a_second_deployment_changes_nothing(volume: LocalVolume) -> None:
    before = volume.mirror.pods()
    outcome = volume.mirror.deploy("-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["changed"] is False
    assert volume.mirror.pods() == before


@only_in_long_runs
def test_no_pull_fails_while_the_pods_change(volume: LocalVolume) -> None:
    before = volume.mirror.pods("--selector=app.kubernetes.io/name=registry")
    with Load(volume.mirror).running() as load:
        volume.mirror.change_file(registry={"layerCache": {"size": "1Gi"}})
        outcome = volume.mirror.deploy()
        assert outcome.code == 0, outcome.stderr
    assert load.failures == [], load.report()
    assert not before.keys() & volume.mirror.pods("--selector=app.kubernetes.io/name=registry").keys()


def test_the_data_outlives_the_mirror_and_is_removed_on_request(volume: LocalVolume) -> None:
    mirror, blobs = volume.mirror, volume.blobs()
    outcome = mirror.regmirror("destroy", "--yes", "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert f"PersistentVolumeClaim {CLAIM}: the data of this mirror" in outcome.document["kept"]
    assert volume.blobs() == blobs
    assert mirror.deploy().code == 0
    purge = ("destroy", "--yes", "--purge-data", "--confirm-purge", mirror.namespace, "-o", "json")
    outcome = mirror.regmirror(*purge)
    assert outcome.code == 0, outcome.stderr
    assert mirror.objects("pvc") == []
