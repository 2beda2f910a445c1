"""A support bundle of a mirror in memory: what is in it, what is not, and who may read it."""

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
from regmirror.support.archive import write_archive
from regmirror.support.bundle import Bundle
from regmirror.support.collect import Sources, collect
from regmirror.support.redact import Redactor
from regmirror.support.values import known_here, rendered_values
from tests import samples
from tests.fakes.connections import FakeConnections
from tests.unit.deployed import Deployed, deployed

SECRETS = ("canary-redis-password", "canary-s3-id", "canary-s3-secret", "canary-hub-token")


@pytest.fixture
def place() -> Deployed:
    """A mirror whose pods have written every secret into their logs, in every spelling."""
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
    event = {"metadata": {"name": "event"}, "type": "Warning", "reason": "Failed", "message": f"with {SECRETS[2]}"}
    found.cluster.put({"apiVersion": "v1", "kind": "Event", **event})
    return found


def sources(place: Deployed) -> Sources:
    return Sources(
        place.live(),
        "regmirror.yaml",
        yaml.safe_dump(samples.document()),
        versions=lambda: {"regmirror": "1"},
        values=lambda: {"regmirror-redis": {"image": {"tag": "1"}}},
        own_secrets=lambda: {"only-on-this-machine"},
    )


def test_a_bundle_has_everything_but_secrets(place: Deployed) -> None:
    bundle = collect(sources(place))
    assert {
        "regmirror.yaml",
        "versions.json",
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
    assert "with ***" in bundle.files["objects/Event.yaml"]
    assert json.loads(bundle.files["verify.json"])["kind"] == "VerifyReport"
    assert json.loads(bundle.files["status.json"])["kind"] == "StatusReport"
    assert {"name": names.REDIS_SECRET, "type": "Opaque"}.items() <= summaries(bundle)[names.REDIS_SECRET].items()


def summaries(bundle: Bundle) -> dict[str, Any]:
    return {one["name"]: one for one in yaml.safe_load_all(bundle.files["objects/Secret.yaml"])}


def test_what_is_left_out_is_told(place: Deployed) -> None:
    left_out = collect(sources(place)).left_out
    secrets = len(place.cluster.select(SECRET))
    assert f"the values of {secrets} Secrets: names, types, keys and sizes are in the bundle" in left_out
    assert "logs of 1 pods that are not the mirror's" in left_out
    assert any(re.fullmatch(r"\d+ secrets within texts: \*\*\* stands in their place", line) for line in left_out)
    assert f"logs/{names.REDIS}-0/main.log: it is empty or cannot be read" in left_out


def test_nothing_that_others_wrote_is_in_it_where_secrets_are_not_known(place: Deployed) -> None:
    place.cluster.hidden.add(SECRET)
    bundle = collect(sources(place))
    assert not any(path.startswith(("logs/", "objects/")) for path in bundle.files)
    assert any(line.startswith("objects, events and logs, which could not be redacted: ") for line in bundle.left_out)
    assert "verify.json" in bundle.files


def test_what_fails_is_left_out_with_its_reason_redacted(place: Deployed) -> None:
    def fails() -> dict[str, Any]:
        raise ClusterError("broken by only-on-this-machine")

    bundle = collect(replace(sources(place), values=fails))
    assert "values.json: broken by ***" in bundle.left_out
    assert "values.json" not in bundle.files


def test_the_name_of_host_and_namespace_stay_readable(place: Deployed) -> None:
    place.replace(names.REDIS_SECRET, other=samples.HOST.encode(), more=b"regmirror")
    assert samples.HOST in collect(sources(place)).files["regmirror.yaml"]


def test_values_are_rendered_from_what_is_deployed(place: Deployed) -> None:
    connections = FakeConnections(place.mirror, place.cluster)
    values = rendered_values(connections, samples.NOW)
    assert values[names.REDIS]["config"] == {"secretName": names.REDIS_SECRET}
    assert not any(secret in json.dumps(values) for secret in samples.CANARIES)
    assert known_here(connections, samples.NOW) == {"canary-redis-password"}
    place.cluster.delete(SECRET, names.SIGNING_SECRET)
    with pytest.raises(ClusterError, match="nothing is deployed"):
        rendered_values(connections, samples.NOW)


def test_an_archive_is_its_owners_alone_and_says_what_it_lacks(tmp_path: Path) -> None:
    bundle = Bundle(Redactor(["canary-value"]))
    bundle.add_text("logs/a.log", "with canary-value\n")
    bundle.leave_out("the canary-value itself")
    path = tmp_path / "help.tar.gz"
    write_archive(bundle, path, samples.NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as archive:
        content = {member.name: archive.extractfile(member) for member in archive}
        texts = {name: stream.read().decode() for name, stream in content.items() if stream}
        assert {member.mode for member in archive} == {0o600}
    assert texts == {"help/LEFT-OUT.txt": "the *** itself\n", "help/logs/a.log": "with ***\n"}
    assert b"canary" not in gzip.decompress(path.read_bytes())


def test_an_existing_archive_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "help.tar.gz"
    path.write_text("precious")
    with pytest.raises(ConfigurationError, match="cannot be written: File exists"):
        write_archive(Bundle(Redactor([])), path, samples.NOW)
    assert path.read_text() == "precious"
