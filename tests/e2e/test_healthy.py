"""A mirror from two commands: it serves, verify passes, and deploying it again changes nothing."""

from collections.abc import Callable

import pytest

from lab.target_cluster import TargetCluster
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.long_runs import only_in_long_runs
from tests.e2e.waiting import DEPENDS_ON_MACHINE

pytestmark = pytest.mark.lab


def test_verify_passes_after_a_deployment(mirror: DeployedMirror) -> None:
    outcome = mirror.verify()
    results = {check["id"]: check["result"] for check in outcome.document["checks"]}
    assert outcome.code == 0, outcome.stdout
    assert {name for name, result in results.items() if result != "success"} <= DEPENDS_ON_MACHINE, outcome.stdout


def test_pre_install_checks_pass_before_the_first_deployment(new_mirror: Callable[[], DeployedMirror]) -> None:
    fresh = new_mirror()
    before = fresh.verify("--pre")
    results = {check["id"]: check["result"] for check in before.document["checks"]}
    assert before.code == 0, before.stdout
    assert set(results.values()) == {"success"}, results
    assert fresh.verify("--check", "cluster-pods").code == 1


def test_verify_waits_for_pods(mirror: DeployedMirror) -> None:
    """Kubernetes replaces deleted pods; without --wait, their absence is a failure."""
    mirror.kubectl("delete", "pods", "--selector=app.kubernetes.io/instance=regmirror-redis", "--wait=false")
    outcome = mirror.verify("--category", "cache", "--wait", "10m")
    assert outcome.code == 0, outcome.stdout


def test_second_deploy_changes_nothing_and_restarts_nothing(mirror: DeployedMirror) -> None:
    before = mirror.pods()
    outcome = mirror.deploy("-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["changed"] is False
    assert mirror.pods() == before


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_both_majors_of_helm_deploy(target: TargetCluster, new_mirror: Callable[[], DeployedMirror], helm: str) -> None:
    if target.lab is None or not target.lab["helm3"]:
        pytest.skip("both major versions of Helm are only available in the lab, and Helm 3 requires npm")
    mirror = new_mirror()
    other = target.lab["helm4" if helm == "helm3" else "helm3"]
    first = mirror.deploy(REGMIRROR_HELM=target.lab[helm])
    assert first.code == 0, first.stderr
    again = mirror.deploy("-o", "json", REGMIRROR_HELM=other)
    assert again.document["changed"] is False, again.stderr


@only_in_long_runs
def test_a_changed_access_list_takes_effect_with_deploy(mirror: DeployedMirror) -> None:
    original = mirror.file.read_text()
    narrowed = original.replace("library/*", "library/nothing-else").replace("probeImage", "# probeImage")
    mirror.file.write_text(narrowed)
    try:
        assert mirror.deploy().code == 0
        pulled = mirror.verify("--image", mirror.target.allowed_image)
        failed = [check for check in pulled.document["checks"] if check["result"] == "error"]
        assert [check["id"] for check in failed] == ["token-grant"]
        assert "anonymousPull does not allow" in failed[0]["message"]
    finally:
        mirror.file.write_text(original)
        assert mirror.deploy().code == 0
    mirror.await_healthy()
