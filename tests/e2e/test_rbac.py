"""Each command works for a ServiceAccount with the Role that rbac prints, and not with one permission less."""

import json
import signal
import subprocess
import tarfile
from collections.abc import Callable

import pytest
import yaml

from regmirror.deploy.rights import optional_rights
from regmirror.ports.cluster import Right
from tests.e2e.deployed_mirror import DeployedMirror, Outcome
from tests.e2e.long_runs import LONG, only_in_long_runs
from tests.e2e.rotations import short_lived
from tests.e2e.waiting import await_value
from tests.samples import read_mirror

pytestmark = pytest.mark.lab

COMMANDS = (
    "deploy",
    "diff",
    "verify",
    "status",
    "report",
    "rotate-cert",
    "user",
    "support-bundle",
    "upgrade-notes",
    "destroy",
)
WITHOUT_HOST = {"diff", "user", "upgrade-notes", "destroy"}
WORDS = {"user": ["user", "groups", "alice", "team"]}
"""The words that run a command which is more than its name."""
NOT_IN_THE_LAB = {"httproutes", "certificates"}
"""The cluster does not have these kinds, so no command requests them."""


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror, with a ServiceAccount and a kubeconfig for each command."""
    mirror = short_lived(new_mirror())
    assert mirror.deploy().code == 0
    for command in COMMANDS:
        role = mirror.regmirror("rbac", command)
        assert role.code == 0, role.stderr
        mirror.kubectl("apply", "-f", "-", stdin=role.stdout)
        name = f"regmirror-{command}"
        mirror.kubectl("create", "serviceaccount", name)
        account = f"--serviceaccount={mirror.namespace}:{name}"
        mirror.kubectl("create", "rolebinding", name, f"--role={name}", account)
        write_kubeconfig(mirror, name)
    return mirror


def write_kubeconfig(mirror: DeployedMirror, account: str) -> None:
    """A kubeconfig as in the documentation: the token is in a separate file."""
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


def as_account(mirror: DeployedMirror, command: str) -> list[str]:
    """The options that run a command as its ServiceAccount."""
    name = f"regmirror-{command}"
    return ["--kubeconfig", str(mirror.directory / f"{name}.kubeconfig"), "--context", name]


def run_as(mirror: DeployedMirror, command: str, *options: str) -> Outcome:
    resolve = [] if command in WITHOUT_HOST else mirror.target.resolve(mirror.host)
    words = WORDS.get(command, [command])
    return mirror.regmirror(*words, *as_account(mirror, command), *resolve, *options)


def test_deploy(mirror: DeployedMirror) -> None:
    content = yaml.safe_load(mirror.file.read_text())
    content["redis"] |= {"maxMemory": "100mb"}
    mirror.file.write_text(yaml.safe_dump(content))
    outcome = run_as(mirror, "deploy", "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["changed"] is True


def test_diff(mirror: DeployedMirror) -> None:
    assert run_as(mirror, "diff").code == 0
    mirror.kubectl("scale", "deployment/regmirror-redis", "--replicas=0")
    outcome = run_as(mirror, "diff", "-o", "json")
    assert [found["name"] for found in outcome.document["objects"]] == ["regmirror-redis"], outcome.stderr
    assert run_as(mirror, "deploy").code == 0


def test_verify(mirror: DeployedMirror) -> None:
    outcome = run_as(mirror, "verify", "-o", "json")
    assert outcome.code == 0, outcome.stdout


def test_status(mirror: DeployedMirror) -> None:
    # On a loaded machine, a lookup may time out.
    outcome = await_value(lambda: run_as(mirror, "status", "-o", "json"), lambda found: "unknown" not in found.stdout)
    assert outcome.code == 0, outcome.stderr


def test_report(mirror: DeployedMirror) -> None:
    outcome = await_value(
        lambda: run_as(mirror, "report", "-o", "json"), lambda found: '"unknown":' not in found.stdout
    )
    assert outcome.code == 0, outcome.stderr


def test_support_bundle(mirror: DeployedMirror) -> None:
    assert "is forbidden: User" not in bundle_of(mirror)


def bundle_of(mirror: DeployedMirror) -> str:
    """The content of a support bundle, including the list of what it omits."""
    path = mirror.directory / "bundle.tar.gz"
    path.unlink(missing_ok=True)
    outcome = run_as(mirror, "support-bundle", "--output-file", str(path))
    assert outcome.code == 0, outcome.stderr
    with tarfile.open(path) as archive:
        files = [archive.extractfile(member) for member in archive]
        return "\n".join(file.read().decode() for file in files if file)


def may(mirror: DeployedMirror, command: str, *words: str) -> bool:
    """Whether the ServiceAccount of a command may do something, as the API server says."""
    account = f"--as=system:serviceaccount:{mirror.namespace}:regmirror-{command}"
    # kubectl auth can-i exits with 1 for "no".
    review = ["kubectl", "--context", mirror.target.context, "-n", mirror.namespace, "auth", "can-i", *words, account]
    return subprocess.run(review, capture_output=True, text=True, check=False).stdout.strip() == "yes"


def test_a_monitoring_job_cannot_read_the_signing_key(mirror: DeployedMirror) -> None:
    assert may(mirror, "status", "get", "secret/regmirror-bundle")
    assert not may(mirror, "status", "get", "secret/regmirror-signing")
    assert not may(mirror, "status", "list", "secrets")
    assert may(mirror, "verify", "get", "secret/regmirror-signing")
    assert not may(mirror, "verify", "get", "secret/of-another-application")
    assert not may(mirror, "verify", "list", "secrets")


def test_user(mirror: DeployedMirror) -> None:
    account = as_account(mirror, "user")
    added = mirror.regmirror("user", "add", "alice", "--generate", "-o", "json", *account)
    assert (added.code, added.document["inEffect"]) == (0, True), added.stderr
    assert run_as(mirror, "user").code == 0
    listed = mirror.regmirror("user", "list", "-o", "json", *account)
    assert [(user["name"], user["groups"]) for user in listed.document["users"]] == [("alice", ["team"])]


def test_upgrade_notes(mirror: DeployedMirror) -> None:
    assert run_as(mirror, "upgrade-notes").code == 0


@only_in_long_runs
def test_rotate_cert(mirror: DeployedMirror) -> None:
    """A regular rotation until its long wait, completed by an emergency rotation."""
    mirror.interrupt(signal.SIGTERM, "4/5", "rotate-cert", *as_account(mirror, "rotate-cert"), "--force")
    outcome = run_as(mirror, "rotate-cert", "--emergency", "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert [step["name"] for step in outcome.document["steps"]] == [
        "begin",
        "replace-key",
        "remove-old-certificates",
        "roll-out-all",
        "complete",
    ]
    mirror.await_healthy()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_permission_is_reported(mirror: DeployedMirror, command: str) -> None:
    name = f"regmirror-{command}"
    role = json.loads(mirror.kubectl("get", "role", name, "-o", "json"))
    rules = role["rules"]
    # Without these, deploy skips checks.
    optional = optional_rights(read_mirror(mirror.file)) if command == "deploy" else []
    try:
        for rule in rules if LONG else rules[::4]:
            name_of_object = rule.get("resourceNames", [""])[0]
            right = Right(rule["verbs"][0], rule["apiGroups"][0], rule["resources"][0], name_of_object)
            if right.resource in NOT_IN_THE_LAB or right in optional:
                continue
            # The first verb of each rule; the unit tests of preflight cover the complete list.
            kept = {**rule, "verbs": rule["verbs"][1:] or ["none"]}
            change_rules(mirror, name, [kept if one is rule else one for one in rules])
            assert_reported(mirror, command, right)
    finally:
        change_rules(mirror, name, rules)


def test_destroy(mirror: DeployedMirror) -> None:
    """The last test, because it removes the mirror."""
    outcome = run_as(mirror, "destroy", "--yes", "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert run_as(mirror, "destroy", "-o", "json").document["removed"] == []


def change_rules(mirror: DeployedMirror, role: str, rules: list[object]) -> None:
    mirror.kubectl("patch", "role", role, "--type=merge", "-p", json.dumps({"rules": rules}))


def assert_reported(mirror: DeployedMirror, command: str, right: Right) -> None:
    """The message is from regmirror or from the API server, which does not name port-forward."""
    output = output_without(mirror, command)
    denied = f'cannot {right.verb} resource "{right.resource}"'
    expected = {str(right), "cannot forward port" if right.resource == "pods/portforward" else denied}
    assert any(words in output for words in expected), output


def output_without(mirror: DeployedMirror, command: str) -> str:
    """The output of a command without a permission; status and report may succeed."""
    if command == "support-bundle":
        return bundle_of(mirror).replace("\\", "")
    options = ["--check", "cluster-permissions"] if command == "verify" else []
    options += ["--yes"] if command == "destroy" else []
    options += ["--force"] if command == "rotate-cert" else []
    options += ["-o", "json"] if command != "upgrade-notes" else []
    outcome = run_as(mirror, command, *options)
    assert outcome.code != 0 or command in {"status", "report"}, f"{command} works without a permission"
    return (outcome.stdout + outcome.stderr).replace("\\", "")
