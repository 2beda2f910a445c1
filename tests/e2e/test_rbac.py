"""Each command works for a ServiceAccount with exactly the Role that rbac prints, and not with one right less."""

import json
import signal
from collections.abc import Callable

import pytest
import yaml

from tests.e2e.deployment import Deployment, Outcome
from tests.e2e.rotations import short_lived

pytestmark = pytest.mark.lab

COMMANDS = ("deploy", "diff", "verify", "rotate-cert", "destroy")


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
    resolve = mirror.setting.resolve(mirror.host) if command in {"deploy", "verify", "rotate-cert"} else []
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


def test_rotate_cert(deployment: Deployment) -> None:
    """A regular rotation as far as the long wait, and what an emergency adds to bring it to its end."""
    deployment.cut_short(signal.SIGTERM, "4/5", "rotate-cert", *as_account(deployment, "rotate-cert"), "--force")
    outcome = run_as(deployment, "rotate-cert", "--emergency", "-o", "json")
    assert outcome.code == 0, outcome.words
    assert [step["name"] for step in outcome.document["steps"]] == ["begin", "swap", "drop", "roll-all", "finish"]
    assert deployment.failures() == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_one_right_less_is_told(deployment: Deployment, command: str) -> None:
    name = f"regmirror-{command}"
    role = json.loads(deployment.kubectl("get", "role", name, "-o", "json"))
    rules = role["rules"]
    try:
        for rule in rules:
            # The first verb of each resource; the unit tests of preflight hold the list to be asked in full.
            kept = {**rule, "verbs": rule["verbs"][1:] or ["none"]}
            change_rules(deployment, name, [kept if one is rule else one for one in rules])
            group = f".{rule['apiGroups'][0]}" if rule["apiGroups"][0] else ""
            assert_refused(deployment, command, f"{rule['verbs'][0]} {rule['resources'][0]}{group}")
    finally:
        change_rules(deployment, name, rules)


def test_destroy(deployment: Deployment) -> None:
    """Last, for it leaves no mirror; what it needs beside its Role would be missing here."""
    outcome = run_as(deployment, "destroy", "--yes", "-o", "json")
    assert outcome.code == 0, outcome.words
    assert run_as(deployment, "destroy", "-o", "json").document["goes"] == []


def change_rules(mirror: Deployment, role: str, rules: list[object]) -> None:
    mirror.kubectl("patch", "role", role, "--type=merge", "-p", json.dumps({"rules": rules}))


def assert_refused(mirror: Deployment, command: str, right: str) -> None:
    options = ["--check", "cluster-permissions"] if command == "verify" else []
    options += ["--yes"] if command == "destroy" else []
    outcome = run_as(mirror, command, "-o", "json", *options, *(["--force"] if command == "rotate-cert" else []))
    assert outcome.code != 0, f"{command} works without {right}"
    assert right in outcome.output
