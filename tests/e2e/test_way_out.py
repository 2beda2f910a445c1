"""A cluster whose only way out is an HTTP proxy, a store and an upstream with a private CA, and a renewed password."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from lab import addresses
from tests.e2e.company_network import Authority, CompanyProxy, CompanyRegistry
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.s3_proxy import S3Proxy
from tests.e2e.waiting import await_value

pytestmark = pytest.mark.lab

JOB = Path(__file__).parents[2] / "examples" / "credentials" / "ecr.yaml"
UPSTREAM = "registry.company.test"
"""A name that nobody but the proxy resolves."""
_PROGRAM = "/etc/regmirror/helper/docker-credential-regmirror"
HELPER = ["exec", "deployment/regmirror-company", "-c", "registry", "--", _PROGRAM, "get"]


@dataclass
class Company:
    """The parts of the network, and the mirror in it."""

    mirror: DeployedMirror
    registry: CompanyRegistry
    proxy: CompanyProxy
    ca_file: Path


@pytest.fixture(scope="module")
def company(new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    mirror, directory = new_mirror(), tmp_path_factory.mktemp("company")
    lab = mirror.target.lab
    if lab is None:
        pytest.skip("only the lab has a network in which a test can be a server")
    authority, address = Authority(), lab["address"]
    ca_file = mirror.directory / "company-ca.pem"
    ca_file.write_bytes(authority.pem)
    registry_tls, store_tls = authority.context(UPSTREAM, directory), authority.context(addresses.S3_HOST, directory)
    registry = CompanyRegistry(addresses.HUB_STORAGE, registry_tls, ("AWS", "first-password"))
    store = S3Proxy(address, lab["s3"]["endpoint"], tls=store_tls)
    with registry.serving(address), store.serving():
        proxy = CompanyProxy({f"{UPSTREAM}:443": (address, registry.port)}, ("e2e", "pass/word"))
        with proxy.serving(address):
            mirror.environment["PROXY_URL"] = f"http://e2e:pass%2Fword@{addresses.HUB_HOST}:{proxy.port}"
            mirror.kubectl("apply", "-f", str(JOB))
            renew(mirror, "first-password", directory)
            mirror.change_file(
                storage={"endpoint": f"https://{addresses.S3_HOST}:{store.port}", "insecure": False},
                egress={"httpsProxy": {"env": "PROXY_URL"}},
                upstreams=[
                    {
                        "name": "company",
                        "url": f"https://{UPSTREAM}",
                        "anonymousPull": ["library/*"],
                        "probeImage": mirror.target.allowed_image,
                        "credentials": {
                            key: {"secret": {"name": "ecr-account", "key": key}} for key in ("username", "password")
                        },
                    }
                ],
            )
            yield Company(mirror, registry, proxy, ca_file)


def renew(mirror: DeployedMirror, password: str, directory: Path) -> None:
    """Run the command of the CronJob of the examples with its ServiceAccount; only ``aws`` is not the real program."""
    (job,) = [found for found in yaml.safe_load_all(JOB.read_text()) if found["kind"] == "CronJob"]
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    *shell, script = pod["containers"][0]["command"]
    token = mirror.kubectl("create", "token", pod["serviceAccountName"]).strip()
    config = json.loads(mirror.kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    config["users"] = [{"name": "job", "user": {"token": token}}]
    config["contexts"][0]["context"] |= {"user": "job", "namespace": mirror.namespace}
    (directory / "kubeconfig").write_text(json.dumps(config))
    (directory / "answer").write_text(password)
    aws = directory / "aws"
    aws.write_text(f"#!/bin/sh\ncat {directory}/answer\n")
    aws.chmod(0o755)
    environment = {"PATH": f"{directory}:{os.environ['PATH']}", "KUBECONFIG": str(directory / "kubeconfig")}
    words = [*shell, script.replace("cd /tmp", f"cd {directory}")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def trust(mirror: DeployedMirror) -> None:
    """Name the CA of the store and of the upstream."""
    content = mirror.file.read_text()
    assert "caBundle" not in content
    mirror.kubectl("create", "configmap", "company-ca", f"--from-file=ca.crt={mirror.directory / 'company-ca.pem'}")
    mirror.change_file(storage={"caBundle": {"file": "company-ca.pem"}})
    mirror.change_upstream(caBundle={"configMap": {"name": "company-ca"}})


def test_what_lacks_the_ca_is_named_with_its_key_before_anything_is_deployed(company: Company) -> None:
    refused = company.mirror.deploy(AWS_CA_BUNDLE=str(company.ca_file))
    assert refused.code == 1
    assert "set storage.caBundle; AWS_CA_BUNDLE of this machine is not used" in " ".join(refused.stderr.split())
    checks = company.mirror.regmirror("verify", "--pre", "-o", "json").document["checks"]
    failed = {check["id"]: check for check in checks if check["result"] == "error"}
    assert "set storage.caBundle" in failed["storage-key"]["hint"]
    assert "set caBundle of the upstream company" in failed["upstream-access"]["hint"]


def test_a_registry_that_does_not_trust_the_store_says_so(company: Company) -> None:
    """A store that only pods can reach is not asked by deploy: then the log of the registry names the cause."""
    outcome = company.mirror.deploy("--skip-bucket", "--timeout", "1m")
    message = " ".join(outcome.stderr.split())
    assert outcome.code != 0
    assert "x509: certificate signed by unknown authority" in message
    assert "for a private CA, set storage.caBundle or upstreams[].caBundle" in message


def test_a_mirror_is_deployed_and_healthy(company: Company) -> None:
    trust(company.mirror)
    outcome = company.mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    assert "pass%2Fword" not in outcome.stderr
    assert company.mirror.failures() == {}
    again = company.mirror.deploy("-o", "json")
    assert again.document["changed"] is False


def test_only_the_upstream_is_reached_through_the_proxy(company: Company) -> None:
    assert set(company.proxy.targets) == {f"{UPSTREAM}:443"}


def test_the_password_of_the_proxy_is_in_no_specification(company: Company) -> None:
    for kind in ("deployments", "configmaps", "pods"):
        assert "pass%2Fword" not in company.mirror.kubectl("get", kind, "-o", "json")


def test_a_refused_account_is_found_by_the_next_verify_and_a_renewed_secret_needs_no_deploy(
    company: Company, tmp_path: Path
) -> None:
    mirror, pods = company.mirror, company.mirror.pods()
    company.registry.account = ("AWS", 'next"\\password')
    assert "refuses the mirror's credentials (401)" in mirror.failures()["upstream-credentials"]
    renew(mirror, company.registry.account[1], tmp_path)
    assert "upstream-credentials" not in mirror.failures()

    def helper_password() -> str:
        return str(json.loads(mirror.kubectl(*HELPER))["Secret"])

    await_value(helper_password, lambda password: password == company.registry.account[1])
    assert mirror.pods() == pods
    assert mirror.deploy("-o", "json").document["changed"] is False


def test_another_ca_replaces_the_pods_of_the_registry_only(company: Company) -> None:
    mirror = company.mirror
    before = mirror.pods("-l", "app.kubernetes.io/name!=registry")
    (mirror.directory / "company-ca.pem").write_bytes(company.ca_file.read_bytes() + Authority().pem)
    outcome = mirror.deploy("-o", "json")
    assert outcome.code == 0, outcome.stderr
    changed = {step["name"] for step in outcome.document["steps"] if step["changed"]}
    assert changed == {"secrets", "regmirror-company"}
    assert mirror.pods("-l", "app.kubernetes.io/name!=registry") == before
    assert urlsplit(mirror.environment["PROXY_URL"]).password == "pass%2Fword"


def test_a_token_service_on_another_domain_is_named(company: Company) -> None:
    """The registry ignores it: the same request that worked with the challenge before is a 404 now.

    The last test, because the registry needs minutes to recover.
    """
    company.registry.challenge = 'Bearer realm="https://tokens.other.test/token",service="company"'
    found = company.mirror.failures()
    expected = f"the token service of {UPSTREAM} is tokens.other.test, on another domain, which the registry refuses"
    assert expected in found["upstream-credentials"]
    assert not {"upstream-reachable", "registry-manifest"} & found.keys()
