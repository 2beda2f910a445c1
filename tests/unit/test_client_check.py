"""``client-config --check`` finds what keeps a runtime from using the mirror, and nothing where all steps were done."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from regmirror.adapters.machine import LocalMachine
from regmirror.client_config import check as check_package
from regmirror.client_config.catalog import RUNTIMES
from regmirror.client_config.check.catalog import CHECKERS, find_checker
from regmirror.client_config.check.finding import Finding, Severity
from regmirror.client_config.check.inspection import Inspection, run_check
from regmirror.client_config.containerd import NEW_TABLE, OLD_TABLE
from regmirror.client_config.setup import ClientOptions
from regmirror.errors import ConfigurationError
from tests import samples
from tests.fakes.machine import FakeMachine
from tests.unit.client_machines import (
    BUNDLE,
    CA,
    CONFIG,
    DAEMON,
    FAULTS,
    HOSTS,
    HUB,
    K3S,
    LOGIN,
    NEW,
    OLD,
    OPTIONS,
    OTHER_CA,
    OWN_HOSTS,
    PASSWORD,
    SHORT,
    Fault,
    machine_of,
)

SET = 'set config_path = "/etc/containerd/certs.d"'


def check(runtime: str, machine: FakeMachine, options: ClientOptions = OPTIONS) -> list[Finding]:
    inspection = Inspection(runtime, options, machine, samples.NOW, bool(options.ca_pem))
    return run_check(find_checker(runtime), inspection)


@pytest.mark.parametrize("runtime", CHECKERS)
def test_a_machine_with_all_files_and_steps_has_no_findings(runtime: str) -> None:
    assert check(runtime, machine_of(runtime)) == []


@pytest.mark.parametrize("runtime", CHECKERS)
def test_a_machine_without_any_files_has_an_error_about_a_missing_file(runtime: str) -> None:
    findings = check(runtime, FakeMachine())
    assert any(finding.id == "file-missing" and finding.severity is Severity.ERROR for finding in findings)


@pytest.mark.parametrize("runtime", CHECKERS)
def test_a_public_certificate_and_anonymous_pulls_need_neither_ca_nor_login(runtime: str) -> None:
    machine = machine_of(runtime)
    plain = replace(OPTIONS, ca_pem="", user="")
    for path in [path for path, content in machine.files.items() if content and "CERTIFICATE" in content]:
        del machine.files[path]
    for file in RUNTIMES[runtime](plain).files:
        machine.files[file.path] = file.content
    machine.signed_by = ""
    assert check(runtime, machine, plain) == []


@pytest.mark.parametrize("runtime", CHECKERS)
def test_a_file_that_cannot_be_read_or_parsed_is_reported_without_its_content(runtime: str) -> None:
    path = next(file.path for file in RUNTIMES[runtime](OPTIONS).files if not file.is_certificate)
    for content in (None, f"{{ [ {PASSWORD}: : "):
        machine = machine_of(runtime)
        machine.files[path] = content
        findings = check(runtime, machine)
        assert {"file-unreadable", "file-invalid"} & {finding.id for finding in findings if finding.path == path}
        assert PASSWORD not in repr(findings)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a: !!bool x", "a value cannot be read"),
        ("a: !!int ''", "a value cannot be read"),
        ("a: !!float ''", "a value cannot be read"),
        ("a: !!timestamp x", "a value cannot be read"),
        ("a: 2026-99-99", "a value cannot be read"),
        ("a: \x07", "it has a control character"),
        ("[" * 5000, "it is nested too deeply"),
        ("a: [", "see line 1"),
    ],
)
def test_yaml_that_cannot_be_read_is_a_finding(content: str, reason: str) -> None:
    machine = machine_of("k3s")
    machine.files[K3S] = content
    (finding,) = [finding for finding in check("k3s", machine) if finding.path == K3S]
    assert (finding.id, finding.message) == ("file-invalid", f"is not valid YAML: {reason}")


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ('version = 2\nimports = ["/etc/x\\u0000y/*.toml"]\n', "/etc/x\\0y"),
        ("version = 2\n" + OLD.replace("/etc/containerd/certs.d", "/a\\u0000b"), "/a\\0b/docker.io"),
    ],
)
def test_a_name_that_no_file_can_have_is_a_finding(tmp_path: Path, content: str, path: str) -> None:
    (tmp_path / "etc/containerd").mkdir(parents=True)
    (tmp_path / "etc/containerd/config.toml").write_text(content)
    inspection = Inspection("containerd", OPTIONS, LocalMachine(tmp_path), samples.NOW, private_ca=True)
    (finding,) = [one for one in run_check(find_checker("containerd"), inspection) if one.id == "file-unreadable"]
    assert (finding.path, finding.message) == (path, "cannot be read: no file can have this name")
    assert "root" not in finding.fix


@pytest.mark.parametrize("value", [":", "::"])
def test_a_list_without_a_directory_sets_no_config_path(value: str) -> None:
    machine = machine_of("containerd")
    machine.files[CONFIG] = f"version = 2\n{OLD}".replace("/etc/containerd/certs.d", value)
    assert [(one.id, one.path) for one in check("containerd", machine)] == [("containerd-config-path", CONFIG)]


def test_an_empty_part_of_a_list_is_no_directory() -> None:
    machine = machine_of("containerd")
    machine.files = {CONFIG: f"version = 2\n{OLD}".replace("certs.d", "certs.d:")}
    assert all(finding.path.startswith("/") for finding in check("containerd", machine))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.runtime}: {fault.id}: {fault.message}")
def test_a_fault_is_found_and_has_a_fix(fault: Fault) -> None:
    machine = machine_of(fault.runtime)
    fault.change(machine)
    findings = check(fault.runtime, machine)
    matching = [(finding.id, finding.severity) for finding in findings if fault.message in finding.message]
    assert matching == [(fault.id, fault.severity)], findings
    for finding in findings:
        assert finding.fix
        assert not finding.message.endswith(".")
        assert PASSWORD not in repr(finding)
        assert LOGIN not in repr(finding)


CODE = Path(check_package.__file__).parent
PAGE = Path(__file__).parents[2] / "docs/reference/client-check.md"


REPORTING = {"error", "warning", "report"}


def ids_of_findings() -> Iterator[str]:
    """The first argument of every call of error(), warning() and report(), which is one of both."""
    for path in CODE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REPORTING:
                assert isinstance(node.args[0], ast.Constant)
                yield str(node.args[0].value)


def test_every_finding_is_on_the_reference_page_and_caused_by_a_fault() -> None:
    rows = [line.split("|")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`([a-z0-9-]+)`", "".join(rows))) == set(ids_of_findings())
    elsewhere = {"ca-expired", "file-invalid", "file-unreadable"}
    assert {fault.id for fault in FAULTS} | elsewhere == set(ids_of_findings())


def test_an_expired_ca_is_named_with_its_date() -> None:
    after = x509.load_pem_x509_certificate(CA.encode()).not_valid_after_utc + timedelta(days=1)
    machine = machine_of("containerd")
    inspection = Inspection("containerd", OPTIONS, machine, after, private_ca=True)
    (finding,) = run_check(find_checker("containerd"), inspection)
    assert finding.id == "ca-expired"
    assert re.search(r"expired on \d{4}-\d\d-\d\d$", finding.message)


def test_without_ca_file_a_certificate_that_is_not_trusted_is_found_by_asking_the_mirror() -> None:
    machine = machine_of("k3s")
    machine.signed_by = OTHER_CA
    (finding,) = check("k3s", machine, replace(OPTIONS, ca_pem=""))
    assert finding.id == "ca-wrong"
    assert "does not verify the certificate" in finding.message


@pytest.mark.parametrize("runtime", CHECKERS)
def test_a_mirror_that_does_not_answer_is_an_error_only_on_the_machine_itself(runtime: str) -> None:
    machine = machine_of(runtime)
    machine.signed_by = None
    assert [finding.id for finding in check(runtime, machine)] == ["mirror-unreachable"]
    machine.is_this_machine = False
    assert check(runtime, machine) == []


@pytest.mark.parametrize("path", ["", "/", "/v2"])
def test_k3s_takes_an_endpoint_with_the_default_path_for_the_host(path: str) -> None:
    machine = machine_of("k3s")
    machine.files[K3S] = str(machine.files[K3S]).replace(f'"https://{samples.HOST}"', f'"https://{samples.HOST}{path}"')
    assert check("k3s", machine) == []


@pytest.mark.parametrize("runtime", ["dockerd", "buildkit"])
def test_without_ca_file_a_trust_store_without_the_ca_is_found_by_asking_the_mirror(runtime: str) -> None:
    machine = machine_of(runtime)
    del machine.files[BUNDLE]
    (finding,) = check(runtime, machine, replace(OPTIONS, ca_pem=""))
    assert (finding.id, finding.severity) == ("trust-store", Severity.WARNING)


@pytest.mark.parametrize(("number", "action"), [(24, "restart"), (25, "reload")])
def test_the_builder_of_docker_24_reads_its_mirrors_only_when_dockerd_starts(number: int, action: str) -> None:
    machine = machine_of("dockerd")
    machine.versions["dockerd"] = (number, 0, 0)
    del machine.files[DAEMON]
    (finding,) = [one for one in check("dockerd", machine) if one.id == "file-missing"]
    assert finding.fix.endswith(f"systemctl {action} docker")


@pytest.mark.parametrize("path", [HOSTS, OWN_HOSTS])
def test_the_fix_of_a_placeholder_in_a_header_is_what_the_header_needs(path: str) -> None:
    machine = machine_of("containerd")
    machine.files[path] = str(machine.files[path]).replace(LOGIN, "LOGIN")
    (finding,) = check("containerd", machine)
    assert finding.path == path
    assert finding.fix.startswith("replace it with base64 of NAME:PASSWORD")
    machine.files[path] = str(machine.files[path]).replace("LOGIN", LOGIN)
    assert check("containerd", machine) == []


@pytest.mark.parametrize(
    ("old", "new", "id_", "severity"),
    [
        (LOGIN, "LOGIN", "login-placeholder", Severity.ERROR),
        ("Basic ", "", "login-header", Severity.ERROR),
        ("Authorization", "Other", "login-missing", Severity.WARNING),
        ("[header]", f'[host."https://{samples.HOST}".header]', None, None),
    ],
)
def test_the_login_for_the_mirrors_own_name_is_checked(
    old: str, new: str, id_: str | None, severity: Severity | None
) -> None:
    machine = machine_of("containerd")
    assert old in str(machine.files[OWN_HOSTS])
    machine.files[OWN_HOSTS] = str(machine.files[OWN_HOSTS]).replace(old, new)
    found = [(finding.id, finding.severity, finding.path) for finding in check("containerd", machine)]
    assert found == ([(id_, severity, OWN_HOSTS)] if id_ else [])


def test_the_file_of_the_mirrors_own_name_is_checked_once_for_several_registries() -> None:
    machine = machine_of("containerd")
    second = replace(HUB, name="quay.io")
    machine.files["/etc/containerd/certs.d/quay.io/hosts.toml"] = machine.files[HOSTS]
    machine.files["/etc/containerd/certs.d/quay.io/ca.crt"] = CA
    machine.files[OWN_HOSTS] = str(machine.files[OWN_HOSTS]).replace(LOGIN, "LOGIN")
    findings = check("containerd", machine, replace(OPTIONS, registries=[HUB, second]))
    assert [(finding.id, finding.path) for finding in findings] == [("login-placeholder", OWN_HOSTS)]


@pytest.mark.parametrize(
    ("versions", "content", "fix"),
    [
        ((1, 7, 20), None, f"create it with version = 2 as its first line, and {SET} under {OLD_TABLE}"),
        ((2, 1, 0), None, f"create it with version = 3 as its first line, and {SET} under {NEW_TABLE}"),
        ((2, 1, 0), "", f"create it with version = 3 as its first line, and {SET} under {NEW_TABLE}"),
        (None, None, f"create it with version = 2 as its first line, and {SET} under {OLD_TABLE}"),
        ((1, 7, 20), 'root = "/data"\n', f"{SET} under [plugins.cri.registry]"),
        ((2, 1, 0), 'root = "/data"\n', f"{SET} under [plugins.cri.registry]"),
        ((2, 1, 0), "version = 2\n", f"{SET} under {OLD_TABLE}"),
    ],
)
def test_the_fix_of_a_missing_config_path_names_the_table_that_is_read(
    versions: tuple[int, ...] | None, content: str | None, fix: str
) -> None:
    machine = machine_of("containerd")
    machine.versions = {"containerd": versions} if versions else {}
    if content is None:
        del machine.files[CONFIG]
    else:
        machine.files[CONFIG] = content
    (finding,) = [one for one in check("containerd", machine) if one.id != "login-version"]
    assert finding.id == "containerd-config-path"
    assert finding.fix == f"{fix}, then systemctl restart containerd"


@pytest.mark.parametrize("versions", [(1, 7, 20), (2, 1, 0), (2, 4, 2)])
def test_containerd_reads_the_short_table_in_a_file_without_a_version_only(versions: tuple[int, ...]) -> None:
    machine = machine_of("containerd")
    machine.versions = {"containerd": versions}
    machine.files[CONFIG] = SHORT
    assert [one.id for one in check("containerd", machine) if one.id != "login-version"] == []
    machine.files[CONFIG] = f"version = 2\n{SHORT}"
    assert "containerd-table" in {one.id for one in check("containerd", machine)}


def test_a_plugin_that_is_turned_off_in_an_imported_file_is_found() -> None:
    machine = machine_of("containerd")
    machine.files[CONFIG] = f'version = 3\nimports = ["conf.d/*.toml"]\n{NEW}'
    path = "/etc/containerd/conf.d/off.toml"
    machine.files[path] = 'version = 3\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
    (finding,) = check("containerd", machine)
    assert (finding.id, finding.path) == ("containerd-cri-disabled", path)


def test_containerd_reads_the_files_that_its_configuration_imports() -> None:
    machine = machine_of("containerd")
    machine.files[CONFIG] = 'version = 3\nimports = ["conf.d/*.toml", "/etc/containerd/config.toml"]\n'
    assert [finding.id for finding in check("containerd", machine)] == ["containerd-config-path"]
    machine.files["/etc/containerd/conf.d/mirror.toml"] = f"version = 3\n{NEW}"
    assert check("containerd", machine) == []


@pytest.mark.parametrize(("number", "table"), [(2, NEW), (3, OLD)])
def test_without_a_version_a_table_that_some_versions_read_is_a_warning(number: int, table: str) -> None:
    machine = machine_of("containerd")
    machine.versions = {}
    machine.files[CONFIG] = f"version = {number}\n{table}"
    (finding,) = check("containerd", machine)
    assert (finding.id, finding.severity) == ("containerd-table", Severity.WARNING)


def test_a_list_of_directories_works_with_old_versions_and_local_pulls() -> None:
    for versions, extra in (((1, 7, 20), ""), ((2, 4, 2), "use_local_image_pull = true\n")):
        machine = machine_of("containerd")
        machine.versions["containerd"] = versions
        table = '[plugins."io.containerd.cri.v1.images"]\n' + extra if extra else ""
        listed = (OLD if versions[0] == 1 else NEW).replace('certs.d"', 'certs.d:/etc/docker/certs.d"')
        machine.files[CONFIG] = f"version = {2 if versions[0] == 1 else 3}\n{table}{listed}"
        assert "containerd-config-path-list" not in {finding.id for finding in check("containerd", machine)}


def test_a_rootless_dockerd_has_its_files_in_the_home_directory() -> None:
    machine = machine_of("dockerd")
    moved = {path.replace("/etc/docker", "/root/.config/docker"): text for path, text in machine.files.items()}
    machine.files = moved
    assert check("dockerd", machine) == []


@pytest.mark.parametrize("runtime", sorted(set(RUNTIMES) - set(CHECKERS)))
def test_runtimes_whose_files_are_inside_of_nodes_say_what_to_do_instead(runtime: str) -> None:
    with pytest.raises(ConfigurationError, match=f"--check: {runtime} has its files inside") as caught:
        find_checker(runtime)
    assert caught.value.hint
