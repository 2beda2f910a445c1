"""The example of two tenants, deployed: a team that signs in with GitHub, and a robot with one repository."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import addresses
from tests.contract.browser import Browser, browsing
from tests.contract.sign_in_provider import Person, Provider, serving
from tests.e2e.company_network import Authority
from tests.e2e.crane_user import CraneUser
from tests.e2e.deployed_mirror import PROGRAMS, DeployedMirror, Object, Outcome, run

pytestmark = pytest.mark.lab

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPECTATIONS = EXAMPLES / "access/two-tenants.yaml"
ROBOT = "ci-robot"
OPEN, TOOL, PRIVATE, OUTSIDE = "library/demo:1", "acme/tool:1", "acme/private:1", "outside/forbidden:1"
REFUSED = "no rule allows acme/private; ask platform-team@example.com"
NO_SIGN_IN = "nobody can sign in at the stand-in of docker_auth: set LAB_DOCKER_AUTH to the path of the real one"


@dataclass(frozen=True)
class Tenants:
    """The mirror of the example, and the password of the robot."""

    mirror: DeployedMirror
    password: str
    has_sign_in: bool

    def why(self, image: str, *options: str, password: str = "") -> Object:
        """The document of ``regmirror why``, which exits with what it says."""
        words = ["why", image, "-o", "json", *self.mirror.target.resolve(self.mirror.host), *options]
        outcome = run([str(PROGRAMS / "regmirror"), *words], self.mirror.directory, self.mirror.environment, password)
        assert outcome.code in {0, 1}, outcome.stderr
        document: Object = outcome.document
        assert document["allowed"] is (outcome.code == 0)
        return document


def adapted(mirror: DeployedMirror, sign_in: dict[str, Any] | None) -> dict[str, Any]:
    """The example with the lab's names, store, images and upstream instead of its own, and its rules unchanged."""
    example, lab = (yaml.safe_load(path.read_text()) for path in (EXAMPLES / "two-tenants.yaml", mirror.file))
    (upstream,), (lab_upstream,) = example["upstreams"], lab["upstreams"]
    upstream |= {key: lab_upstream[key] for key in ("url", "insecure", "probeImage")}
    lab |= {"upstreams": [upstream]}
    for name, section in lab.items():
        example[name] = {**example.get(name, {}), **section} if isinstance(section, dict) else section
    gateway = next(ip_network(addresses.POD_SUBNET).hosts())
    example["ingress"]["trustedProxies"] = [f"{gateway}/32", f"{addresses.NODE_ADDRESS}/32"]
    provider = example["access"].pop("signIn")
    if sign_in:
        github = provider["github"] | sign_in.pop("github")
        example["access"]["signIn"] = provider | sign_in | {"github": github}
    return dict(example)


@pytest.fixture(scope="module")
def provider() -> Provider:
    people = [Person("alice", ["acme"], ["platform"]), Person("bob", ["acme"], ["design"]), Person(ROBOT, ["acme"])]
    return Provider({person.name: person for person in people}, secrets.token_hex(20), host=addresses.HUB_HOST)


@pytest.fixture(scope="module")
def tenants(
    new_mirror: Callable[[], DeployedMirror], provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tenants]:
    """The robot is added before the deployment, as the example says."""
    mirror = new_mirror()
    lab = mirror.target.lab
    if lab is None:
        pytest.skip("only the lab has these images, and a network in which a test can be a server")
    authority = Authority()
    (mirror.directory / "company-ca.pem").write_bytes(authority.pem)
    provider.callback = f"https://{mirror.host}/github_auth"
    tls = authority.context(addresses.HUB_HOST, tmp_path_factory.mktemp("provider"))
    with serving(provider, tls, lab["address"]):
        # The lab has no StorageClass.
        sign_in = {"github": {"url": provider.url}, "caBundle": {"file": "company-ca.pem"}, "volume": "emptyDir"}
        has_sign_in = not lab["auth_is_stand_in"]
        mirror.file.write_text(yaml.safe_dump(adapted(mirror, sign_in if has_sign_in else None)))
        mirror.environment["SIGN_IN_CLIENT_SECRET"] = provider.client_secret
        added = mirror.regmirror("user", "add", ROBOT, "--generate", "-o", "json")
        assert added.code == 0, added.stderr
        outcome = mirror.deploy()
        assert outcome.code == 0, outcome.stderr
        yield Tenants(mirror, added.document["generatedPassword"], has_sign_in)


@pytest.fixture
def user(tenants: Tenants, tmp_path: Path) -> CraneUser:
    """Somebody without a login."""
    return CraneUser(tenants.mirror, tmp_path)


@pytest.fixture(scope="module")
def browser(tenants: Tenants, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if not tenants.has_sign_in:
        pytest.skip(NO_SIGN_IN)
    with browsing(tmp_path_factory.mktemp("browser")) as found:
        yield found


def assert_pulled(pulled: Outcome) -> None:
    assert pulled.code == 0, pulled.stderr


def assert_refused(pulled: Outcome, reason: str = "; ask platform-team@example.com") -> None:
    assert pulled.code != 0
    assert reason in pulled.stderr


def test_no_check_fails(tenants: Tenants) -> None:
    report = tenants.mirror.verify()
    assert report.code == 0, report.stdout


def test_everyone_pulls_official_images_and_nothing_of_the_tenants(user: CraneUser) -> None:
    assert_pulled(user.pull(OPEN))
    assert_refused(user.pull(PRIVATE), REFUSED)
    assert_refused(user.pull(TOOL))


def test_the_robot_pulls_its_one_repository(tenants: Tenants, user: CraneUser) -> None:
    user.log_in(ROBOT, tenants.password)
    assert_pulled(user.pull(TOOL))
    assert_pulled(user.pull(OPEN))
    assert_refused(user.pull(PRIVATE), REFUSED)
    assert_refused(user.pull(OUTSIDE))


def test_containerd_pulls_as_the_robot(tenants: Tenants, tmp_path: Path) -> None:
    hosts = tmp_path / tenants.mirror.host / "hosts.toml"
    hosts.parent.mkdir()
    server = f"https://{tenants.mirror.host}"
    hosts.write_text(f'server = "{server}"\n[host."{server}"]\n  ca = "{tenants.mirror.target.authority}"\n')
    login = ["--hosts-dir", str(tmp_path), "--user", f"{ROBOT}:{tenants.password}"]
    ctr = ["ctr", "--namespace", tenants.mirror.namespace, "images", "pull", *login]
    assert_pulled(run([*ctr, f"{tenants.mirror.host}/{TOOL}"], tmp_path, {}))
    assert_refused(run([*ctr, f"{tenants.mirror.host}/{PRIVATE}"], tmp_path, {}), REFUSED)


def test_a_member_of_the_team_pulls_the_private_namespace(tenants: Tenants, user: CraneUser, browser: Browser) -> None:
    user.sign_in(browser, "alice")
    assert tenants.why(PRIVATE, "--signed-in", "alice", "--group", "platform")["allowed"] is True
    for image in (PRIVATE, TOOL, OPEN):
        assert_pulled(user.pull(image))
    assert_refused(user.pull(OUTSIDE))


def test_a_member_of_the_organization_outside_of_the_team_reads_why(
    tenants: Tenants, user: CraneUser, browser: Browser
) -> None:
    user.sign_in(browser, "bob")
    assert tenants.why(PRIVATE, "--signed-in", "bob", "--group", "design")["allowed"] is False
    assert_pulled(user.pull(OPEN))
    assert_refused(user.pull(PRIVATE), REFUSED)


def test_a_person_with_the_name_of_the_robot_is_not_the_robot(user: CraneUser, browser: Browser) -> None:
    """docker_auth knows the name as that of an account, and accepts only the password of the account."""
    user.sign_in(browser, ROBOT)
    assert_refused(user.pull(TOOL), "wrong user name or password")


def test_the_expectations_of_the_example_hold(tenants: Tenants, tmp_path: Path) -> None:
    """Without sign-in in the file, an expectation about a person who signs in is an error in the list."""
    expectations = yaml.safe_load(EXPECTATIONS.read_text())
    possible = [each for each in expectations if tenants.has_sign_in or "signedIn" not in each]
    expected = tmp_path / "expectations.yaml"
    expected.write_text(yaml.safe_dump(possible))
    outcome = tenants.mirror.regmirror("access", "test", str(expected), "-o", "json")
    assert outcome.code == 0, outcome.stdout


@pytest.mark.parametrize(
    ("image", "is_robot", "allowed"),
    [(OPEN, False, True), (TOOL, False, False), (PRIVATE, False, False), (TOOL, True, True), (PRIVATE, True, False)],
)
def test_why_agrees_with_the_mirror(tenants: Tenants, image: str, is_robot: bool, allowed: bool) -> None:
    robot = ["--user", ROBOT, "--password-stdin"] if is_robot else []
    answer = tenants.why(image, *robot, password=tenants.password)
    assert (answer["allowed"], answer["mirror"]["allowed"], answer["difference"]) == (allowed, allowed, None)
