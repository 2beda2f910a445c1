"""Each command works for a ServiceAccount with exactly the Role that rbac prints, and not with one right less."""

import json
import signal
import tarfile
from collections.abc import Callable

import pytest
import yaml

from regmirror.ports.cluster import Right
from tests.e2e.deployed_mirror import Deployment, Outcome
from tests.e2e.rotations import short_lived

pytestmark = pytest.mark.lab

COMMANDS = ("deploy", "diff", "verify", "status", "rotate-cert", "support-bundle", "upgrade-notes", "destroy")
WITHOUT_HOST = {"diff", "upgrade-notes", "destroy"}
NOT_IN_THE_LAB = {"httproutes", "certificates"}
"""What there is no kind of is not asked for."""


@pytest.fixture(scope="module")
def deployment(new_deployment: Callable[[], Deployment]) -> Deployment:
    """A mirror, with a ServiceAccount for each command, and a kubeconfig for each of them."""
    mirror = short_lived(new_deployment())
    assert mirror.deploy().code == 0
    for command in COMMANDS:
        role = mirror.regmirror("rbac", command)
        assert role.code == 0, role.words
        mirror.kubectl("apply", "-f", "-", stdin=role.output)
        name = f"regmirror-{command}"
        mirror.kubectl("create", "serviceaccount", name)
        account = f"--serviceaccount={mirror.namespace}:{name}"
        mirror.kubectl("create", "rolebinding", name, f"--role={name}", account)
        write_kubeconfig(mirror, name)
    return mirror


def write_kubeconfig(mirror: Deployment, account: str) -> None:
    """A kubeconfig as docs/rotation.md describes it: the token is in a file beside it."""
    shown = json.loads(mirror.kubectl("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))
    token = mirror.directory / f"{account}.token"
    token.write_text(mirror.kubectl("create", "token", account, "--duration=1h"))
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": account,
        "clusters": [{"name": "cluster", "cluster": shown["clusters"][0]["cluster"]}],
        "users": [{"name": account, "user": {"tokenFile": str(token)}}],
        "contexts": [{"name": account, "context": {"cluster": "cluster", "user": account}}],
    }
    (mirror.directory / f"{account}.kubeconfig").write_text(yaml.safe_dump(content))


def as_account(mirror: Deployment, command: str) -> list[str]:
    """The options by which a command runs as its ServiceAccount."""
    name = f"regmirror-{command}"
    return ["--kubeconfig", str(mirror.directory / f"{name}.kubeconfig"), "--context", name]


def run_as(mirror: Deployment, command: str, *options: str) -> Outcome:
    resolve = [] if command in WITHOUT_HOST else mirror.setting.resolve(mirror.host)
    return mirror.regmirror(command, *as_account(mirror, command), *resolve, *options)


def test_deploy(deployment: Deployment) -> None:
    content = yaml.safe_load(deployment.file.read_text())
    content["redis"] |= {"maxMemory": "100mb"}
    deployment.file.write_text(yaml.safe_dump(content))
    outcome = run_as(deployment, "deploy", "-o", "json")
    assert outcome.code == 0, outcome.words
    assert outcome.document["changed"] is True


def test_diff(deployment: Deployment) -> None:
    assert run_as(deployment, "diff").code == 0
    deployment.kubectl("scale", "deployment/regmirror-redis", "--replicas=0")
    outcome = run_as(deployment, "diff", "-o", "json")
    assert [found["name"] for found in outcome.document["objects"]] == ["regmirror-redis"], outcome.words
    assert run_as(deployment, "deploy").code == 0


def test_verify(deployment: Deployment) -> None:
    outcome = run_as(deployment, "verify", "-o", "json")
    assert outcome.code == 0, outcome.output


def test_status(deployment: Deployment) -> None:
    outcome = run_as(deployment, "status", "-o", "json")
    assert outcome.code == 0, outcome.words
    assert "unknown" not in outcome.output


def test_support_bundle(deployment: Deployment) -> None:
    assert "is forbidden: User" not in bundle_of(deployment)


def bundle_of(mirror: Deployment) -> str:
    """All that a bundle holds, and what was left out of it."""
    path = mirror.directory / "bundle.tar.gz"
    path.unlink(missing_ok=True)
    outcome = run_as(mirror, "support-bundle", "--output-file", str(path))
    assert outcome.code == 0, outcome.words
    with tarfile.open(path) as archive:
        files = [archive.extractfile(member) for member in archive]
        return "\n".join(file.read().decode() for file in files if file)


def test_upgrade_notes(deployment: Deployment) -> None:
    assert run_as(deployment, "upgrade-notes").code == 0


def test_rotate_cert(deployment: Deployment) -> None:
    """A regular rotation as far as the long wait, and what an emergency adds to bring it to its end."""
    deployment.cut_short(signal.SIGTERM, "4/5", "rotate-cert", *as_account(deployment, "rotate-cert"), "--force")
    outcome = run_as(deployment, "rotate-cert", "--emergency", "-o", "json")
    assert outcome.code == 0, outcome.words
    assert [step["name"] for step in outcome.document["steps"]] == [
        "begin",
        "replace-key",
        "remove-old-certificates",
        "roll-out-all",
        "complete",
    ]
    assert deployment.failures() == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_one_right_less_is_told(deployment: Deployment, command: str) -> None:
    name = f"regmirror-{command}"
    role = json.loads(deployment.kubectl("get", "role", name, "-o", "json"))
    rules = role["rules"]
    try:
        for rule in rules:
            if rule["resources"][0] in NOT_IN_THE_LAB:
                continue
            # The first verb of each resource; the unit tests of preflight hold the list to be asked in full.
            kept = {**rule, "verbs": rule["verbs"][1:] or ["none"]}
            change_rules(deployment, name, [kept if one is rule else one for one in rules])
            assert_told(deployment, command, Right(rule["verbs"][0], rule["apiGroups"][0], rule["resources"][0]))
    finally:
        change_rules(deployment, name, rules)


def test_destroy(deployment: Deployment) -> None:
    """Last, for it leaves no mirror; what it needs beside its Role would be missing here."""
    outcome = run_as(deployment, "destroy", "--yes", "-o", "json")
    assert outcome.code == 0, outcome.words
    assert run_as(deployment, "destroy", "-o", "json").document["removed"] == []


def change_rules(mirror: Deployment, role: str, rules: list[object]) -> None:
    mirror.kubectl("patch", "role", role, "--type=merge", "-p", json.dumps({"rules": rules}))


def assert_told(mirror: Deployment, command: str, right: Right) -> None:
    """What is missing stands in the words of regmirror, or in those of the API server, which names no port-forward."""
    said = said_without(mirror, command)
    denied = f'cannot {right.verb} resource "{right.resource}"'
    told = {str(right), "cannot forward port" if right.resource == "pods/portforward" else denied}
    assert any(words in said for words in told), said


def said_without(mirror: Deployment, command: str) -> str:
    """What a command tells that lacks a right; one that shows what there is may end well."""
    if command == "support-bundle":
        return bundle_of(mirror).replace("\\", "")
    options = ["--check", "cluster-permissions"] if command == "verify" else []
    options += ["--yes"] if command == "destroy" else []
    options += ["--force"] if command == "rotate-cert" else []
    options += ["-o", "json"] if command != "upgrade-notes" else []
    outcome = run_as(mirror, command, *options)
    assert outcome.code != 0 or command == "status", f"{command} works without a right"
    return (outcome.output + outcome.words).replace("\\", "")
