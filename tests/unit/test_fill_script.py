"""fill-secrets.sh prints the Secrets that deploy applies, for any values."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from regmirror.desired.auth_config import auth_config
from regmirror.desired.mirror_secrets import Account
from regmirror.desired.secret_templates import secret_templates
from regmirror.desired.secrets import secret_manifests
from regmirror.desired.user_accounts import UserAccount
from regmirror.render.fill_script import fill_script
from regmirror.signing.key_pair import is_authority, load_key_pair
from tests import samples
from tests.golden import check_golden
from tests.unit.test_secret_templates import mirror, parsed

KUBECTL = """\
#!/bin/sh
# Reads Secrets from a directory: SECRET/KEY.
options=yes
for word; do
  case $options$word in
    yesgo-template=*) key=${word#*data \\"}; key=${key%%\\"*} ;;
    yes--) options= ;;
  esac
done
case $* in
  *"range"*) for entry in "$CLUSTER/$word"/*; do
    if [ -e "$entry" ]; then printf '%s ' "${entry##*/}"; cat "$entry"; echo; fi
  done ;;
  *) cat "$CLUSTER/$word/$key" 2>/dev/null || true ;;
esac
"""
STRANGE = ["plain", 'quo"te', "back\\slash", "$HOME `id` $(id)", "spa ce'; #", "{{ .x }} %s", "<&>", "é"]


class ScriptDirectory:
    """A directory with the script, a fake kubectl, and the Secrets of its cluster."""

    def __init__(self, directory: Path, **changes: Any) -> None:
        self.directory = directory
        self.mirror = mirror(**changes)
        (directory / "fill.sh").write_text(fill_script(self.mirror, secret_templates(self.mirror)))
        (directory / "kubectl").write_text(KUBECTL)
        (directory / "kubectl").chmod(0o755)
        self.put_secret("hub", "token", "canary-hub-token")
        pair = samples.key_pair()
        self.put_secret("regmirror-signing", "tls.key", pair.key_pem.decode())
        self.put_secret("regmirror-signing", "tls.crt", pair.certificate_pem.decode())
        self.write("s3", "canary-s3-secret\n")

    def put_secret(self, secret: str, key: str, value: str) -> None:
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
        return {secret["metadata"]["name"]: secret for secret in yaml.safe_load_all(done.stdout)}


@pytest.fixture
def script(tmp_path: Path) -> ScriptDirectory:
    return ScriptDirectory(tmp_path)


def content(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: parsed(key, base64.b64decode(value).decode()) for key, value in manifest["data"].items()}


@pytest.mark.parametrize("value", STRANGE)
def test_it_prints_the_secrets_that_deploy_applies(script: ScriptDirectory, value: str) -> None:
    script.write("s3", value)
    script.put_secret("hub", "token", value)
    account = Account(SecretStr("canary-s3-id"), SecretStr(value))
    hub = Account(SecretStr("canary-hub-name"), SecretStr(value))
    wanted = samples.mirror_secrets(s3=account, upstreams={"docker-hub": hub})
    secrets = script.secrets()
    for manifest in secret_manifests(script.mirror, wanted):
        name = manifest["metadata"]["name"]
        if name in secrets:
            assert content(secrets[name]) == content(manifest)
            assert secrets[name]["type"] == manifest["type"]
            assert secrets[name]["metadata"]["labels"] == manifest["metadata"]["labels"]
    assert len(secrets) == 6


def test_redis_reads_the_password_that_the_registries_use(script: ScriptDirectory) -> None:
    password = 'a"b\\c $d'
    secrets = script.secrets(REGMIRROR_REDIS_PASSWORD=password)
    config = base64.b64decode(secrets["regmirror-redis-config"]["data"]["valkey.conf"]).decode()
    assert 'requirepass "a\\"b\\\\c $d"\n' in config
    assert content(secrets["regmirror-docker-hub-config"])["config.yml"]["redis"]["password"] == password


def test_a_password_is_generated_once_and_then_kept(script: ScriptDirectory) -> None:
    first = base64.b64decode(script.secrets(REGMIRROR_REDIS_PASSWORD="")["regmirror-redis-config"]["data"]["password"])
    assert len(first) == 48
    script.put_secret("regmirror-redis-config", "password", first.decode())
    again = script.secrets(REGMIRROR_REDIS_PASSWORD="")["regmirror-redis-config"]["data"]["password"]
    assert base64.b64decode(again) == first


def test_a_signing_key_is_generated_if_there_is_none(tmp_path: Path) -> None:
    script = ScriptDirectory(tmp_path, auth={"keySize": 2048})
    (tmp_path / "cluster/regmirror-signing/tls.key").unlink()
    secrets = script.secrets("regmirror-signing", "regmirror-bundle")
    signing = {key: base64.b64decode(value) for key, value in secrets["regmirror-signing"]["data"].items()}
    pair = load_key_pair(signing["tls.crt"], signing["tls.key"])
    assert pair.private_key.key_size == 2048
    assert not is_authority(pair.certificate)
    assert base64.b64decode(secrets["regmirror-bundle"]["data"]["bundle.crt"]) == signing["tls.crt"]


def test_a_bundle_of_two_certificates_is_kept(script: ScriptDirectory) -> None:
    both = (samples.key_pair(2).certificate_pem + samples.key_pair().certificate_pem).decode()
    script.put_secret("regmirror-bundle", "bundle.crt", both)
    secrets = script.secrets("regmirror-bundle")
    assert base64.b64decode(secrets["regmirror-bundle"]["data"]["bundle.crt"]).decode() == both


def test_only_selected_secrets_need_their_values(script: ScriptDirectory) -> None:
    assert list(script.secrets("regmirror-signing", S3_ID="", HUB_NAME="")) == ["regmirror-signing"]


def test_each_secret_is_piped_through_the_command_separately(script: ScriptDirectory) -> None:
    done = script.run("--each", "sed 's/^kind: .*/kind: SealedSecret/'")
    sealed = list(yaml.safe_load_all(done.stdout))
    assert [secret["kind"] for secret in sealed] == ["SealedSecret"] * 6
    assert script.run("--each", "exit 7").returncode == 7


def test_it_lists_the_secrets(script: ScriptDirectory) -> None:
    assert script.run("--list").stdout.split() == [
        template.name for template in secret_templates(script.mirror) if template.placeholders
    ]


@pytest.mark.parametrize(
    ("environment", "words", "message"),
    [
        ({"S3_ID": ""}, [], "storage.accessKey.id: the environment variable S3_ID is empty or not set"),
        (
            {"S3_ID": "a\nb"},
            [],
            "storage.accessKey.id: the environment variable S3_ID contains line breaks or control characters",
        ),
        ({}, ["other"], "unknown Secret other; run sh fill-secrets.sh --list"),
    ],
)
def test_a_missing_value_is_reported(
    script: ScriptDirectory, environment: dict[str, str], words: list[str], message: str
) -> None:
    done = script.run(*words, **environment)
    assert done.returncode == 1
    assert done.stderr == f"fill-secrets.sh: {message}\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    "issuer", ["$(touch pwned)", "`touch pwned`", "a\\$b", 'a"b', "END_OF_FILE\nEND_OF_FILE", "a\\\\"]
)
def test_no_text_of_the_configuration_is_executed(tmp_path: Path, issuer: str) -> None:
    script = ScriptDirectory(tmp_path, auth={"issuer": issuer})
    secrets = script.secrets()
    assert content(secrets["regmirror-docker-hub-config"])["config.yml"]["auth"]["token"]["issuer"] == issuer
    assert not (tmp_path / "pwned").exists()


def test_it_contains_no_secret_value() -> None:
    wanted = mirror()
    assert "canary" not in fill_script(wanted, secret_templates(wanted))


def test_its_text_is_the_golden_file() -> None:
    wanted = mirror()
    check_golden("rendered/fill-secrets.sh", fill_script(wanted, secret_templates(wanted)))


def test_shellcheck_finds_nothing(script: ScriptDirectory) -> None:
    program = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("shellcheck is not installed")
    checked = subprocess.run([program, "fill.sh"], cwd=script.directory, capture_output=True, text=True, check=False)
    assert checked.stdout == ""


def test_the_secrets_of_a_sign_in_are_those_that_deploy_applies(tmp_path: Path) -> None:
    client = {"clientId": "abc", "clientSecret": {"env": "CLIENT_SECRET"}}
    script = ScriptDirectory(tmp_path, access={"signIn": {"github": {**client, "organization": "acme"}}})
    wanted = {one["metadata"]["name"]: one for one in secret_manifests(script.mirror, samples.mirror_secrets())}
    known = {"CLIENT_SECRET": "canary-client-secret", "REGMIRROR_SIGN_IN_PASSWORD": "canary-sign-in-password"}
    for name in ("regmirror-auth-config", "regmirror-sign-in-config"):
        (found,) = script.secrets(name, **known).values()
        assert content(found) == content(wanted[name])
    generated = script.secrets("regmirror-sign-in-config", CLIENT_SECRET="x")["regmirror-sign-in-config"]
    assert len(base64.b64decode(generated["data"]["password"])) == 48
    assert "CLIENT_SECRET is empty or not set" in script.run("regmirror-auth-config").stderr


HASH = "$2b$10$" + "./aZ9" * 10 + "abc"
RULES = [{"allow": ["acme/*"], "users": ["alice"]}]
ALICE = UserAccount("alice", SecretStr(HASH), ("plat form", "a]b", "größe", "$(id)`"), "2026-11-26T14:00:00Z")
BOB = UserAccount("bob", SecretStr(HASH))


def with_rules(directory: Path, *accounts: UserAccount) -> ScriptDirectory:
    script = ScriptDirectory(directory, upstreams=[samples.document()["upstreams"][0] | {"rules": RULES}])
    for account in accounts:
        script.put_secret("regmirror-users", account.name, f"{account.entry().decode()}\n")
    return script


@pytest.mark.parametrize("accounts", [(), (BOB,), (ALICE, BOB)], ids=["none", "one", "two"])
def test_docker_auth_gets_the_accounts_as_from_deploy(tmp_path: Path, accounts: tuple[UserAccount, ...]) -> None:
    script = with_rules(tmp_path, *accounts)
    (secret,) = script.secrets("regmirror-auth-config").values()
    assert content(secret)["auth_config.yml"] == auth_config(script.mirror, accounts)


@pytest.mark.parametrize(
    "entry",
    [
        '{"groups": []}',
        '{"password": "", "groups": []}',
        '{"password": "canary", "groups": [], "changed": "2026-11-26T14:00:00Z"}',
        '{"password": null, "groups": []}',
        '{"password": "canary", "groups": []}',
        '{\n"password": "$2b$10$canary", "groups": []}',
        f'{{"password": "{HASH}", "groups": "canary"}}',
        f'{{"password": "{HASH}", "groups": [], "labels": ["canary"]}}',
        f'{{"password": "{HASH}", "groups": ["canary\\\\"]}}',
        f'{{"password": "{HASH[:-1]}", "groups": []}}',
    ],
)
def test_an_entry_that_is_not_an_account_is_refused_by_its_name(tmp_path: Path, entry: str) -> None:
    script = with_rules(tmp_path, BOB)
    script.put_secret("regmirror-users", "eve", entry)
    done = script.run("regmirror-auth-config")
    assert done.returncode == 1
    assert "entries that are not accounts: eve" in done.stderr
    assert "canary" not in done.stdout + done.stderr


def test_without_rules_for_accounts_the_configuration_is_in_git(script: ScriptDirectory) -> None:
    assert "regmirror-auth-config" not in script.run("--list").stdout
    assert "read_accounts" not in (script.directory / "fill.sh").read_text()
