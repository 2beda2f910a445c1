"""Every source of the public certificate: a shared Secret, cert-manager, and a private CA of the mirror."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror, Outcome, run
from tests.e2e.long_runs import only_in_long_runs

pytestmark = pytest.mark.lab


@pytest.fixture
def mirror(new_mirror: Callable[[], DeployedMirror]) -> Iterator[DeployedMirror]:
    """A mirror that is not deployed yet; the wildcard certificate of the lab is in the Secret regmirror-tls."""
    mirror = new_mirror()
    if mirror.target.lab is None:
        pytest.skip("only the lab is known to have cert-manager and a wildcard certificate")
    yield mirror
    mirror.remove()


def succeeded(outcome: Outcome) -> Outcome:
    assert outcome.code == 0, outcome.stderr + outcome.stdout
    return outcome


def deployed_and_stable(mirror: DeployedMirror, *options: str) -> None:
    """Deploy and verify; a second deployment changes nothing."""
    succeeded(mirror.deploy(*options))
    succeeded(mirror.verify(*options))
    assert succeeded(mirror.deploy("-o", "json", *options)).document["changed"] is False
    succeeded(mirror.regmirror("diff"))


def with_issuer(mirror: DeployedMirror, **issuer: Any) -> None:
    mirror.change_file(ingress={"tlsSecret": "issued-tls", "issuer": issuer})


def certificate(mirror: DeployedMirror) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(mirror.kubectl("get", "certificate", "issued-tls", "-o", "json"))
    return found


@only_in_long_runs
def test_one_wildcard_secret_serves_several_hosts(mirror: DeployedMirror) -> None:
    content = yaml.safe_load(mirror.file.read_text())
    (first,) = content["upstreams"]
    second = {**first, "name": "second", "host": f"{mirror.namespace}-second.{mirror.target.domain}"}
    mirror.change_file(upstreams=[first, second])
    resolve = mirror.target.resolve(second["host"])
    refused = mirror.deploy(*resolve)
    assert refused.code == 2
    message = " ".join(refused.stderr.split())
    assert "ingress.tlsSecret: namespace" in message
    assert "set upstreams[1].tlsSecret: regmirror-tls" in message
    mirror.change_file(upstreams=[first, {**second, "tlsSecret": "regmirror-tls"}])
    deployed_and_stable(mirror, *resolve)


def test_cert_manager_issues_the_certificate_and_its_reason_is_shown_until_then(mirror: DeployedMirror) -> None:
    assert mirror.target.lab is not None
    with_issuer(mirror, name=mirror.target.lab["cluster_issuer"])
    deployed_and_stable(mirror)
    assert certificate(mirror)["spec"]["dnsNames"] == [mirror.host]

    broken = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Issuer",
        "metadata": {"name": "broken"},
        "spec": {"ca": {"secretName": "no-such-secret"}},
    }
    mirror.kubectl("apply", "-f", "-", stdin=json.dumps(broken))
    with_issuer(mirror, name="broken", kind="Issuer")
    refused = mirror.deploy("--timeout", "40s", "-o", "json")
    assert refused.code == 124, refused.stderr
    assert "certificate issued-tls" in refused.document["error"]["message"]
    assert "no-such-secret" in refused.document["error"]["message"]
    assert "no-such-secret" in mirror.failures()["tls-issued"]

    mirror.change_file(ingress={"tlsSecret": "regmirror-tls", "issuer": None})
    succeeded(mirror.deploy("--prune"))
    assert mirror.objects("certificate") == []


@only_in_long_runs
def test_a_certificate_of_an_annotated_ingress_is_taken_over(mirror: DeployedMirror) -> None:
    """Annotations that name an issuer count as one; ingress.issuer then continues with the same Certificate."""
    assert mirror.target.lab is not None
    issuer = mirror.target.lab["cluster_issuer"]
    annotations = {"cert-manager.io/cluster-issuer": issuer}
    mirror.change_file(ingress={"tlsSecret": "issued-tls", "annotations": annotations})
    deployed_and_stable(mirror)
    before = certificate(mirror)
    assert before["metadata"]["ownerReferences"][0]["kind"] == "Ingress"
    secret = mirror.kubectl("get", "secret", "issued-tls", "-o", "jsonpath={.data}")

    mirror.change_file(ingress={"tlsSecret": "issued-tls", "annotations": {}, "issuer": {"name": issuer}})
    deployed_and_stable(mirror)
    after = certificate(mirror)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "ownerReferences" not in after["metadata"]
    assert mirror.kubectl("get", "secret", "issued-tls", "-o", "jsonpath={.data}") == secret


def test_a_self_signed_mirror_needs_no_ca_file(mirror: DeployedMirror, tmp_path: Path) -> None:
    del mirror.environment["REGMIRROR_CA_FILE"]
    mirror.change_file(ingress={"selfSigned": True})
    refused = mirror.deploy()
    assert refused.code == 2
    assert "the Secret regmirror-tls is not one that deploy created" in " ".join(refused.stderr.split())

    mirror.change_file(ingress={"tlsSecret": "own-tls"})
    deployed_and_stable(mirror)
    secret = json.loads(mirror.kubectl("get", "secret", "own-tls", "-o", "json"))
    assert sorted(secret["data"]) == ["ca.crt", "tls.crt", "tls.key"]
    authority = base64.b64decode(secret["data"]["ca.crt"])

    succeeded(mirror.regmirror("client-config", "containerd", "--output-dir", str(tmp_path)))
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == authority]
    # One for images with the upstream's name, one for those with the mirror's own.
    (written,) = [path for path in files if path.parent.name == mirror.host]
    assert len(files) == 2
    words = ["crane", "pull", f"{mirror.host}/{mirror.target.allowed_image}", str(tmp_path / "image.tar")]
    succeeded(run(words, mirror.directory, {"SSL_CERT_FILE": str(written)}))

    rendered = mirror.regmirror("render")
    assert rendered.code == 2
    assert "ingress.selfSigned" in rendered.stderr
    succeeded(mirror.regmirror("destroy", "--yes"))
    assert {found["metadata"]["name"] for found in mirror.objects("secret")} == {"regmirror-tls"}
