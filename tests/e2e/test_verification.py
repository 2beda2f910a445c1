"""The CronJobs of the section ``verification``, run by hand in a Pod Security "restricted" namespace."""

import json
from collections.abc import Callable

import pytest

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.load import Load
from tests.e2e.long_runs import LONG
from tests.e2e.rotations import put_expired_key, short_lived, signing_key
from tests.e2e.tool_image import import_tool_image
from tests.e2e.waiting import await_value

pytestmark = pytest.mark.lab

OF_JOBS = "configmaps,cronjobs,jobs,roles,rolebindings,serviceaccounts"


@pytest.fixture(scope="module")
def verified(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror with both jobs; in the long run its key is due."""
    mirror = short_lived(new_mirror())
    if not mirror.target.is_lab or mirror.target.authority is None:
        pytest.skip("only the lab builds images from files")
    if LONG:
        put_expired_key(mirror)
    mirror.kubectl("create", "configmap", "company-ca", f"--from-file=ca.crt={mirror.target.authority}")
    mirror.change_file(verification={"caBundle": {"configMap": {"name": "company-ca"}}, "rotation": {}})
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    import_tool_image()
    return mirror


def run_job(mirror: DeployedMirror, cron_job: str, name: str, wait: str = "5m") -> tuple[str, str]:
    """Run the job of a CronJob to its end; returns its condition and its log."""
    made = mirror.kubectl("create", "job", f"--from=cronjob/{cron_job}", name, "--dry-run=client", "-o", "json")
    mirror.kubectl("apply", "-f", "-", stdin=made.replace("--wait=5m", f"--wait={wait}"))
    words = ("get", f"job/{name}", "-o=jsonpath={.status.conditions[*].type}")
    ended = await_value(lambda: mirror.kubectl(*words), lambda types: "Complete" in types or "Failed" in types)
    return ("Complete" if "Complete" in ended else "Failed"), mirror.kubectl("logs", f"job/{name}")


def metrics(mirror: DeployedMirror) -> list[str]:
    """The lines of the published metrics."""
    found = json.loads(mirror.kubectl("get", "configmap", "regmirror-verification-result", "-o", "json"))
    lines: list[str] = found["data"]["verification.prom"].splitlines()
    return lines


def failing(mirror: DeployedMirror) -> list[str]:
    """The published results of checks that fail."""
    return [line for line in metrics(mirror) if line.startswith("regmirror_check_result") and 'result="error"' in line]


def test_the_job_verifies_the_mirror_and_publishes_the_results(verified: DeployedMirror) -> None:
    ended, log = run_job(verified, "regmirror-verification", "verify-1")
    assert ended == "Complete", log
    labels = 'check="token-accepted",category="token",upstream="docker-hub",result="success"'
    assert f"regmirror_check_result{{{labels}}} 1" in metrics(verified)
    names = {line.split("{")[0].split(" ")[0] for line in metrics(verified) if not line.startswith("#")}
    assert names == {
        "regmirror_check_result",
        "regmirror_verification_timestamp_seconds",
        "regmirror_verification_duration_seconds",
        "regmirror_certificate_not_after_timestamp_seconds",
        "regmirror_certificate_not_before_timestamp_seconds",
    }
    assert failing(verified) == []


def test_a_second_deploy_finds_nothing_to_change(verified: DeployedMirror) -> None:
    diff = verified.regmirror("diff", "-o", "json")
    assert diff.code == 0, diff.stdout


def test_a_fault_is_published_with_the_check_that_fails(verified: DeployedMirror) -> None:
    verified.kubectl("delete", "ingress", "--all")
    ended, log = run_job(verified, "regmirror-verification", "verify-2", wait="1s")
    assert ended == "Failed", log
    assert [line for line in failing(verified) if 'check="config-ingress"' in line], failing(verified)
    assert verified.deploy().code == 0


def test_a_key_that_is_due_is_replaced_without_a_failed_pull(verified: DeployedMirror) -> None:
    """In the short run no key is due, and the job reports that: image, Helm, file, cluster and Role work."""
    before = signing_key(verified)
    if not LONG:
        ended, log = run_job(verified, "regmirror-rotation", "rotate-1")
        assert ended == "Complete", log
        assert "Not due before" in log
        assert signing_key(verified) == before
        return
    with Load(verified).running() as load:
        ended, log = run_job(verified, "regmirror-rotation", "rotate-1")
    assert ended == "Complete", log
    assert "New signing key:" in log
    assert signing_key(verified) != before
    assert load.failures == [], load.report()


def test_destroy_leaves_nothing_of_the_jobs(verified: DeployedMirror) -> None:
    outcome = verified.regmirror("destroy", "--yes")
    assert outcome.code == 0, outcome.stderr

    def left() -> list[str]:
        found = verified.kubectl("get", OF_JOBS, "-o=name").split()
        return [name for name in found if "regmirror-" in name or "verify-" in name or "rotate-" in name]

    await_value(left, lambda names: names == [])
