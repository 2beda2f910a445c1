"""The runtimes' own parsers read the files of ``regmirror client-config``, and containerd logs in with them."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regmirror.client_config.catalog import RUNTIMES
from regmirror.client_config.registries import MirroredRegistry
from regmirror.client_config.setup import ClientOptions, ClientSetup

from .configurations import ROBOT
from .conftest import Servers
from .fake_registry import DIGEST, FakeRegistry, fake_registry
from .programs import START_TIMEOUT, Program
from .signing_keys import KeyPair, elliptic_key_pair

PARSERS = "client-parsers"
SOURCES = Path(__file__).parents[2] / "lab" / "go" / PARSERS
HUB = "https://registry-1.docker.io"
USER, PASSWORD = ROBOT
Parse = Callable[..., Any]


@pytest.fixture(scope="session")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Parse:
    """Runs a parser: from PATH in the lab, or built from source."""
    binary = shutil.which(PARSERS)
    if binary is None and shutil.which("go") is None:
        pytest.skip("the clients' parsers are missing: run these tests in the lab, or install Go")
    if binary is None:
        binary = str(tmp_path_factory.mktemp("parsers") / PARSERS)
        subprocess.run(["go", "build", "-buildvcs=false", "-o", binary, "."], cwd=SOURCES, check=True)

    def run(*words: str) -> Any:
        output = subprocess.run([binary, *words], capture_output=True, text=True, timeout=START_TIMEOUT, check=False)
        return json.loads(output.stdout) if output.returncode == 0 else output.stderr

    return run


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return elliptic_key_pair(tmp_path_factory.mktemp("tls"), "mirror")


@pytest.fixture
def mirror(program: Program, servers: Servers, tls: KeyPair) -> Iterator[FakeRegistry]:
    """A registry whose tokens come from each program under test."""
    with fake_registry(tls, f"http://127.0.0.1:{servers(program, 'mirror').port}/auth") as registry:
        yield registry


def written(runtime: str, options: ClientOptions, directory: Path) -> ClientSetup:
    """Writes the files of a runtime below a directory."""
    setup = RUNTIMES[runtime](options)
    for file in setup.files:
        path = directory / file.path.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)
    return setup


def options(host: str, tls: KeyPair, user: str = "") -> ClientOptions:
    return ClientOptions([MirroredRegistry("docker.io", HUB, host)], tls.certificate.read_text(), user)


def fill_in(setup: ClientSetup, directory: Path, password: str) -> None:
    """Does what the step about LOGIN says, with the command that it prints."""
    (step,) = [step for step in setup.steps if step.startswith("replace LOGIN")]
    command = step.partition("(bash): ")[2]
    run = subprocess.run(["bash", "-c", command], input=f"{password}\n", capture_output=True, text=True, check=True)
    for path in directory.rglob("hosts.toml"):
        path.write_text(path.read_text().replace("LOGIN", run.stdout.strip()))


def test_containerd_asks_the_mirror_first_and_then_docker_hub(parse: Parse, tls: KeyPair, tmp_path: Path) -> None:
    written("containerd", options("mirror.example.com", tls, "ci-robot"), tmp_path)
    directory = str(tmp_path / "etc/containerd/certs.d")
    mirror = {"url": "https://mirror.example.com", "authorization": ["Basic LOGIN"]}
    assert parse("containerd", "docker.io", directory) == [mirror, {"url": HUB, "authorization": None}]
    assert parse("containerd", "mirror.example.com", directory) == [mirror]


def test_pulls_of_the_kubelet_do_not_find_a_list_of_directories(
    parse: Parse, mirror: FakeRegistry, tls: KeyPair, tmp_path: Path
) -> None:
    """If this fails, containerd reads its own default: what the steps, the check and the guide say has to change."""
    fill_in(written("containerd", options(mirror.host, tls, USER), tmp_path), tmp_path, PASSWORD)
    directory = f"{tmp_path}/etc/containerd/certs.d"
    answer = parse("resolve", f"{mirror.host}/team/app:1", f"{directory}:{tmp_path}/etc/docker/certs.d")
    assert "401 Unauthorized" in answer, "the login in hosts.toml was found"
    assert parse("resolve", f"{mirror.host}/team/app:1", directory) == DIGEST


def test_containerd_logs_in_with_what_the_step_prints(
    parse: Parse, mirror: FakeRegistry, tls: KeyPair, tmp_path: Path
) -> None:
    setup = written("containerd", options(mirror.host, tls, USER), tmp_path)
    fill_in(setup, tmp_path, PASSWORD)
    directory = str(tmp_path / "etc/containerd/certs.d")
    for image in ("docker.io/team/app:1", f"{mirror.host}/team/app:1"):
        assert parse("resolve", image, directory) == DIGEST
    assert mirror.subjects == [USER, USER]


def test_containerd_gets_nothing_with_a_wrong_password(
    parse: Parse, mirror: FakeRegistry, tls: KeyPair, tmp_path: Path
) -> None:
    """By the mirror's own name: by Docker Hub's it would ask Docker Hub next."""
    setup = written("containerd", options(mirror.host, tls, USER), tmp_path)
    fill_in(setup, tmp_path, "wrong")
    answer = parse("resolve", f"{mirror.host}/library/demo:1", str(tmp_path / "etc/containerd/certs.d"))
    assert "401 Unauthorized" in answer
    assert mirror.subjects == []


@pytest.mark.parametrize("runtime", ["k3s", "rke2"])
def test_k3s_and_rke2_read_endpoint_account_and_ca(parse: Parse, tls: KeyPair, tmp_path: Path, runtime: str) -> None:
    written(runtime, options("mirror.example.com", tls, "ci-robot"), tmp_path)
    assert parse("k3s", str(tmp_path / f"etc/rancher/{runtime}/registries.yaml")) == {
        "endpoints": {"docker.io": ["https://mirror.example.com"]},
        "hosts": {
            "mirror.example.com": {
                "username": "ci-robot",
                "password": "PASSWORD",
                "caFile": f"/etc/rancher/{runtime}/regmirror-ca.crt",
            }
        },
    }
