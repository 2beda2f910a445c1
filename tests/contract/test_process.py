"""The program as a process: invalid configurations, reloads, and exit."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest

from .case import DEMO, auth
from .configurations import Configuration, entry, mirror
from .programs import START_TIMEOUT, Program, Server, free_port, running, write_configuration
from .signing_keys import KeyPair, elliptic_key_pair, rsa_key_pair

Change = Callable[[Configuration], Configuration]


def changing(section: str, **settings: Any) -> Change:
    return lambda configuration: {**configuration, section: {**configuration.get(section, {}), **settings}}


def without(key: str) -> Change:
    return lambda configuration: {name: value for name, value in configuration.items() if name != key}


def adding(**sections: Any) -> Change:
    return lambda configuration: {**configuration, **sections}


# Configurations that both programs reject, by the stand-in's message.
REFUSED_BY_BOTH: Mapping[str, Change] = {
    "server.addr is missing": changing("server", addr=""),
    "token.issuer is missing": changing("token", issuer=""),
    "token.expiration must be a positive number of seconds, not 0": changing("token", expiration=0),
    "token.certificate and token.key are both required": changing("token", key=""),
    "open /no-such.key": changing("token", key="/no-such.key"),
    "server.certificate and server.key are required together": changing("server", certificate="/one.crt"),
    "open /no-such.crt": changing("server", certificate="/no-such.crt", key="/no-such.key"),
    'acl entry 1: match pattern "/(/"': adding(acl=[entry([]), entry(["pull"], name="/(/")]),
    'acl entry 0: match pattern "/[/"': adding(acl=[entry([], labels={"groups": "/[/"})]),
    "acl entry 0: match ip: invalid CIDR address: 300.0.0.1": adding(acl=[entry(["pull"], ip="300.0.0.1")]),
    "acl is missing": without("acl"),
    "users is missing": without("users"),
    "cannot unmarshal": adding(users=["alice"]),
}

# Configurations that the stand-in rejects because it does not support them, or because docker_auth would crash.
REFUSED_BY_THE_STAND_IN: Mapping[str, Change] = {
    "field google_auth not found": adding(google_auth={"client_id": "x"}),
    "field ext_auth not found": adding(ext_auth={"command": "/bin/true"}),
    "the stand-in does not support variables of labels": adding(acl=[entry([], name="${labels:group}/*")]),
    "field path_prefix not found": changing("server", path_prefix="/prefix"),
    "field disable_legacy_key_ids not found": changing("token", disable_legacy_key_ids=True),
    "acl entry 1: match and actions are both required": adding(acl=[entry([]), {"actions": ["pull"]}]),
    "acl entry 0: match and actions are both required": adding(acl=[{"match": {"name": "a"}}]),
}
REFUSED = {**REFUSED_BY_BOTH, **REFUSED_BY_THE_STAND_IN}


def refusal(program: Program, configuration: Configuration, file: Path) -> str:
    """The standard error of a program that exits at once with 1."""
    write_configuration(file, configuration, free_port())
    command = program.command(file)
    result = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT, check=False)
    assert result.returncode == 1, f"exit status {result.returncode}: {result.stderr}"
    return result.stderr


@pytest.mark.parametrize("words", REFUSED)
def test_the_stand_in_names_what_it_refuses(words: str, stand_in: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    file = tmp_path / "auth_config.yml"
    message = refusal(stand_in, REFUSED[words](mirror(key_pair)), file)
    assert words in message
    assert f"configuration {file}" in message


@pytest.mark.parametrize("words", REFUSED_BY_BOTH)
def test_docker_auth_refuses_it_too(words: str, docker_auth: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    assert refusal(docker_auth, REFUSED[words](mirror(key_pair)), tmp_path / "auth_config.yml")


def test_a_key_of_another_certificate_is_refused(program: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    other = rsa_key_pair(tmp_path, "other")
    configuration = changing("token", key=str(other.key))(mirror(key_pair))
    assert "private key does not match public key" in refusal(program, configuration, tmp_path / "auth_config.yml")


def test_the_stand_in_signs_with_rsa_only(stand_in: Program, tmp_path: Path) -> None:
    configuration = mirror(elliptic_key_pair(tmp_path, "elliptic"))
    assert "supports only RSA keys" in refusal(stand_in, configuration, tmp_path / "auth_config.yml")


@pytest.mark.parametrize("arguments", [[], ["/no/such/auth_config.yml"]], ids=["no file named", "no such file"])
def test_without_a_configuration_file_it_ends(arguments: list[str], program: Program) -> None:
    command = [str(program.binary), "--logtostderr", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=START_TIMEOUT, check=False)
    assert (result.returncode, "config" in result.stderr.lower()) == (1, True)


def test_without_a_place_for_its_log_file_it_ends(program: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    file = tmp_path / "auth_config.yml"
    write_configuration(file, mirror(key_pair), free_port())
    result = subprocess.run(
        [str(program.binary), "--alsologtostderr", str(file)],
        env={**os.environ, "TMPDIR": str(tmp_path / "missing")},
        capture_output=True,
        text=True,
        timeout=START_TIMEOUT,
        check=False,
    )
    assert result.returncode == 2
    assert "missing" in result.stderr


def test_the_stand_in_says_what_it_is(stand_in: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    with running(stand_in, mirror(key_pair), tmp_path / "auth_config.yml") as server:
        server.log.await_text("this is the regmirror lab's stand-in for docker_auth")


def test_a_stop_signal_ends_it_with_status_1(program: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    with running(program, mirror(key_pair), tmp_path / "auth_config.yml") as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(START_TIMEOUT) == 1


def granted(server: Server) -> list[str]:
    token = json.loads(server.ask(auth(DEMO)).body)["token"]
    actions: list[str] = jwt.decode(token, options={"verify_signature": False})["access"][0]["actions"]
    return actions


def test_a_rewritten_configuration_is_used(program: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    file = tmp_path / "auth_config.yml"
    with running(program, mirror(key_pair), file) as server:
        assert granted(server) == ["pull"]
        write_configuration(file, adding(acl=[])(mirror(key_pair)), server.port)
        server.log.await_text("Serving on", times=2)
        assert granted(server) == []


def test_an_updated_secret_is_used(program: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    """The file is a link through ``..data``, which Kubernetes points at another directory to update a Secret."""
    file, data, old, new = (tmp_path / name for name in ("auth_config.yml", "..data", "old", "new"))
    old.mkdir()
    new.mkdir()
    data.symlink_to(old.name)
    file.symlink_to(f"{data.name}/{file.name}")
    with running(program, mirror(key_pair), file) as server:
        assert granted(server) == ["pull"]
        write_configuration(new / file.name, adding(acl=[])(mirror(key_pair)), server.port)
        (tmp_path / "..data_tmp").symlink_to(new.name)
        (tmp_path / "..data_tmp").replace(data)
        (old / file.name).unlink()
        server.log.await_text("Serving on", times=2)
        assert granted(server) == []


def test_a_broken_new_configuration_is_not_used(program: Program, key_pair: KeyPair, tmp_path: Path) -> None:
    file = tmp_path / "auth_config.yml"
    with running(program, mirror(key_pair), file) as server:
        write_configuration(file, without("acl")(mirror(key_pair)), server.port)
        server.log.await_text("server not restarted")
        assert granted(server) == ["pull"]
