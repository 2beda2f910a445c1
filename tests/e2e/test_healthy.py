"""A whole mirror from two commands: it serves, it is proven, and deploying it again touches nothing."""

from collections.abc import Callable

import pytest

from lab.setting import Setting
from tests.e2e.deployed_mirror import Deployment

pytestmark = pytest.mark.lab


def test_verify_proves_a_fresh_deployment(mirror: Deployment) -> None:
    outcome = mirror.verify()
    results = {check["id"]: check["result"] for check in outcome.document["checks"]}
    assert outcome.code == 0, outcome.output
    assert set(results.values()) == {"success"}, results


def test_verify_says_before_the_first_deploy_that_it_can_be_made(new_deployment: Callable[[], Deployment]) -> None:
    fresh = new_deployment()
    before = fresh.verify("--pre")
    results = {check["id"]: check["result"] for check in before.document["checks"]}
    assert before.code == 0, before.output
    assert set(results.values()) == {"success"}, results
    assert fresh.verify("--check", "cluster-pods").code == 1


def test_verify_waits_for_what_is_on_its_way(mirror: Deployment) -> None:
    """The pods come back by themselves; without patience their absence is a failure."""
    mirror.kubectl("delete", "pods", "--selector=app.kubernetes.io/instance=regmirror-redis", "--wait=false")
    outcome = mirror.verify("--category", "cache", "--wait", "60s")
    assert outcome.code == 0, outcome.output


def test_second_deploy_changes_nothing_and_restarts_nothing(mirror: Deployment) -> None:
    before = mirror.pods()
    outcome = mirror.deploy("-o", "json")
    assert outcome.code == 0, outcome.words
    assert outcome.document["changed"] is False
    assert mirror.pods() == before


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_both_majors_of_helm_deploy(setting: Setting, new_deployment: Callable[[], Deployment], helm: str) -> None:
    if setting.lab is None or not setting.lab["helm3"]:
        pytest.skip("both majors of Helm are at hand in the lab only, and Helm 3 only where npm is installed")
    deployment = new_deployment()
    other = setting.lab["helm4" if helm == "helm3" else "helm3"]
    first = deployment.deploy(REGMIRROR_HELM=setting.lab[helm])
    assert first.code == 0, first.words
    again = deployment.deploy("-o", "json", REGMIRROR_HELM=other)
    assert again.document["changed"] is False, again.words


def test_changed_list_takes_effect_by_deploy(mirror: Deployment) -> None:
    original = mirror.file.read_text()
    narrowed = original.replace("library/*", "library/nothing-else").replace("probeImage", "# probeImage")
    mirror.file.write_text(narrowed)
    try:
        assert mirror.deploy().code == 0
        pulled = mirror.verify("--image", mirror.setting.allowed_image)
        failed = [check for check in pulled.document["checks"] if check["result"] == "error"]
        assert [check["id"] for check in failed] == ["token-grant"]
        assert "is not allowed by anonymousPull" in failed[0]["message"]
    finally:
        mirror.file.write_text(original)
        assert mirror.deploy().code == 0
    assert mirror.failures() == {}
