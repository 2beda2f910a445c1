"""People sign in at a stand-in of GitHub with a browser, and pull with the login that the page shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab import addresses
from tests.contract.browser import Browser, browsing
from tests.contract.sign_in_provider import CLIENT_ID, Person, Provider, serving
from tests.e2e.company_network import Authority
from tests.e2e.crane_user import CraneUser, sign_in_page
from tests.e2e.deployed_mirror import DeployedMirror, Outcome, run

pytestmark = pytest.mark.lab

CLIENT_SECRET = "e2e-client-secret-canary"
TEAM_IMAGE, OPEN_IMAGE = "acme/tool:1", "library/demo:1"


@dataclass
class Company:
    """A mirror at which the members of an organization sign in."""

    mirror: DeployedMirror
    provider: Provider

    def pull(self, home: Path, image: str) -> Outcome:
        """Pull an image with the login of one person."""
        return CraneUser(self.mirror, home).pull(image)


@pytest.fixture(scope="module")
def company(new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    mirror = new_mirror()
    lab = mirror.target.lab
    if lab is None:
        pytest.skip("only the lab has a network in which a test can be a server")
    if lab["auth_is_stand_in"]:
        pytest.skip(
            "nobody can sign in at the stand-in of docker_auth: set LAB_DOCKER_AUTH to the path of the real one"
        )
    authority = Authority()
    (mirror.directory / "company-ca.pem").write_bytes(authority.pem)
    people = [Person("alice", ["acme"], ["platform"], ["platform"]), Person("bob", ["acme"]), Person("mallory")]
    provider = Provider({person.name: person for person in people}, CLIENT_SECRET, host=addresses.HUB_HOST)
    provider.callback = f"https://{mirror.host}/github_auth"
    tls = authority.context(addresses.HUB_HOST, tmp_path_factory.mktemp("provider"))
    with serving(provider, tls, lab["address"]):
        client = {"clientId": CLIENT_ID, "clientSecret": {"env": "CLIENT_SECRET"}}
        github = {**client, "organization": "acme", "url": provider.url}
        # The lab has no StorageClass.
        sign_in = {"github": github, "caBundle": {"file": "company-ca.pem"}, "volume": "emptyDir"}
        rule = {"allow": ["acme/**"], "groups": ["platform"]}
        mirror.change_file(access={"signIn": sign_in}, auth={"replicas": 2})
        mirror.change_upstream(anonymousPull=["library/*"], rules=[rule])
        mirror.environment["CLIENT_SECRET"] = CLIENT_SECRET
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.stderr
        assert f"People sign in at https://{mirror.host}/github_auth" in " ".join(outcome.stderr.split())
        yield Company(mirror, provider)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("browser")) as found:
        yield found


def sign_in(company: Company, browser: Browser, name: str, kind: str = "github") -> str:
    """What the page shows at the end."""
    return sign_in_page(company.mirror, browser, name, kind)


def log_in(company: Company, browser: Browser, name: str, home: Path, kind: str = "github") -> None:
    """Sign in, and log in with what the page shows."""
    CraneUser(company.mirror, home).sign_in(browser, name, kind)


def test_verify_proves_that_people_can_sign_in(company: Company) -> None:
    report = company.mirror.verify()
    assert report.code == 0, report.stdout
    results = {check["id"]: check["result"] for check in report.document["checks"]}
    assert results["token-sign-in"] == "success"
    assert company.mirror.deploy("--dry-run").code == 0


def test_a_member_of_the_team_pulls_what_others_may_not(company: Company, browser: Browser, tmp_path: Path) -> None:
    refused = company.pull(tmp_path, TEAM_IMAGE)
    assert (refused.code, "DENIED" in refused.stderr) == (1, True), refused.stderr
    log_in(company, browser, "alice", tmp_path)
    for image in (TEAM_IMAGE, OPEN_IMAGE):
        pulled = company.pull(tmp_path, image)
        assert pulled.code == 0, pulled.stderr


def test_a_member_of_another_team_pulls_only_what_everybody_may(
    company: Company, browser: Browser, tmp_path: Path
) -> None:
    log_in(company, browser, "bob", tmp_path)
    assert company.pull(tmp_path, OPEN_IMAGE).code == 0
    assert company.pull(tmp_path, TEAM_IMAGE).code != 0


def test_nobody_outside_of_the_organization_gets_a_login(company: Company, browser: Browser) -> None:
    assert "docker login" not in sign_in(company, browser, "mallory")


def test_a_login_survives_new_pods_of_docker_auth(company: Company, browser: Browser, tmp_path: Path) -> None:
    log_in(company, browser, "alice", tmp_path)
    company.mirror.kubectl("rollout", "restart", "deployment/regmirror-auth")
    company.mirror.kubectl("rollout", "status", "deployment/regmirror-auth", "--timeout=5m")
    assert company.pull(tmp_path, TEAM_IMAGE).code == 0


def test_a_login_ends(company: Company, browser: Browser, tmp_path: Path) -> None:
    log_in(company, browser, "alice", tmp_path)
    done = company.mirror.regmirror("user", "sign-out", "alice")
    assert done.code == 0, done.stderr
    assert company.pull(tmp_path, TEAM_IMAGE).code != 0


def test_the_pages_of_other_providers_are_not_published(company: Company, tmp_path: Path) -> None:
    for name in ("google", "gitlab", "oidc"):
        words = ["curl", "-s", "-o", "page", "-w", "%{http_code}", "--cacert", str(company.mirror.target.authority)]
        answer = run([*words, f"https://{company.mirror.host}/{name}_auth"], tmp_path, {})
        assert answer.stdout == "404"


def test_another_provider_takes_the_place_of_the_first(company: Company, browser: Browser, tmp_path: Path) -> None:
    client = {"clientId": CLIENT_ID, "clientSecret": {"env": "CLIENT_SECRET"}}
    sign_in = {"oidc": {**client, "issuer": company.provider.url}, "caBundle": {"file": "company-ca.pem"}}
    company.mirror.change_file(access={"signIn": {**sign_in, "volume": "emptyDir"}})
    outcome = company.mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    company.mirror.await_healthy()
    log_in(company, browser, "alice", tmp_path, "oidc")
    pulled = company.pull(tmp_path, TEAM_IMAGE)
    assert pulled.code == 0, pulled.stderr
    words = ["curl", "-s", "-o", "page", "-w", "%{http_code}", "--cacert", str(company.mirror.target.authority)]
    assert run([*words, f"https://{company.mirror.host}/github_auth"], tmp_path, {}).stdout == "404"
