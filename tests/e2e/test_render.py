"""A mirror from rendered manifests: Secrets filled with the script, applied with kubectl, and verified."""

import os
import subprocess
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from regmirror.adapters.object_store import S3ObjectStore
from regmirror.desired.mirror_secrets import Account
from tests import samples
from tests.e2e.deployed_mirror import SECONDS, DeployedMirror

pytestmark = pytest.mark.lab


def fill_secrets(mirror: DeployedMirror) -> str:
    """Apply the output of the rendered script, as the rendered README describes."""
    words = ["sh", "out/fill-secrets.sh"]
    environment = {**os.environ, **mirror.environment, "KUBECONFIG": os.environ["KUBECONFIG"]}
    done = subprocess.run(
        words, cwd=mirror.directory, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    apply = ["apply", "--server-side", "--field-manager=regmirror", "--force-conflicts", "-f", "-"]
    return mirror.kubectl(*apply, stdin=done.stdout)


def create_bucket(mirror: DeployedMirror) -> None:
    """Create the bucket, as the owner of the object store would."""
    key = Account(*(SecretStr(mirror.environment[f"AWS_{name}"]) for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")))
    S3ObjectStore(samples.read_mirror(mirror.file).storage, key).create_bucket()


def test_rendered_manifests_serve_when_their_secrets_are_filled(new_mirror: Callable[[], DeployedMirror]) -> None:
    mirror = new_mirror()
    create_bucket(mirror)
    rendered = mirror.regmirror("render", "--output-dir", "out")
    assert rendered.code == 0, rendered.stderr
    # The script must keep an existing key.
    key, certificate = mirror.directory / "tls.key", mirror.directory / "tls.crt"
    made = f"openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj /CN=regmirror -keyout {key} -out {certificate}"
    subprocess.run(made.split(), capture_output=True, check=True)
    mirror.kubectl("create", "secret", "tls", "regmirror-signing", f"--cert={certificate}", f"--key={key}")
    fill_secrets(mirror)
    mirror.kubectl("apply", "-k", str(mirror.directory / "out"))
    outcome = mirror.verify("--wait", "10m")
    results = {check["id"]: check["result"] for check in outcome.document["checks"]}
    assert outcome.code == 0, outcome.stdout
    assert set(results.values()) == {"success"}, results
    pods, secrets = mirror.pods(), versions(mirror)
    fill_secrets(mirror)
    mirror.kubectl("apply", "-k", str(mirror.directory / "out"))
    assert (mirror.pods(), versions(mirror)) == (pods, secrets)
    for words in (["deploy"], ["destroy", "--yes"], ["rotate-cert", "--force"]):
        refused = mirror.regmirror(*words)
        assert (refused.code, "Error RM104" in refused.stderr) == (2, True), refused.stderr
    assert (mirror.pods(), versions(mirror)) == (pods, secrets)


def versions(mirror: DeployedMirror) -> dict[str, str]:
    """The resource versions of the Secrets."""
    return {found["metadata"]["name"]: found["metadata"]["resourceVersion"] for found in mirror.objects("secrets")}
