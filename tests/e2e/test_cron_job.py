"""The unchanged CronJob of the examples, in a Pod Security "restricted" namespace, with the Role that rbac prints."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.python_image import import_python_image
from tests.e2e.rotations import put_expired_key, short_lived, signing_key
from tests.e2e.waiting import await_value

pytestmark = pytest.mark.lab

MANIFEST = Path(__file__).parents[2] / "examples" / "rotation" / "cronjob.yaml"
ACCOUNT = "regmirror-rotate-cert"
LONG = bool(os.environ.get("REGMIRROR_LONG"))


def test_the_cron_job_of_the_examples_rotates_a_key_that_is_due(
    new_mirror: Callable[[], DeployedMirror], tmp_path: Path
) -> None:
    """In the short run, no rotation is due, and the Job reports that: Python, Helm, file, cluster and Role work."""
    mirror = short_lived(new_mirror())
    if not mirror.target.is_lab or mirror.target.authority is None:
        pytest.skip("only the lab builds images from files")
    if LONG:
        put_expired_key(mirror)
    assert mirror.deploy().code == 0
    before = signing_key(mirror)
    manifest = MANIFEST.read_text()
    (job,) = [found for found in yaml.safe_load_all(manifest) if found["kind"] == "CronJob"]
    image = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"]
    import_python_image(image, mirror.target.authority, tmp_path)
    install(mirror, manifest)
    mirror.kubectl("create", "job", f"--from=cronjob/{ACCOUNT}", "now")
    ended = ("get", "job/now", "-o=jsonpath={.status.conditions[*].type}")
    conditions = await_value(lambda: mirror.kubectl(*ended), lambda types: "Complete" in types or "Failed" in types)
    log = mirror.kubectl("logs", "job/now")
    assert "Complete" in conditions, log
    assert ("New signing key:" in log) is LONG, log
    assert ("Not due before" in log) is not LONG, log
    assert (signing_key(mirror) != before) is LONG
    mirror.await_healthy()


def install(mirror: DeployedMirror, manifest: str) -> None:
    """The steps of the documentation for operators."""
    mirror.kubectl("create", "configmap", "regmirror-file", f"--from-file={mirror.file}")
    mirror.kubectl("create", "serviceaccount", ACCOUNT)
    mirror.kubectl("apply", "-f", "-", stdin=mirror.regmirror("rbac", "rotate-cert").stdout)
    account = f"--serviceaccount={mirror.namespace}:{ACCOUNT}"
    mirror.kubectl("create", "rolebinding", ACCOUNT, f"--role={ACCOUNT}", account)
    mirror.kubectl("apply", "-f", "-", stdin=manifest)
