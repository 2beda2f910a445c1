"""The script that fills the Secrets: what it prints is what deploy applies, whatever the values are."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from regmirror.desired.mirror_secrets import Account
from regmirror.desired.secret_templates import secret_templates
from regmirror.desired.secrets import secret_manifests
from regmirror.render.fill_script import fill_script
from regmirror.signing.key_pair import load_key_pair
from tests import samples
from tests.unit.test_secret_forms import mirror, parsed

KUBECTL = """\
#!/bin/sh
# A cluster in a directory: SECRET/KEY.
for word; do case $word in go-template=*) key=${word#*data \\"}; key=${key%%\\"*} ;; esac; done
cat "$CLUSTER/$5/$key" 2>/dev/null || true
"""
STRANGE = ["plain", 'quo"te', "back\\slash", "$HOME `id` $(id)", "spa ce'; #", "{{ .x }} %s", "<&>", "é"]


class Place:
    """A directory with the script, a kubectl, and the Secrets that the cluster has."""

    def __init__(self, directory: Path, **changes: Any) -> None:
        self.directory = directory
        self.mirror = mirror(**changes)
        (directory / "fill.sh").write_text(fill_script(self.mirror, secret_templates(self.mirror)))
        (directory / "kubectl").write_text(KUBECTL)
        (directory / "kubectl").chmod(0o755)
        self.keep("hub", "token", "canary-hub-token")
        pair = samples.key_pair()
        self.keep("regmirror-signing", "tls.key", pair.key_pem.decode())
        self.keep("regmirror-signing", "tls.crt", pair.certificate_pem.decode())
        self.write("s3", "canary-s3-secret\n")

    def keep(self, secret: str, key: str, value: str) -> None:
        self.write(f"cluster/{secret}/{key}", value)

    def write(self, path: str, text: str) -> None:
        (self.directory / path).parent.mkdir(parents=True, exist_ok=True)
        (self.directory / path).write_text(text)

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {
            "PATH": f"{self.directory}:{os.environ['PATH']}",
            "CLUSTER": str(self.directory / "cluster"),
            "S3_ID": "canary-s3-id",
            "HUB_NAME": "canary-hub-name",
            "REGMIRROR_REDIS_PASSWORD": "canary-redis-password",
            **environment,
        }
        return subprocess.run(
            ["sh", "fill.sh", *words], cwd=self.directory, env=variables, capture_output=True, text=True, check=False
        )

    def secrets(self, *words: str, **environment: str) -> dict[str, dict[str, Any]]:
        done = self.run(*words, **environment)
        assert (done.returncode, done.stderr) == (0, "")
        return {found["metadata"]["name"]: found for found in yaml.safe_load_all(done.stdout)}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def content(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: parsed(key, base64.b64decode(value).decode()) for key, value in manifest["data"].items()}


@pytest.mark.parametrize("value", STRANGE)
def test_it_prints_what_deploy_applies(place: Place, value: str) -> None:
    place.write("s3", value)
    place.keep("hub", "token", value)
    account = Account(SecretStr("canary-s3-id"), SecretStr(value))
    hub = Account(SecretStr("canary-hub-name"), SecretStr(value))
    wanted = samples.mirror_secrets(s3=account, upstreams={"docker-hub": hub})
    found = place.secrets()
    for manifest in secret_manifests(place.mirror, wanted):
        name = manifest["metadata"]["name"]
        if name in found:
            assert content(found[name]) == content(manifest)
            assert found[name]["type"] == manifest["type"]
            assert found[name]["metadata"]["labels"] == manifest["metadata"]["labels"]
    assert len(found) == 6


def test_redis_reads_the_password_that_the_registries_use(place: Place) -> None:
    password = 'a"b\\c $d'
    found = place.secrets(REGMIRROR_REDIS_PASSWORD=password)
    config = base64.b64decode(found["regmirror-redis-config"]["data"]["valkey.conf"]).decode()
    assert 'requirepass "a\\"b\\\\c $d"\n' in config
    assert content(found["regmirror-docker-hub-config"])["config.yml"]["redis"]["password"] == password


def test_a_password_is_made_once_and_then_kept(place: Place) -> None:
    first = base64.b64decode(place.secrets(REGMIRROR_REDIS_PASSWORD="")["regmirror-redis-config"]["data"]["password"])
    assert len(first) == 48
    place.keep("regmirror-redis-config", "password", first.decode())
    again = place.secrets(REGMIRROR_REDIS_PASSWORD="")["regmirror-redis-config"]["data"]["password"]
    assert base64.b64decode(again) == first


def test_a_signing_key_is_made_where_there_is_none(tmp_path: Path) -> None:
    place = Place(tmp_path, auth={"keySize": 2048})
    (tmp_path / "cluster/regmirror-signing/tls.key").unlink()
    found = place.secrets("regmirror-signing", "regmirror-bundle")
    signing = {key: base64.b64decode(value) for key, value in found["regmirror-signing"]["data"].items()}
    pair = load_key_pair(signing["tls.crt"], signing["tls.key"])
    assert pair.private_key.key_size == 2048
    assert base64.b64decode(found["regmirror-bundle"]["data"]["bundle.crt"]) == signing["tls.crt"]


def test_a_bundle_of_two_certificates_is_kept(place: Place) -> None:
    both = (samples.key_pair(2).certificate_pem + samples.key_pair().certificate_pem).decode()
    place.keep("regmirror-bundle", "bundle.crt", both)
    found = place.secrets("regmirror-bundle")
    assert base64.b64decode(found["regmirror-bundle"]["data"]["bundle.crt"]).decode() == both


def test_only_what_is_asked_for_needs_its_values(place: Place) -> None:
    assert list(place.secrets("regmirror-signing", S3_ID="", HUB_NAME="")) == ["regmirror-signing"]


def test_each_secret_goes_through_a_program_by_itself(place: Place) -> None:
    done = place.run("--each", "sed 's/^kind: .*/kind: SealedSecret/'")
    sealed = list(yaml.safe_load_all(done.stdout))
    assert [found["kind"] for found in sealed] == ["SealedSecret"] * 6
    assert place.run("--each", "exit 7").returncode == 7


def test_it_lists_the_secrets(place: Place) -> None:
    assert place.run("--list").stdout.split() == [
        form.name for form in secret_templates(place.mirror) if form.placeholders
    ]


@pytest.mark.parametrize(
    ("environment", "words", "message"),
    [
        ({"S3_ID": ""}, [], "storage.accessKey.id: the variable S3_ID is empty"),
        ({"S3_ID": "a\nb"}, [], "storage.accessKey.id: the variable S3_ID has line breaks or control characters"),
        ({}, ["other"], "there is no Secret other: see --list"),
    ],
)
def test_what_is_missing_is_told(place: Place, environment: dict[str, str], words: list[str], message: str) -> None:
    done = place.run(*words, **environment)
    assert done.returncode == 1
    assert done.stderr == f"fill-secrets.sh: {message}\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    "issuer", ["$(touch pwned)", "`touch pwned`", "a\\$b", 'a"b', "END_OF_FILE\nEND_OF_FILE", "a\\\\"]
)
def test_nothing_in_the_configuration_is_run(tmp_path: Path, issuer: str) -> None:
    place = Place(tmp_path, auth={"issuer": issuer})
    found = place.secrets()
    assert content(found["regmirror-docker-hub-config"])["config.yml"]["auth"]["token"]["issuer"] == issuer
    assert not (tmp_path / "pwned").exists()


def test_it_holds_no_value() -> None:
    wanted = mirror()
    assert "canary" not in fill_script(wanted, secret_templates(wanted))
