"""Where the credentials of a pod go: what containerd sends to the mirror, and what to docker.io.

The kubelet gets credentials from a credential provider, such as one for workload identity, or from a pull secret. If a
new containerd changes an answer, reconsider docs/decisions/0030-no-workload-identity.md.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from lab.target_cluster import TargetCluster
from regmirror.desired.names import AUTH_SECRET
from regmirror.desired.suitable_charts import AUTH_CONFIG_KEY
from tests.e2e.credential_provider import USER
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_io import NOTHING, sha256
from tests.e2e.long_runs import only_in_long_runs
from tests.e2e.pulling_node import DOCKER_IO, MIRROR, PULL_SECRET, Node, pulling_node
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.lab, only_in_long_runs]

PASSWORD = "password-of-the-workload"
PASSWORD_IN_DOCKER_AUTH = "$2b$05$abcdefghijklmnopqrstuuKjlnXrTRZQsKvg2U31hEOiARhd2ghhm"
ALLOWED, REFUSED = "library/demo:1", "outside/forbidden:1"


@pytest.fixture(scope="module")
def node(
    target: TargetCluster, new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Node]:
    """The lab's node, with a mirror that does not know the credentials of its pods."""
    if target.lab is None:
        pytest.skip("the kubelet is only restarted in the lab")
    mirror = new_mirror()
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    with pulling_node(mirror, tmp_path_factory.mktemp("provider")) as node:
        yield node


@dataclass(frozen=True)
class Pull:
    """A pull: its error, or nothing if it succeeded, and who got the credentials."""

    error: str
    receivers: set[str]


Pulling = Callable[[Node, str], Pull]
Situation = Callable[[Node], AbstractContextManager[Any]]


def with_account(node: Node, image: str) -> Pull:
    """Pull with an account and its password from the credential provider."""
    node.provider.answer_with(PASSWORD)
    return Pull(node.pull(image), node.receivers(sha256(PASSWORD)))


def with_token(node: Node, image: str) -> Pull:
    """Pull with the ServiceAccount token of the pod from the credential provider: workload identity."""
    node.provider.answer_with_token()
    return Pull(node.pull(image), node.receivers(node.provider.token_hash))


def with_pull_secret(node: Node, image: str) -> Pull:
    """Pull with the account at docker.io, from an ordinary pull secret."""
    assert node.mirror.target.lab is not None
    node.provider.answer_with_nothing()
    return Pull(node.pull(image, PULL_SECRET), node.receivers(sha256(node.mirror.target.lab["hub"]["password"])))


def mirror_down(node: Node) -> AbstractContextManager[None]:
    """A mirror that refuses connections."""
    return node.tap.down()


PULLS = [with_account, with_token, with_pull_secret]
FROM_DOCKER_IO = [
    pytest.param(ALLOWED, nullcontext, {MIRROR, DOCKER_IO}, id="allowed"),
    pytest.param(REFUSED, nullcontext, {MIRROR, DOCKER_IO}, id="refused"),
    pytest.param(ALLOWED, mirror_down, {DOCKER_IO}, id="mirror down"),
    pytest.param(REFUSED, Node.without_docker_io, {MIRROR}, id="no fallback"),
]
FROM_THE_MIRROR = [
    pytest.param(ALLOWED, nullcontext, {MIRROR}, id="allowed"),
    pytest.param(REFUSED, nullcontext, {MIRROR}, id="refused"),
    pytest.param(ALLOWED, mirror_down, set(), id="mirror down"),
]


@pytest.mark.parametrize("pull", PULLS)
@pytest.mark.parametrize(("image", "situation", "receivers"), FROM_DOCKER_IO)
def test_credentials_for_docker_io_reach_docker_io_wherever_the_mirror_does_not_accept_them(
    node: Node, pull: Pulling, image: str, situation: Situation, receivers: set[str]
) -> None:
    """Also for an image that everyone may pull: the mirror refuses an account that it does not know."""
    with situation(node):
        assert pull(node, f"docker.io/{image}").receivers == receivers


@pytest.mark.parametrize("pull", PULLS)
@pytest.mark.parametrize(("image", "situation", "receivers"), FROM_THE_MIRROR)
def test_credentials_for_the_mirror_reach_only_the_mirror(
    node: Node, pull: Pulling, image: str, situation: Situation, receivers: set[str]
) -> None:
    """The kubelet does not use a pull secret of docker.io for an image with the name of the mirror."""
    with situation(node):
        expected = set() if pull is with_pull_secret else receivers
        assert pull(node, f"{node.mirror.host}/{image}").receivers == expected


def test_docker_io_with_accepted_credentials(node: Node) -> None:
    """An account that the mirror knows reaches docker.io as soon as the mirror refuses an image, or is down."""
    with accepted(node.mirror):
        assert with_account(node, f"docker.io/{ALLOWED}") == Pull("", {MIRROR})
        assert node.docker_io.what_docker_io_saw() == NOTHING
        assert with_account(node, f"docker.io/{REFUSED}").receivers == {MIRROR, DOCKER_IO}
        with node.tap.down():
            assert with_account(node, f"docker.io/{ALLOWED}").receivers == {DOCKER_IO}
        assert with_account(node, f"{node.mirror.host}/{ALLOWED}") == Pull("", {MIRROR})
        assert node.docker_io.what_docker_io_saw() == NOTHING


def test_a_login_in_hosts_toml_reaches_only_the_mirror(node: Node) -> None:
    node.provider.answer_with_nothing()
    with node.with_login(USER, PASSWORD):
        for image in (ALLOWED, REFUSED):
            assert node.pull(f"docker.io/{image}") == ""
            assert node.receivers(sha256(PASSWORD)) == {MIRROR}
            assert node.docker_io.what_docker_io_saw().requests
        with accepted(node.mirror):
            assert node.pull(f"docker.io/{ALLOWED}") == ""
            assert node.docker_io.what_docker_io_saw() == NOTHING
            # A pull secret for docker.io is used instead of the login, and the mirror refuses it.
            assert node.pull(f"docker.io/{ALLOWED}", PULL_SECRET) == ""
            assert node.docker_io.what_docker_io_saw().requests
            assert node.receivers(sha256(PASSWORD)) == {MIRROR}


@contextmanager
def accepted(mirror: DeployedMirror) -> Iterator[None]:
    """docker_auth with the account of the credential provider, for the duration of the block."""
    original = mirror.objects("secrets", f"--field-selector=metadata.name={AUTH_SECRET}")[0]["data"][AUTH_CONFIG_KEY]
    configuration = yaml.safe_load(base64.b64decode(original))
    configuration["users"][USER] = {"password": PASSWORD_IN_DOCKER_AUTH}
    _configure(mirror, base64.b64encode(yaml.safe_dump(configuration).encode()).decode())
    try:
        yield
    finally:
        _configure(mirror, original)


def _configure(mirror: DeployedMirror, content: str) -> None:
    """Restart docker_auth with the content of its file, in Base64."""
    mirror.kubectl("patch", "secret", AUTH_SECRET, "-p", json.dumps({"data": {AUTH_CONFIG_KEY: content}}))
    mirror.kubectl("rollout", "restart", "deployment/regmirror-auth")
    mirror.kubectl("rollout", "status", "deployment/regmirror-auth")
    # The old pod serves for some seconds while it stops.
    wait_until(lambda: len(mirror.objects("pods", "-l", "app.kubernetes.io/instance=regmirror-auth")) == 1)
