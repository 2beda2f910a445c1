"""The command lines of rotate-cert and rbac: refused options, and the printed Roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror.access.rights import why_rights
from regmirror.cli.app import app
from regmirror.cli.rbac import Command
from regmirror.cli.upgrade_notes import UPGRADE_RIGHTS
from regmirror.deploy.rights import deploy_rights, diff_rights, optional_rights
from regmirror.desired.rotate_rights import rotate_rights
from regmirror.desired.verify_rights import verify_rights
from regmirror.destroy.rights import destroy_rights
from regmirror.errors import ExitCode
from regmirror.ports.cluster import Right
from regmirror.report.rights import report_rights
from regmirror.status.rights import status_rights
from regmirror.support.rights import support_rights
from regmirror.users.rights import user_rights
from regmirror.verify.nodes.rights import node_rights
from tests import samples
from tests.unit.rotating import pair_of

RIGHTS = {
    "deploy": [*deploy_rights(samples.mirror()), *optional_rights(samples.mirror())],
    "verify": verify_rights(samples.mirror()),
    "diff": diff_rights(samples.mirror()),
    "destroy": destroy_rights(samples.mirror()),
    "rotate-cert": rotate_rights(samples.mirror()),
    "status": status_rights(samples.mirror()),
    "support-bundle": support_rights(samples.mirror()),
    "user": user_rights(samples.mirror()),
    "why": list(why_rights(samples.mirror())),
    "upgrade-notes": list(UPGRADE_RIGHTS),
    "verify-nodes": node_rights(samples.mirror()),
    "report": report_rights(samples.mirror()),
}


@pytest.fixture(autouse=True)
def _directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document()))
    pair = pair_of()
    (tmp_path / "tls.crt").write_bytes(pair.certificate_pem)
    (tmp_path / "tls.key").write_bytes(pair.key_pem)
    (tmp_path / "other.key").write_bytes(samples.key_pair(1).key_pem)


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--expires-in", "soon"], '--expires-in: "soon" is not a duration'),
        (["--expires-in", "120%"], '--expires-in: "120%" is more than 100%'),
        (["--validity", "a year"], '--validity: "a year" is not a duration'),
        (["--key-size", "1024"], "--key-size: 1024 is not one of 2048, 3072, 4096"),
        (["--key", "tls.key"], "--key and --cert must be used together"),
        (["--cert", "tls.crt"], "--key and --cert must be used together"),
        (["--key", "tls.key", "--cert", "absent.crt"], "--cert: cannot read absent.crt: No such file"),
        (
            ["--key", "tls.key", "--cert", "tls.crt", "--key-size", "4096"],
            "--key and --cert cannot be combined with --key-size",
        ),
        (["--abort", "--emergency"], "--abort cannot be combined with --emergency"),
        (["--timeout", "5"], '--timeout: "5" is not a duration'),
        (["--kubeconfig", "absent"], "there is no kubeconfig file absent"),
    ],
)
def test_a_usage_mistake_exits_with_2_and_one_clear_error(words: list[str], message: str) -> None:
    result = run("rotate-cert", *words)
    assert result.exit_code == ExitCode.USAGE
    assert message in " ".join(result.stderr.split())


def test_a_certificate_of_another_key_is_refused() -> None:
    result = run("rotate-cert", "--key", "other.key", "--cert", "tls.crt")
    assert result.exit_code == ExitCode.FAILED
    assert "does not match its certificate" in result.stderr


def test_check_distinguishes_an_error_from_an_answer() -> None:
    unknown = 255
    assert run("rotate-cert", "--check", "--kubeconfig", "absent").exit_code == unknown
    assert run("rotate-cert", "--check", "--expires-in", "soon").exit_code == unknown


@pytest.mark.parametrize("command", list(Command))
def test_a_role_has_exactly_the_rights_of_its_command(command: Command) -> None:
    result = run("rbac", command.value)
    assert result.exit_code == ExitCode.OK
    assert set(rights_of(yaml.safe_load(result.stdout))) == set(RIGHTS[command.value])


def test_all_roles_are_printed_together() -> None:
    roles = list(yaml.safe_load_all(run("rbac", "-n", "elsewhere").stdout))
    names = [(role["metadata"]["name"], role["metadata"]["namespace"]) for role in roles]
    assert names == [(f"regmirror-{command.value}", "elsewhere") for command in Command]


def test_the_command_that_binds_a_role_is_printed() -> None:
    words = "kubectl -n regmirror create rolebinding regmirror-verify --role=regmirror-verify"
    assert words in " ".join(run("rbac", "verify").stderr.split())


def test_the_role_of_a_rotation_can_create_and_delete_only_what_a_rotation_does() -> None:
    written = {right.resource for right in RIGHTS["rotate-cert"] if right.verb in {"create", "delete"}}
    assert written == {"secrets", "leases", "pods/portforward"}


def test_the_role_of_a_support_bundle_reads_what_it_collects_and_changes_nothing() -> None:
    found = RIGHTS["support-bundle"]
    assert set(RIGHTS["verify"]) | set(RIGHTS["status"]) <= set(found)
    assert Right("list", "networking.k8s.io", "networkpolicies") in found
    assert Right("list", "networking.k8s.io", "ingresses") in found
    assert Right("list", "", "limitranges") in found
    assert {Right("list", "batch", "cronjobs"), Right("list", "batch", "jobs")} <= set(found)
    assert {right.resource for right in found if right.verb not in {"get", "list"}} == {"pods/portforward"}


def rights_of(role: dict[str, Any]) -> list[Right]:
    return [
        Right(verb, group, resource, name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    ]
