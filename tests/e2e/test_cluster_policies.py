"""A mirror in clusters that assign user IDs, give roles to ServiceAccounts, limit resources, or scale pods."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.admission_policies import LOWEST_ID, assign_ids, give_role, remove_policies
from tests.e2e.deployed_mirror import DeployedMirror, Object
from tests.e2e.inject import bucket_client
from tests.e2e.waiting import await_value

pytestmark = pytest.mark.lab

REGISTRY = "regmirror-docker-hub"


@pytest.fixture
def mirror_with_policies(new_mirror: Callable[[], DeployedMirror]) -> Iterator[DeployedMirror]:
    """A mirror that is not deployed; the policies of its namespace are removed at the end."""
    mirror = new_mirror()
    yield mirror
    remove_policies(mirror)
    mirror.remove()


def components(mirror: DeployedMirror) -> list[str]:
    """The names of the objects that regmirror manages."""
    return [found["metadata"]["name"] for found in mirror.objects("secrets,deployments", "-l", "!e2e")]


def env_of(pod: Object, container: str) -> dict[str, str]:
    """The variables of a container."""
    (found,) = [each for each in pod["spec"]["containers"] if each["name"] == container]
    return {variable["name"]: variable.get("value", "") for variable in found.get("env", [])}


def test_a_cluster_that_assigns_user_ids(mirror_with_policies: DeployedMirror) -> None:
    mirror = mirror_with_policies
    assign_ids(mirror)
    before = components(mirror)
    outcome = mirror.deploy("-o", "json")
    assert (outcome.code, outcome.document["error"]["code"]) == (1, "RM206"), outcome.stderr
    assert "must be in the range of the namespace" in outcome.document["error"]["message"]
    assert "set podSecurity: assigned" in outcome.document["error"]["hint"]
    assert components(mirror) == before
    mirror.change_file(podSecurity="assigned")
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    assert {pod["spec"]["securityContext"]["runAsUser"] for pod in mirror.objects("pods")} == {LOWEST_ID}
    # verify pulls an image, too.
    mirror.await_healthy()
    assert mirror.regmirror("diff").code == 0


def test_a_role_of_the_registrys_service_account_alone(mirror_with_policies: DeployedMirror) -> None:
    """The pods get the key as a cloud provider would inject it; the machine that deploys has none."""
    mirror = mirror_with_policies
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    key = {name: mirror.environment[name] for name in names}
    assert mirror.init("--cloud-role").code == 0
    mirror.change_file(registry={"serviceAccount": "mirror-s3"})
    bucket_client(mirror).create_bucket(Bucket=mirror.environment["S3_BUCKET"])
    without_key = dict.fromkeys(names, "") | {"AWS_EC2_METADATA_DISABLED": "true"}
    outcome = mirror.deploy("-o", "json", **without_key)
    assert outcome.code == 2, outcome.stderr
    assert f"namespace {mirror.namespace} has no ServiceAccount mirror-s3" in outcome.document["error"]["message"]
    mirror.kubectl("create", "serviceaccount", "mirror-s3")
    give_role(mirror, "mirror-s3", "registry", {**key, "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/mirror"})
    outcome = mirror.deploy(**without_key)
    assert outcome.code == 0, outcome.stderr
    for pod in mirror.objects("pods"):
        is_registry = pod["metadata"]["labels"]["app.kubernetes.io/instance"] == REGISTRY
        roles = {each["name"] for each in pod["spec"]["containers"] if "AWS_ROLE_ARN" in env_of(pod, each["name"])}
        assert roles == ({"registry"} if is_registry else set())
        assert not [volume for volume in pod["spec"]["volumes"] if "projected" in volume]
    verified = mirror.regmirror("verify", "-o", "json", *mirror.target.resolve(mirror.host), **without_key).document
    results = {check["id"]: check for check in verified["checks"]}
    assert [check for check in verified["checks"] if check["result"] == "error"] == []
    assert "by the cloud role of 1 pod" in results["storage-bucket"]["message"]


def test_the_autoscaler_sets_the_number_of_pods_and_nothing_fights_it(new_mirror: Callable[[], DeployedMirror]) -> None:
    mirror = new_mirror()
    mirror.change_file(registry={"ttl": "0", "autoscaling": {"minReplicas": 2, "maxReplicas": 3}})
    assert mirror.deploy().code == 0
    # Without metrics, an autoscaler still keeps to its range.
    await_value(lambda: replicas(mirror), lambda count: count == 2)
    mirror.kubectl("patch", "hpa", REGISTRY, "--type=merge", "-p", '{"spec": {"minReplicas": 3}}')
    await_value(lambda: replicas(mirror), lambda count: count == 3)
    mirror.await_healthy()
    assert mirror.regmirror("diff").code == 1
    assert mirror.deploy().code == 0
    assert replicas(mirror) == 3
    assert mirror.regmirror("diff").code == 0
    mirror.remove()


def replicas(mirror: DeployedMirror) -> int:
    """The number of pods that the registry's Deployment wants."""
    return int(mirror.kubectl("get", "deployment", REGISTRY, "-o", "jsonpath={.spec.replicas}"))


def test_two_mirrors_in_one_cluster(new_mirror: Callable[[], DeployedMirror]) -> None:
    mirrors = [new_mirror(), new_mirror()]
    for mirror in mirrors:
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.stderr
    for mirror in mirrors:
        mirror.await_healthy()
        assert mirror.regmirror("diff").code == 0
