"""A mirror without an Ingress controller: a Service on a port of the nodes, with TLS terminated by its own nginx."""

import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509

from regmirror.distribution.client import RegistryClient
from tests.e2e.attack import Move
from tests.e2e.attacker import in_another_process
from tests.e2e.bystander import pulling
from tests.e2e.deployed_mirror import DeployedMirror, Object, run
from tests.e2e.docker_hub import published
from tests.e2e.hostile_client import Victim
from tests.e2e.hostile_moves import idle_connections, slow_headers
from tests.e2e.load import Load
from tests.e2e.long_runs import only_in_long_runs
from tests.e2e.pod_resources import watched
from tests.e2e.pulls import SERVED, Puller
from tests.e2e.waiting import await_value
from tests.ports.web_server import write_certificate

pytestmark = pytest.mark.lab

PORT, OTHER_PORT = 30443, 30444
ATTACKER = "127.0.67.1"
RENEWED_WITHIN = 180.0
"""Seconds until the kubelet has brought a new version of a Secret to the pods."""


def expose(mirror: DeployedMirror, port: int, **service: object) -> None:
    """Write the file for a Service instead of the lab's Ingress controller."""
    mirror.change_file(port=port, ingress={"className": None, "service": {"type": "NodePort", **service}})


@pytest.fixture(scope="module")
def exposed(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A deployed mirror on a port of the node; every name of the lab resolves to the node."""
    made = new_mirror()
    if not made.target.is_lab:
        pytest.skip("nothing is known about the ports of other clusters' nodes")
    expose(made, PORT, externalTrafficPolicy="Local")
    outcome = made.regmirror("deploy")
    assert outcome.code == 0, outcome.stderr
    return made


def checks(mirror: DeployedMirror, *options: str) -> dict[str, Object]:
    """The results of verify, by check ID."""
    return {check["id"]: check for check in mirror.regmirror("verify", "-o", "json", *options).document["checks"]}


def test_it_is_healthy_at_the_address_that_clients_use(exposed: DeployedMirror) -> None:
    await_value(
        lambda: {key: check["message"] for key, check in checks(exposed).items() if check["result"] == "error"},
        lambda failed: failed == {},
    )
    found = checks(exposed)
    assert found["tls-address"]["message"] == f"port {PORT}, address from DNS"
    assert found["config-ingress"]["message"] == f"NodePort {PORT}"
    assert found["tls-redirect"]["result"] == "success"
    assert exposed.objects("ingress") == []
    assert exposed.regmirror("deploy", "-o", "json").document["changed"] is False


def test_crane_pulls(exposed: DeployedMirror, tmp_path: Path) -> None:
    words = ["crane", "pull", f"{exposed.endpoint}/library/big:1", "big.tar"]
    pulled = run(words, tmp_path, {"SSL_CERT_FILE": str(exposed.target.authority)})
    assert pulled.code == 0, pulled.stderr


def test_containerd_pulls_with_the_files_of_client_config(exposed: DeployedMirror, tmp_path: Path) -> None:
    words = ["client-config", "containerd", "--registry", "docker-hub=docker.io", "--output-dir", str(tmp_path)]
    assert exposed.regmirror(*words).code == 0
    hosts = tmp_path / "etc/containerd/certs.d"
    pull = ["images", "pull", "--local", "--hosts-dir", str(hosts), "docker.io/acme/tool:2"]
    pulled = run(["ctr", "--namespace", exposed.namespace, *pull], tmp_path, {})
    assert pulled.code == 0, pulled.stderr


def test_a_renewed_certificate_is_served_without_a_restart_and_no_pull_fails(
    exposed: DeployedMirror, tmp_path: Path
) -> None:
    pods = exposed.pods()
    old, new = (write_certificate(tmp_path / f"{name}.pem", exposed.host) for name in ("old", "new"))
    both = tmp_path / "ca.crt"
    both.write_text(old.read_text() + new.read_text() + Path(str(exposed.target.authority)).read_text())
    load = Load(exposed, authority=both)
    with load.running():
        for certificate in (old, new):
            replace_certificate(exposed, certificate)
            await_value(lambda: served(exposed), partial(is_certificate, certificate), RENEWED_WITHIN)
    assert load.failures == [], load.report()
    assert exposed.pods() == pods
    files = [f"--cert={exposed.target.certificate}", f"--key={exposed.target.key}"]
    apply_certificate(exposed, files)
    own = Path(str(exposed.target.certificate))
    await_value(lambda: served(exposed), partial(is_certificate, own), RENEWED_WITHIN)


def replace_certificate(mirror: DeployedMirror, both: Path) -> None:
    apply_certificate(mirror, [f"--cert={both}", f"--key={both}"])


def apply_certificate(mirror: DeployedMirror, files: list[str]) -> None:
    secret = mirror.kubectl("create", "secret", "tls", "regmirror-tls", *files, "--dry-run=client", "-o", "yaml")
    mirror.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=secret)


def served(mirror: DeployedMirror) -> bytes:
    """The certificate that the endpoint serves."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((mirror.host, PORT), timeout=30))


def is_certificate(file: Path, der: bytes) -> bool:
    return x509.load_der_x509_certificate(der) == x509.load_pem_x509_certificate(file.read_bytes())


@pytest.mark.parametrize(
    "move",
    [
        pytest.param(partial(slow_headers, clients=1500, seconds=15.0), id="slow headers"),
        pytest.param(partial(idle_connections, clients=3000, seconds=15.0), id="idle", marks=only_in_long_runs),
    ],
)
def test_a_hostile_client_does_not_stop_the_others(exposed: DeployedMirror, move: Move, tmp_path: Path) -> None:
    puller = Puller(exposed)
    image = puller.remember(published("library/pulled", tmp_path))
    victim = Victim(
        host=exposed.host,
        address=exposed.target.address,
        port=PORT,
        authority=exposed.target.authority,
        source=ATTACKER,
        repository=image.repository,
        token="",
        manifest=image.manifest,
        layer=image.layer,
    )
    with watched(exposed) as resources, pulling(puller, image) as others:
        in_another_process(move, victim)
    assert set(others.answers) == {SERVED}, others.answers
    assert resources.problems() == []


def test_requests_reach_a_service_that_was_created_again(exposed: DeployedMirror) -> None:
    """It has another address."""
    exposed.kubectl("delete", "service", "regmirror-auth")
    assert exposed.regmirror("deploy").code == 0
    client = RegistryClient(Load(exposed).http(), f"https://{exposed.endpoint}")
    assert client.pull_token("library/demo")


def test_another_mirror_cannot_have_the_same_port(
    exposed: DeployedMirror, new_mirror: Callable[[], DeployedMirror]
) -> None:
    other = new_mirror()
    expose(other, PORT)
    outcome = other.regmirror("deploy")
    assert outcome.code == 2, outcome.stderr
    assert f"already used by the Service regmirror-ingress in namespace {exposed.namespace}" in " ".join(
        outcome.stderr.split()
    )
    expose(other, 20443)
    outcome = other.regmirror("deploy")
    assert outcome.code == 3, outcome.stderr
    assert "20443, outside of the default range 30000-32767" in outcome.stderr
    assert "--service-node-port-range" in outcome.stderr


def test_verify_does_not_call_a_mirror_healthy_that_clients_reach_at_another_port(exposed: DeployedMirror) -> None:
    """The file says 443, where nothing routes to the mirror; --resolve reaches its port of the node all the same."""
    content = exposed.file.read_text()
    expose(exposed, 443, nodePort=PORT)
    try:
        outcome = exposed.regmirror("verify", "--resolve", f"{exposed.host}:443:{exposed.target.address}:{PORT}")
    finally:
        exposed.file.write_text(content)
    assert outcome.code == 1
    assert "clients of" in outcome.stdout
    assert f"connect to port 443, but --resolve made the checks use port {PORT}" in " ".join(outcome.stdout.split())


def test_a_load_balancer_without_an_address_is_reported(exposed: DeployedMirror) -> None:
    """The lab has no load balancers. The type of a Service changes without interrupting pulls."""
    exposed.change_file(ingress={"className": None, "service": {"type": "LoadBalancer", "nodePort": PORT}})
    outcome = exposed.regmirror("deploy")
    assert outcome.code == 0, outcome.stderr
    found = checks(exposed, "--category", "config")["config-ingress"]
    assert (found["result"], "has no address" in found["message"]) == ("error", True)
