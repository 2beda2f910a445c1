"""``regmirror render`` gives the same bytes every time, keeps files up to date, and reports errors clearly."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.cli.rendered_files import INDEX, compare_files, write_files, written_options
from regmirror.desired import names
from regmirror.desired.auth_config import auth_config
from regmirror.desired.secret_templates import secret_templates
from regmirror.desired.user_accounts import UserAccount, parse_accounts
from regmirror.errors import ConfigurationError, ExitCode
from regmirror.render.external_secrets import Store, accounts_external_secret, go_template
from regmirror.render.files import Change, RenderedFile
from regmirror.render.output_format import OutputFormat
from regmirror.render.report import render_report
from tests import samples
from tests.charts.helm import find_helm
from tests.golden import check_golden
from tests.unit.test_fill_script import STRANGE
from tests.unit.test_secret_templates import filled, mirror, parsed

ARGOCD = ["--format", "argocd", "--repository", "https://git.example.com/a.git"]


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regmirror.yaml").write_text(yaml.safe_dump(samples.document(upstreams=samples.TWO_UPSTREAMS)))


@pytest.fixture(params=[3, 4])
def helm(request: pytest.FixtureRequest) -> str:
    found = find_helm(request.param)
    if found is None:
        pytest.skip(f"no Helm {request.param} here: set LAB_HELM{request.param} to its path")
    return found.program


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["render", *words])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "argocd", "--output-dir", "x"], "--format argocd needs --repository"),
        (["--format", "flux"], "--format flux needs --output-dir"),
        (["--check"], "--check needs --output-dir"),
        (["--external-secrets", "a/b"], '--external-secrets "a/b" is not STORE or KIND/STORE'),
        (["--path", "../x"], '--path "../x" is not a path from the root of the repository'),
        (
            [*ARGOCD, "--output-dir", "x", "--argocd-project", "a b"],
            "--argocd-project: 'a b' is not a valid object name",
        ),
        (["-f", "absent.yaml"], "cannot read absent.yaml: no such file"),
    ],
)
def test_a_usage_error_exits_with_2(words: list[str], message: str) -> None:
    result = run(*words, "-o", "json")
    assert result.exit_code == 2
    assert message in json.loads(result.stdout)["error"]["message"]


def test_a_missing_helm_is_reported() -> None:
    result = run("--helm", "/absent/helm")
    assert result.exit_code == 1
    assert "Error RM301: cannot start Helm (/absent/helm)" in result.stderr


@pytest.mark.helm
@pytest.mark.parametrize("words", [[], ["--format", "flux"], ARGOCD, ["--external-secrets", "vault"]])
def test_two_runs_give_the_same_bytes_in_any_directory(words: list[str], tmp_path: Path) -> None:
    found = find_helm(4) or find_helm(3)
    if found is None:
        pytest.skip("no Helm here: put it on PATH")
    trees = []
    for seed in ("1", "2"):
        place = tmp_path / f"run-{seed}"
        place.mkdir()
        command = [sys.executable, "-m", "regmirror", "render", "-f", "../regmirror.yaml", *words]
        done = subprocess.run(
            [*command, "--helm", found.program, "--output-dir", f"out-{seed}"],
            cwd=place,
            env={**os.environ, "PYTHONHASHSEED": seed, "KUBECONFIG": "/absent"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        top = place / f"out-{seed}"
        trees.append({path.relative_to(top): path.read_bytes() for path in top.rglob("*") if path.is_file()})
    assert trees[0] == trees[1]
    assert len(trees[0]) > 8


@pytest.mark.helm
def test_both_helms_give_the_same_bytes() -> None:
    helms = [find_helm(3), find_helm(4)]
    if None in helms:
        pytest.skip("both majors of Helm are needed")
    first, second = (run("--helm", found.program).stdout for found in helms if found)
    assert first == second


@pytest.mark.helm
def test_standard_output_can_be_applied(helm: str) -> None:
    text = run("--helm", helm)
    listed = run("--helm", helm, "-o", "json")
    documents = list(yaml.safe_load_all(text.stdout))
    assert json.loads(listed.stdout) == {"apiVersion": "v1", "kind": "List", "items": documents}
    assert [document["kind"] for document in documents].count("Deployment") == 4
    assert f"To create them: regmirror render --helm {helm} --output-dir DIR" in text.stderr


@pytest.mark.helm
def test_a_change_is_written_and_what_is_no_longer_rendered_is_removed(helm: str) -> None:
    words = ("--helm", helm, "--output-dir", "out")
    assert run(*words).exit_code == 0
    same = run(*words, "--check")
    assert (same.exit_code, "out is up to date" in same.stderr) == (0, True)
    Path("regmirror.yaml").write_text(yaml.safe_dump(samples.document()))
    checked = run(*words, "--check", "-o", "json")
    assert checked.exit_code == 1
    assert f"files differ. To update: regmirror render --output-dir out --helm {helm} -o json" in checked.stderr
    changes = {entry["path"]: entry["change"] for entry in json.loads(checked.stdout)["files"]}
    assert changes["regmirror-quay.yaml"] == "remove"
    assert changes["kustomization.yaml"] == "change"
    assert Path("out/regmirror-quay.yaml").exists()
    assert run(*words).exit_code == 0
    assert not Path("out/regmirror-quay.yaml").exists()
    assert run(*words, "--check").exit_code == 0


MANIFESTS = {"output_format": "manifests"}
FILES = [RenderedFile("a/b.yaml", "one\n"), RenderedFile("c.yaml", "two\n")]


def test_a_file_that_render_did_not_write_is_replaced_only_with_force(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("mine\n")
    changes = compare_files(FILES, tmp_path)
    with pytest.raises(ConfigurationError, match=r"not written by render, and different: \S*/c\.yaml$"):
        write_files(FILES, changes, tmp_path, MANIFESTS, force=False)
    assert not (tmp_path / "a").exists()
    write_files(FILES, changes, tmp_path, MANIFESTS, force=True)
    assert compare_files(FILES, tmp_path) == {}


def test_a_manipulated_list_of_files_removes_nothing_outside_the_directory(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("")
    out = tmp_path / "out"
    out.mkdir()
    (out / INDEX).write_text(f"../precious\n{tmp_path}/precious\na/../../precious\nold.yaml\n")
    (out / "old.yaml").write_text("")
    assert compare_files(FILES, out)["old.yaml"] is Change.REMOVED
    write_files(FILES, compare_files(FILES, out), out, MANIFESTS, force=False)
    assert (tmp_path / "precious").exists()
    assert not (out / "old.yaml").exists()


def test_a_directory_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ConfigurationError, match="out"):
        write_files(FILES, compare_files(FILES, tmp_path / "out"), tmp_path / "out", MANIFESTS, force=False)


def test_check_reports_another_format_instead_of_every_file(tmp_path: Path) -> None:
    write_files(FILES, compare_files(FILES, tmp_path / "out"), tmp_path / "out", MANIFESTS, force=False)
    assert written_options(tmp_path / "out") == MANIFESTS
    result = run("--check", "--format", "flux", "--output-dir", "out")
    assert result.exit_code == ExitCode.USAGE
    assert "out was rendered with --format manifests, not flux" in result.stderr
    assert "Try: regmirror render --format manifests --output-dir out --check\n" in result.stderr


def test_the_hint_of_a_check_has_every_option_of_the_rendering(tmp_path: Path) -> None:
    """Without them the hint would be refused, too, or report other files."""
    written = {
        "output_format": "argocd",
        "repository": "https://git.example.com/a.git",
        "path": "one mirror",
        "external_secrets": "vault",
    }
    write_files(FILES, compare_files(FILES, tmp_path / "out"), tmp_path / "out", written, force=False)
    result = run("--check", "--output-dir", "out")
    assert result.exit_code == ExitCode.USAGE
    assert (
        "Try: regmirror render --format argocd --output-dir out --check --repository https://git.example.com/a.git "
        "--path 'one mirror' --external-secrets vault\n"
    ) in result.stderr
    changed = run("--check", "--output-dir", "out", "--format", "argocd", "--secrets-revision", "2")
    assert "--repository https://git.example.com/a.git" in changed.stderr
    assert "--external-secrets vault --secrets-revision 2\n" in changed.stderr


def test_the_hint_of_a_check_names_a_repository_if_the_rendering_did_not_record_it(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text("# Written by regmirror render --format argocd\n")
    hint = json.loads(run("--check", "--output-dir", ".", "-o", "json").stdout)["error"]["hint"]
    assert "--repository https://git.example.com/infrastructure.git" in hint


def test_an_option_of_several_lines_does_not_become_a_file_to_remove(tmp_path: Path) -> None:
    write_files(FILES, {}, tmp_path, {"output_format": "manifests", "secrets_revision": "x\nprecious"}, force=False)
    (tmp_path / "precious").write_text("")
    assert compare_files(FILES, tmp_path).keys() == {"a/b.yaml", "c.yaml"}


@pytest.mark.helm
def test_a_rendering_records_its_options(helm: str) -> None:
    assert run("--helm", helm, "--output-dir", "out", *ARGOCD).exit_code == 0
    assert Path("out", INDEX).read_text().splitlines()[0] == "# Written by regmirror render " + " ".join(ARGOCD)


@pytest.mark.parametrize(
    "first_line",
    [
        "",
        "a/b.yaml",
        "# Written by regmirror render --format other",
        "# Written by regmirror render --format",
        "# Written by regmirror render 'open",
        "# Written by regmirror render --helm flux",
    ],
)
def test_a_directory_without_a_known_format_is_compared(tmp_path: Path, first_line: str) -> None:
    (tmp_path / INDEX).write_text(f"{first_line}\n")
    assert written_options(tmp_path) == {}


def test_the_hint_repeats_the_options_of_the_command() -> None:
    words = ("-f", "regmirror.yaml", "-n", "a b", "--format", "argocd", "--output-dir", "out", "--check")
    hint = json.loads(run(*words, "-o", "json").stdout)["error"]["hint"]
    assert hint == (
        "regmirror render --format argocd --output-dir out --check "
        "--repository https://git.example.com/infrastructure.git -f regmirror.yaml -n 'a b' -o json"
    )


def test_the_report_is_the_golden_file() -> None:
    changes = {"a.yaml": Change.CREATED, "b.yaml": Change.CHANGED, "c.yaml": Change.REMOVED}
    report = render_report(samples.mirror(), OutputFormat.FLUX, Path("out"), changes, dry_run=True)
    check_golden("documents/RenderReport.yaml", yaml.safe_dump(report.document(), sort_keys=False))


@pytest.mark.helm
@pytest.mark.parametrize("value", STRANGE)
def test_go_fills_the_templates_of_external_secrets_as_deploy_would(helm: str, value: str, tmp_path: Path) -> None:
    """Helm renders the templates in place of the operator: both use Go templates with the functions of sprig."""
    wanted = mirror(auth={"issuer": value + "{{{ .Values }}}{{- x"}, storage={"region": "{{region}}"})
    forms = [form for form in secret_templates(wanted) if form.placeholders]
    values = {name: value for form in forms for name in form.placeholders}
    files = {f"{form.name} {key}": go_template(parts) for form in forms for key, parts in form.files.items()}
    read = filled_by_go(helm, files, values, tmp_path)
    for form in forms:
        for key, text in filled(form, {name: json.dumps(value, ensure_ascii=False)[1:-1] for name in values}).items():
            assert parsed_secret(key, read[f"{form.name} {key}"]) == expected(key, text, value)


def filled_by_go(helm: str, files: dict[str, str], values: dict[str, str], directory: Path) -> dict[str, str]:
    """The files with the values, in base64."""
    chart = directory / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: engine\nversion: 0.1.0\n")
    (chart / "templates/all.yaml").write_text(
        "result:\n{{- range $k, $v := .Values.files }}\n  {{ $k | quote }}: {{ tpl $v (merge (deepCopy $.Values.values)"
        ' (dict "Template" $.Template)) | b64enc | quote }}\n{{- end }}\n'
    )
    done = subprocess.run(
        [helm, "template", "x", str(chart), "--values", "-"],
        input=json.dumps({"files": files, "values": values}),
        env={**os.environ, "KUBECONFIG": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    read: dict[str, str] = yaml.safe_load(done.stdout)["result"]
    return read


@pytest.mark.helm
def test_go_writes_accounts_into_the_configuration_of_docker_auth(helm: str, tmp_path: Path) -> None:
    rules = [{"allow": ["acme/*"], "users": ["alice"]}]
    wanted = samples.mirror(upstreams=[samples.document()["upstreams"][0] | {"rules": rules}])
    hashed = SecretStr("$2b$10$" + "a" * 53)
    accounts = [UserAccount("alice", hashed, ("plat form", "größe", "<&>")), UserAccount("bob", hashed)]
    entries = {account.name: json.loads(account.entry()) for account in accounts}
    (form,) = [form for form in secret_templates(wanted) if form.name == names.AUTH_SECRET]
    files = {"config": go_template(form.files["auth_config.yml"])}
    for given, result in (entries, accounts), ({}, []):
        read = filled_by_go(helm, files, {"users": json.dumps(given)}, tmp_path / str(len(given)))["config"]
        assert yaml.safe_load(base64.b64decode(read)) == auth_config(wanted, result)
    damaged: dict[str, Any]
    for damaged in {"groups": []}, {"password": "", "groups": []}, {"password": None, "groups": []}:
        with pytest.raises(subprocess.CalledProcessError):
            filled_by_go(helm, files, {"users": json.dumps({"eve": damaged})}, tmp_path / str(damaged))


@pytest.mark.helm
def test_go_writes_an_entry_for_each_account_into_the_secret_of_the_accounts(helm: str, tmp_path: Path) -> None:
    """The operator reads the filled template as a mapping of texts, and these as the keys of the Secret."""
    hashed = SecretStr("$2b$10$" + "a" * 53)
    accounts = (UserAccount("12", hashed, ("plat form", "größe", "<&>")), UserAccount("yes", hashed))
    entries = {account.name: json.loads(account.entry()) for account in accounts}
    spec = accounts_external_secret(samples.mirror(), Store("SecretStore", "vault", "regmirror"))["spec"]
    (template,) = spec["target"]["template"]["templateFrom"]
    for given, result in (entries, accounts), ({}, ()):
        values = {"users": json.dumps(given)}
        read = filled_by_go(helm, {"all": template["literal"]}, values, tmp_path / str(len(given)))["all"]
        keys = yaml.safe_load(base64.b64decode(read)) or {}
        assert parse_accounts({name: text.encode() for name, text in keys.items()}) == result


def parsed_secret(key: str, encoded: str) -> Any:
    return parsed(key, base64.b64decode(encoded).decode())


def expected(key: str, text: str, value: str) -> Any:
    """What the file says; a file that is one value holds it as it is."""
    return parsed(key, text) if key.endswith((".yml", ".json", ".conf")) else value
