"""A mirror whose data is on volumes: what is rendered, what is refused before a change, and what is kept at the end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from regmirror.deploy.rights import deploy_rights
from regmirror.desired.redis_config import redis_database
from regmirror.desired.registry_config import registry_config
from regmirror.desired.releases import build_stack
from regmirror.destroy.run import Removal, plan_removal
from regmirror.errors import ConfigurationError, VolumeError
from regmirror.ports.cluster import NAMESPACE, SECRET, VOLUME_CLAIM, Object, Right
from regmirror.render.output_format import OutputFormat
from regmirror.render.render import RenderOptions, render
from regmirror.verify.check import Skipped
from regmirror.verify.hints import fetch_again
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.helm import FakeHelm
from tests.fakes.progress import RecordedProgress
from tests.unit.deployed import deployed
from tests.unit.deploying import Place, changed, configured

OWN = {"filesystem": {"size": "10Gi", "storageClass": "fast"}}
SHARED = {"filesystem": {"claim": "mirror-data"}}
CLASS: Object = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"}}
DEFAULT: Object = {
    **CLASS,
    "metadata": {"name": "slow", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
}


def claim(name: str = "regmirror-docker-hub", **spec: Any) -> Object:
    """A claim that deploy created, unless its name is another one."""
    is_own = name.startswith("regmirror-")
    labels = {"app.kubernetes.io/part-of": "regmirror"} if is_own else {}
    annotations = {"meta.helm.sh/release-name": name} if is_own else {}
    known = {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast"}
    known["resources"] = {"requests": {"storage": "10Gi"}}  # type: ignore[assignment]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {**known, **spec},
        "status": {"phase": "Bound"},
    }


def place(*objects: Object) -> Place:
    found = Place()
    found.cluster.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "regmirror"}})
    for item in objects:
        found.cluster.put(item)
    return found


def test_the_registry_stores_its_data_in_the_volume_and_purges_broken_uploads() -> None:
    mirror = samples.mirror(storage={**OWN, "prefix": "teams/a"})
    storage = registry_config(mirror, mirror.upstreams[0], samples.mirror_secrets(s3=None))["storage"]
    assert storage["filesystem"] == {"rootdirectory": "/var/lib/regmirror/data/teams/a/docker-hub"}
    assert "s3" not in storage
    assert storage["maintenance"]["uploadpurging"]["enabled"] is True


def test_the_release_of_each_registry_has_its_volume() -> None:
    mirror = samples.mirror(storage=OWN, upstreams=samples.TWO_UPSTREAMS)
    stack = build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW)
    data = {release.name: release.values["data"] for release in stack.releases if release.component == "registry"}
    expected = {"enabled": True, "size": "10Gi", "storageClassName": "fast", "accessMode": "ReadWriteOnce"}
    assert data == {"regmirror-docker-hub": expected, "regmirror-quay": expected}


def test_another_volume_has_another_database_in_redis() -> None:
    mirrors = [samples.mirror(storage=storage) for storage in (OWN, SHARED, samples.MINIMAL["storage"])]
    assert len({redis_database(mirror, mirror.upstreams[0]) for mirror in mirrors}) == len(mirrors)


@pytest.mark.parametrize(
    ("objects", "storage", "problem"),
    [
        ([], OWN, "the cluster has no StorageClass fast"),
        ([CLASS], {"filesystem": {"size": "10Gi"}}, "the cluster has no default StorageClass"),
        ([], SHARED, "namespace regmirror has no PersistentVolumeClaim mirror-data"),
        ([claim("mirror-data", accessModes=["ReadWriteOncePod"])], SHARED, "offers ReadWriteOncePod"),
        ([CLASS, claim(storageClassName="slow")], OWN, "it has storageClass slow"),
        (
            [CLASS, claim(resources={"requests": {"storage": "20Gi"}})],
            OWN,
            "it has size 20Gi, and volumes do",
        ),
        ([CLASS, {**claim(), "metadata": {"name": "regmirror-docker-hub"}}], OWN, "this mirror did not create it"),
    ],
)
def test_an_unusable_volume_is_refused_before_anything_changes(
    objects: list[Object], storage: dict[str, Any], problem: str
) -> None:
    env = place(*objects)
    with pytest.raises(VolumeError, match=problem):
        env.deploy(configured(storage=storage))
    assert env.cluster.select(SECRET) == []


@pytest.mark.parametrize(
    ("objects", "storage"),
    [
        ([CLASS], OWN),
        ([DEFAULT], {"filesystem": {"size": "10Gi"}}),
        ([{**CLASS, "kind": "PersistentVolume", "apiVersion": "v1", "spec": {"storageClassName": "fast"}}], OWN),
        ([CLASS, claim(resources={"requests": {"storage": "5Gi"}})], OWN),
        ([claim("mirror-data")], SHARED),
        ([claim("mirror-data", accessModes=["ReadWriteMany"])], SHARED),
    ],
)
def test_a_mirror_on_volumes_is_deployed_once(objects: list[Object], storage: dict[str, Any]) -> None:
    env = place(*objects)
    mirror = configured(storage=storage)
    assert "volume" in [step.name for step in env.deploy(mirror).steps]
    assert changed(env.deploy(mirror)) == []
    assert env.store.sizes == {}


def test_several_replicas_need_a_volume_that_nodes_share() -> None:
    registry = {"replicas": 2, "ttl": 0}
    with pytest.raises(ConfigurationError, match=r"storage\.filesystem\.accessMode: must be ReadWriteMany"):
        samples.mirror(storage=OWN, registry=registry)
    samples.mirror(storage={"filesystem": {**OWN["filesystem"], "accessMode": "ReadWriteMany"}}, registry=registry)


def test_only_the_rights_that_volumes_need_are_asked_for() -> None:
    created = Right("create", "", "persistentvolumeclaims")
    assert created in deploy_rights(samples.mirror(storage=OWN))
    assert created not in deploy_rights(samples.mirror(storage=SHARED))
    assert Right("get", "", "persistentvolumeclaims", "mirror-data") in deploy_rights(samples.mirror(storage=SHARED))
    assert not [right for right in deploy_rights(samples.mirror()) if right.resource == "persistentvolumeclaims"]


@pytest.mark.parametrize(
    "check", ["storage-bucket", "storage-owner", "storage-cache-agrees", "storage-uploads", "storage-lifecycle"]
)
def test_checks_of_a_bucket_say_why_they_are_skipped(check: str) -> None:
    assert deployed(storage=OWN).ask(check) == Skipped("the data is on a volume, not in a bucket")


def removal(env: Place, storage: dict[str, Any], *, purge: bool = False) -> Removal:
    return asyncio.run(plan_removal(env.connected(configured(storage=storage)), purge_data=purge))


def destroyed(*, purge: bool) -> tuple[Place, list[str]]:
    """A mirror that was deployed to its own namespace and removed, and what was said to be kept."""
    env = Place()
    env.cluster.put(CLASS)
    env.deploy(configured(storage=OWN))
    # Helm keeps it: helm.sh/resource-policy.
    env.cluster.put(claim())
    planned = removal(env, OWN, purge=purge)
    report = asyncio.run(planned.execute(RecordedProgress(), timedelta(hours=1)))
    return env, report.kept


def test_destroy_keeps_the_volumes_and_so_their_namespace() -> None:
    env, kept = destroyed(purge=False)
    assert env.cluster.get(VOLUME_CLAIM, "regmirror-docker-hub")
    assert env.cluster.get(NAMESPACE, "regmirror")
    assert "PersistentVolumeClaim regmirror-docker-hub: the data of this mirror" in kept
    assert any("it also contains PersistentVolumeClaim regmirror-docker-hub" in line for line in kept)


def test_destroy_removes_the_volumes_on_request() -> None:
    env, kept = destroyed(purge=True)
    assert env.cluster.get(VOLUME_CLAIM, "regmirror-docker-hub") is None
    assert env.cluster.get(NAMESPACE, "regmirror") is None
    assert kept == []


def test_the_removal_of_volumes_is_confirmed_with_their_namespace() -> None:
    env = place(CLASS, claim())
    assert removal(env, OWN, purge=True).purge_confirmation == ("regmirror", "the namespace of its volumes")


def test_the_data_of_an_existing_claim_is_not_deleted() -> None:
    env = place(claim("mirror-data"))
    with pytest.raises(ConfigurationError, match="which the mirror did not create"):
        removal(env, SHARED, purge=True)


def test_a_rendering_asks_for_volumes_instead_of_a_bucket() -> None:
    helm, options = FakeHelm(FakeCluster()), RenderOptions(OutputFormat.FLUX)
    rendering = asyncio.run(render(samples.mirror(storage=SHARED), helm, options))
    (readme,) = (file.text for file in rendering.files if file.path == "README.md")
    assert "The data is stored on PersistentVolumeClaim mirror-data." in readme
    assert "bucket" not in readme


def test_damaged_content_is_a_file_of_the_volume() -> None:
    live = deployed(storage=OWN).live()
    hint = fetch_again(live, live.mirror.upstreams[0], "sha256:" + "ab" * 32)
    assert "rm /var/lib/regmirror/data/docker-hub/docker/registry/v2/blobs/sha256/ab/" in hint
    assert "aws s3" not in hint


def test_pods_of_an_autoscaler_need_a_volume_that_nodes_share() -> None:
    registry = {"ttl": "0", "autoscaling": {"minReplicas": 1, "maxReplicas": 3}}
    with pytest.raises(ConfigurationError, match=r"storage\.filesystem\.accessMode: must be ReadWriteMany"):
        samples.mirror(storage=OWN, registry=registry)
    shared = {"filesystem": {"size": "10Gi", "accessMode": "ReadWriteMany"}}
    assert samples.mirror(storage=shared, registry=registry).registry.most_replicas == 3
