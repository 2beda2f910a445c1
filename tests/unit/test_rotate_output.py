"""What rotate-cert prints: its documents, and the transcripts of its runs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.ports.cluster import SECRET
from regmirror.rotate.report import RotateCheck, RotatePlan, RotateReport
from regmirror.rotate.run import Rotation
from tests import samples
from tests.golden import check_golden
from tests.unit.rotating import RotationHarness
from tests.unit.transcript import connect, transcript

pytestmark = pytest.mark.usefixtures("env")

OWN_KEY = ("--key", "signing.key", "--cert", "signing.crt")


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RotationHarness:
    """A deployed mirror that rotate-cert is connected to, and a key pair in the current directory."""
    harness = RotationHarness()
    connect(monkeypatch, harness.connections())
    monkeypatch.setattr("regmirror.rotate.run.Rotation", partial(Rotation, clock=harness.time.clock()))
    monkeypatch.chdir(tmp_path)
    Path("signing.key").write_bytes(samples.key_pair(2).key_pem)
    Path("signing.crt").write_bytes(samples.key_pair(2).certificate_pem)
    return harness


def printed(*arguments: str) -> str:
    """The document of a run."""
    return stable(CliRunner().invoke(app, ["rotate-cert", *arguments, "-o", "yaml"]).stdout)


def stable(text: str) -> str:
    """The same with names instead of key ids, which are random."""
    for serial, name in ((1, "old-key-id"), (2, "new-key-id")):
        key_id = RotationHarness.id_of_sample(serial)
        text = text.replace(key_id, f"{name:-<43}").replace(key_id[:12], f"{name:-<12}")
    return text


def test_a_rotation_that_is_not_due() -> None:
    check_golden("transcripts/rotate-cert-not-due.txt", stable(transcript("rotate-cert")))


def test_a_dry_run(env: RotationHarness) -> None:
    before = env.cluster.select(SECRET)
    check_golden("transcripts/rotate-cert-dry-run.txt", stable(transcript("rotate-cert", "--force", "--dry-run")))
    assert env.cluster.select(SECRET) == before


def test_a_whole_rotation() -> None:
    check_golden("transcripts/rotate-cert.txt", stable(transcript("rotate-cert", *OWN_KEY)))


def test_a_check() -> None:
    check_golden("transcripts/rotate-cert-check.txt", stable(transcript("rotate-cert", "--check")))


@pytest.mark.parametrize("name", ["", "-not-due", "-dry-run", "-check"])
def test_transcripts_fit_into_80_columns(name: str) -> None:
    path = Path(__file__).parents[1] / "golden" / "transcripts" / f"rotate-cert{name}.txt"
    assert [line for line in path.read_text().splitlines() if len(line) > 80] == []


def test_the_document_of_a_rotation() -> None:
    text = printed(*OWN_KEY)
    check_golden("documents/RotateReport.yaml", text)
    RotateReport.model_validate(yaml.safe_load(text))


def test_the_document_of_a_check_has_a_version_and_a_kind() -> None:
    text = printed("--check")
    check_golden("documents/RotateCheck.yaml", text)
    RotateCheck.model_validate(yaml.safe_load(text))


def test_the_document_of_a_dry_run_has_a_version_and_a_kind() -> None:
    text = printed("--force", "--dry-run")
    check_golden("documents/RotatePlan.yaml", text)
    RotatePlan.model_validate(yaml.safe_load(text))


def test_a_skipped_check_of_the_public_host_is_reported() -> None:
    result = CliRunner().invoke(app, ["rotate-cert", *OWN_KEY, "--skip-verify", "-o", "json"])
    report = json.loads(result.stdout)
    assert (report["checkedHosts"], report["warnings"]) == ([], ["the public host was not checked"])
    assert "the public host was not checked" in result.stderr


def test_follow_up_commands_repeat_the_options_that_select_the_mirror() -> None:
    result = CliRunner().invoke(app, ["rotate-cert", "-f", "my mirror.yaml", "-n", "team", "--context", "prod"])
    command = "regmirror rotate-cert -f 'my mirror.yaml' --context prod -n team --force"
    assert f"Rotate now: {command}\n" in result.stderr
