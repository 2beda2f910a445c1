"""The CronJob of the examples, as it is, in a Pod Security "restricted" namespace, with the Role that rbac prints."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.e2e.deployed_mirror import Deployment
from tests.e2e.python_image import import_python_image
from tests.e2e.rotations import put_expired_key, short_lived, signing_key

pytestmark = pytest.mark.lab

MANIFEST = Path(__file__).parents[2] / "examples" / "rotation" / "cronjob.yaml"
ACCOUNT = "regmirror-rotate-cert"
LONG = bool(os.environ.get("REGMIRROR_LONG"))


def test_the_cron_job_of_the_examples_rotates_what_is_due(
    new_deployment: Callable[[], Deployment], tmp_path: Path
) -> None:
    """In the short run nothing is due, and the Job says so: it has found Python, Helm, file, cluster and rights."""
    mirror = short_lived(new_deployment())
    if not mirror.setting.is_lab or mirror.setting.authority is None:
        pytest.skip("the lab alone makes images from files")
    if LONG:
        put_expired_key(mirror)
    assert mirror.deploy().code == 0
    before = signing_key(mirror)
    manifest = MANIFEST.read_text()
    (job,) = [found for found in yaml.safe_load_all(manifest) if found["kind"] == "CronJob"]
    image = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"]
    import_python_image(image, mirror.setting.authority, tmp_path)
    install(mirror, manifest)
    mirror.kubectl("create", "job", f"--from=cronjob/{ACCOUNT}", "now")
    mirror.kubectl("wait", "job/now", "--for=condition=Complete", "--timeout=380s")
    said = mirror.kubectl("logs", "job/now")
    assert ("New signing key:" in said) is LONG, said
    assert ("Not due before" in said) is not LONG, said
    assert (signing_key(mirror) != before) is LONG
    assert mirror.failures() == {}


def install(mirror: Deployment, manifest: str) -> None:
    """What docs/rotation.md has the operator do."""
    mirror.kubectl("create", "configmap", "regmirror-file", f"--from-file={mirror.file}")
    mirror.kubectl("create", "serviceaccount", ACCOUNT)
    mirror.kubectl("apply", "-f", "-", stdin=mirror.regmirror("rbac", "rotate-cert").output)
    account = f"--serviceaccount={mirror.namespace}:{ACCOUNT}"
    mirror.kubectl("create", "rolebinding", ACCOUNT, f"--role={ACCOUNT}", account)
    mirror.kubectl("apply", "-f", "-", stdin=manifest)
