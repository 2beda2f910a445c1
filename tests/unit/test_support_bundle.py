"""A support bundle of a mirror in memory: what it contains, what it omits, and who can read it."""

from __future__ import annotations

import base64
import gzip
import json
import re
import stat
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from regmirror.desired import names
from regmirror.errors import ClusterError, ConfigurationError
from regmirror.ports.cluster import SECRET
from regmirror.support.archive import require_new_file, write_archive
from regmirror.support.bundle import Bundle
from regmirror.support.collect import Sources, collect
from regmirror.support.redact import Redactor
from regmirror.support.report import SupportBundleReport, bundle_report
from regmirror.support.values import local_secret_values, rendered_values
from tests import samples
from tests.fakes.connections import FakeConnections
from tests.golden import check_golden
from tests.unit.deployed import Deployed, deployed

SECRETS = ("canary-redis-password", "canary-s3-id", "canary-s3-secret", "canary-hub-token")


@pytest.fixture
def mirror() -> Deployed:
    """A mirror whose pods have logged every secret, plain and encoded."""
    found = deployed()
    found.cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "hub-0", "labels": {"app.kubernetes.io/instance": names.registry("docker-hub")}},
            "spec": {"containers": [{"name": "registry"}]},
            "status": {"phase": "Running", "containerStatuses": [{"name": "registry", "restartCount": 1}]},
        }
    )
    found.cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranger"}, "status": {}})
    lines = [f"plain {one} basic {base64.b64encode(f'user:{one}'.encode()).decode()}" for one in SECRETS]
    found.cluster.logs["hub-0", False] = "\n".join([*lines, *samples.key_pair().key_pem.decode().splitlines()[1:3]])
    found.cluster.logs["hub-0", True] = f"the end: {SECRETS[0]}"
    found.cluster.logs["stranger", False] = "a stranger's log"
    for name, involved in {"event": "regmirror-auth-0", "other": "stranger"}.items():
        message = {"type": "Warning", "reason": "Failed", "message": f"with {SECRETS[2]} of {involved}"}
        about = {"metadata": {"name": name}, "involvedObject": {"kind": "Pod", "name": involved}}
        found.cluster.put({"apiVersion": "v1", "kind": "Event", **about, **message})
    return found


def sources(mirror: Deployed) -> Sources:
    return Sources(
        mirror.live(),
        "regmirror.yaml",
        yaml.safe_dump(samples.document()),
        versions=lambda: {"regmirror": "1"},
        releases=lambda: [{"name": "regmirror-redis", "revision": 2, "status": "failed"}],
        values=lambda: {"regmirror-redis": {"image": {"tag": "1"}}},
        local_secrets=lambda: {"only-on-this-machine"},
    )


def test_a_bundle_contains_everything_except_secrets(mirror: Deployed) -> None:
    bundle = collect(sources(mirror))
    assert {
        "regmirror.yaml",
        "versions.json",
        "releases.json",
        "values.json",
        "verify.json",
        "status.json",
        "objects/Secret.yaml",
        "objects/Deployment.yaml",
        "objects/Pod.yaml",
        "objects/Event.yaml",
        "logs/hub-0/registry.log",
        "logs/hub-0/registry.previous.log",
    } <= bundle.files.keys()
    text = "".join(bundle.files.values())
    assert [secret for secret in SECRETS if secret in text] == []
    assert bundle.files["logs/hub-0/registry.log"].startswith("plain *** basic ")
    assert bundle.files["logs/hub-0/registry.previous.log"] == "the end: ***"
    assert "with *** of regmirror-auth-0" in bundle.files["objects/Event.yaml"]
    assert "of stranger" not in bundle.files["objects/Event.yaml"]
    assert json.loads(bundle.files["verify.json"])["kind"] == "VerifyReport"
    assert json.loads(bundle.files["status.json"])["kind"] == "StatusReport"
    assert {"name": names.REDIS_SECRET, "type": "Opaque"}.items() <= summaries(bundle)[names.REDIS_SECRET].items()


def summaries(bundle: Bundle) -> dict[str, Any]:
    return {one["name"]: one for one in yaml.safe_load_all(bundle.files["objects/Secret.yaml"])}


def test_a_bundle_contains_the_jobs_of_the_mirror(mirror: Deployed) -> None:
    labels = {"labels": {"app.kubernetes.io/instance": names.VERIFICATION, "app.kubernetes.io/part-of": "regmirror"}}
    job, pod = f"{names.VERIFICATION}-29400000", f"{names.VERIFICATION}-29400000-x7x2p"
    command = {"containers": [{"name": "regmirror", "env": [{"name": "NOTE", "value": f"with {SECRETS[0]}"}]}]}
    batch: dict[str, Any] = {"apiVersion": "batch/v1"}
    of_job = {"spec": {"template": {"spec": command}}}
    mirror.cluster.put({**batch, "kind": "CronJob", "metadata": {"name": names.VERIFICATION, **labels}, "spec": {}})
    mirror.cluster.put({**batch, "kind": "Job", "metadata": {"name": job, **labels}, **of_job})
    mirror.cluster.put({**batch, "kind": "CronJob", "metadata": {"name": "stranger"}, "spec": {"schedule": "@daily"}})
    mirror.cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod, **labels}, "spec": command})
    mirror.cluster.logs[pod, False] = f"refused: {SECRETS[0]}"
    about = {"metadata": {"name": "missed"}, "involvedObject": {"kind": "CronJob", "name": names.VERIFICATION}}
    mirror.cluster.put({"apiVersion": "v1", "kind": "Event", **about, "message": f"missed: {SECRETS[0]}"})
    files = collect(sources(mirror)).files
    cron_jobs = {one["metadata"]["name"]: one for one in yaml.safe_load_all(files["objects/CronJob.yaml"])}
    assert "spec" in cron_jobs[names.VERIFICATION]
    assert "spec" not in cron_jobs["stranger"]
    assert "with ***" in files["objects/Job.yaml"]
    assert files[f"logs/{pod}/regmirror.log"] == "refused: ***"
    assert "missed: ***" in files["objects/Event.yaml"]


def test_what_is_omitted_is_listed(mirror: Deployed) -> None:
    omitted = collect(sources(mirror)).omitted
    secrets = len(mirror.cluster.select(SECRET))
    assert f"the values of {secrets} Secrets; names, and sizes of the mirror's, are in objects/Secret.yaml" in omitted
    assert "logs of other pods in the namespace (1)" in omitted
    assert any(re.fullmatch(r"\d+ secrets in texts, which are replaced by \*\*\*", line) for line in omitted)
    assert f"logs/{names.REDIS}-0/main.log: the log is empty" in omitted


def test_objects_and_logs_are_omitted_if_the_secrets_cannot_be_read(mirror: Deployed) -> None:
    mirror.cluster.hidden.add(SECRET)
    bundle = collect(sources(mirror))
    assert not any(path.startswith(("logs/", "objects/")) for path in bundle.files)
    assert any(
        line.startswith("objects, events and logs, because they cannot be redacted without the mirror's Secrets: ")
        for line in bundle.omitted
    )
    assert "verify.json" in bundle.files


def test_a_failing_part_is_omitted_with_its_reason_redacted(mirror: Deployed) -> None:
    def fails() -> dict[str, Any]:
        raise ClusterError("broken by only-on-this-machine")

    bundle = collect(replace(sources(mirror), values=fails))
    assert "values.json: broken by ***" in bundle.omitted
    assert "values.json" not in bundle.files


def test_host_and_namespace_stay_readable(mirror: Deployed) -> None:
    mirror.replace(names.REDIS_SECRET, other=samples.HOST.encode(), more=b"regmirror")
    assert samples.HOST in collect(sources(mirror)).files["regmirror.yaml"]


def test_values_are_rendered_from_what_is_deployed(mirror: Deployed) -> None:
    connections = FakeConnections(mirror.mirror, mirror.cluster)
    values = rendered_values(connections, samples.NOW)
    assert values[names.REDIS]["config"] == {"secretName": names.REDIS_SECRET}
    assert not any(secret in json.dumps(values) for secret in samples.CANARIES)
    assert local_secret_values(connections, samples.NOW) == {"canary-redis-password"}
    mirror.cluster.delete(SECRET, names.SIGNING_SECRET)
    with pytest.raises(ClusterError, match="nothing is deployed"):
        rendered_values(connections, samples.NOW)


def test_only_the_owner_can_read_an_archive_and_it_lists_what_it_omits(tmp_path: Path) -> None:
    bundle = Bundle(Redactor(["canary-value"]))
    bundle.add_text("logs/a.log", "with canary-value\n")
    bundle.omit("the canary-value itself")
    path = tmp_path / "help.tar.gz"
    write_archive(bundle, path, samples.NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as archive:
        content = {member.name: archive.extractfile(member) for member in archive}
        texts = {name: stream.read().decode() for name, stream in content.items() if stream}
        assert {member.mode for member in archive} == {0o600}
    assert texts == {"help/OMITTED.txt": "the *** itself\n", "help/logs/a.log": "with ***\n"}
    assert b"canary" not in gzip.decompress(path.read_bytes())


def test_an_existing_archive_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "help.tar.gz"
    path.write_text("precious")
    with pytest.raises(ConfigurationError, match=r"cannot write .*help\.tar\.gz: File exists"):
        write_archive(Bundle(Redactor([])), path, samples.NOW)
    assert path.read_text() == "precious"


def test_a_log_that_cannot_be_read_says_why(mirror: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pod: str, *_: Any, **__: Any) -> str:
        raise ClusterError(f"cannot read the log of {pod}: forbidden")

    monkeypatch.setattr(mirror.cluster, "log", refuse)
    omitted = collect(sources(mirror)).omitted
    assert "logs/hub-0/registry.log: cannot read the log of hub-0: forbidden" in omitted


def test_the_report_lists_every_file_of_the_archive(mirror: Deployed, tmp_path: Path) -> None:
    bundle, path = collect(sources(mirror)), tmp_path / "help.tar.gz"
    write_archive(bundle, path, samples.NOW)
    with tarfile.open(path) as archive:
        assert [f"help/{name}" for name in bundle_report(bundle, path).files] == archive.getnames()


def test_the_document_of_a_bundle() -> None:
    bundle = Bundle(Redactor([]))
    bundle.add_text("logs/regmirror-auth-0/auth.log", "started")
    bundle.omit("values.json: no answer in time")
    document = bundle_report(bundle, Path("help.tar.gz")).document()
    check_golden("documents/SupportBundleReport.yaml", yaml.safe_dump(document, sort_keys=False))
    SupportBundleReport.model_validate(document)


def test_an_archive_that_cannot_be_created_is_refused_before_the_collection(tmp_path: Path) -> None:
    (tmp_path / "help.tar.gz").touch()
    with pytest.raises(ConfigurationError, match="the file exists"):
        require_new_file(tmp_path / "help.tar.gz")
    with pytest.raises(ConfigurationError, match=r"there is no directory .*absent"):
        require_new_file(tmp_path / "absent" / "help.tar.gz")
    require_new_file(tmp_path / "new.tar.gz")
