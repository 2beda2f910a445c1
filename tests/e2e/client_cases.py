"""What each client does with a mirror that has a private CA: the cases, and their results, which docs/clients.json has.

A client has the files of client-config. The trust store of its machine has the CA of the mirror only in cases that say
so. Every other difference between clients is theirs.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.artifact_clients import ArtifactClient
from tests.e2e.client_machine import ClientMachine
from tests.e2e.client_observation import Observation, Result
from tests.e2e.client_programs import BASE, Builder, Client, Containers, Skopeo
from tests.e2e.containerd_clients import Containerd
from tests.e2e.deployed_mirror import Outcome
from tests.e2e.docker_clients import BuildKit, Docker
from tests.e2e.docker_hub import digest_of
from tests.e2e.long_runs import LONG

REFUSED_IMAGE = "outside/forbidden:1"
WRONG_PASSWORD = "password-of-someone"
Action = Callable[[Client, ClientMachine], Outcome]

CLIENTS: dict[str, Client] = {
    "Docker of Debian": Docker(),
    "BuildKit": BuildKit(),
    "podman of Debian": Containers("podman"),
    "buildah of Debian": Containers("buildah"),
    "skopeo of Debian": Skopeo(),
    "containerd, called by crictl": Containerd("crictl"),
    "containerd, called by ctr": Containerd("ctr"),
    "containerd of Debian, called by crictl": Containerd("crictl", is_debian=True),
    "crane": ArtifactClient("crane", ("pull", "{image}", "{directory}/image.tar"), "crane"),
    "Helm 4": ArtifactClient("helm", ("pull", "oci://{image}", "--destination={directory}"), "helm4"),
    "Helm 3": ArtifactClient("helm3", ("pull", "oci://{image}", "--destination={directory}"), "helm3"),
    "oras": ArtifactClient("oras", ("pull", "{image}", "--output={directory}/artifact"), "oras"),
    "oras discover": ArtifactClient("oras", ("discover", "{image}"), "oras"),
    "Docker 29": Docker("dockerd-29", "docker-29"),
}
KUBELET = "kubelet"
"""With containerd of the lab's node; tests/e2e/test_client_config.py runs a pod."""
CLIENTS_OF_LONG_RUNS = ("Docker 29", "skopeo of Debian", "containerd, called by ctr")


@dataclass(frozen=True)
class Case:
    """What a client does, and the result; ``leaked``: the mirror receives the account for Docker Hub."""

    client: str
    action: str
    result: Result = Result.MIRROR
    trusted: bool = False
    leaked: bool = False

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.client}: {self.action}" + (", CA in the trust store" if self.trusted else "")

    @property
    def is_run(self) -> bool:
        """Whether this run of the tests includes the case."""
        return LONG or not (self.client in CLIENTS_OF_LONG_RUNS or self.action in ACTIONS_OF_LONG_RUNS)


def row_of(case: Case, version: str, seen: Observation) -> dict[str, Any]:
    """What is recorded of a case."""
    return {
        "client": case.client,
        "version": version,
        "case": case.action,
        "trusted": case.trusted,
        "result": seen.result,
        "dockerIo": seen.docker_io,
        "leaked": seen.leaked,
    }


def _pull(image: str, architecture: str = "") -> Action:
    return lambda client, machine: client.pull(machine, image.format(host=machine.mirror.host), architecture)


def _by_digest(client: Client, machine: ClientMachine) -> Outcome:
    return client.pull(machine, f"docker.io/library/demo@{digest_of('library/demo:1')}")


def _logged_in_at_docker_hub(client: Client, machine: ClientMachine) -> Outcome:
    machine.log_in("docker.io", machine.lab["hub"]["username"], machine.lab["hub"]["password"])
    return client.pull(machine, BASE)


def _with_a_wrong_account(client: Client, machine: ClientMachine) -> Outcome:
    machine.log_in(machine.mirror.host, "someone", WRONG_PASSWORD)
    return client.pull(machine, BASE)


def _short_name_with_a_search(client: Client, machine: ClientMachine) -> Outcome:
    with (machine.directory / "etc/containers/registries.conf").open("a") as file:
        file.write('\nunqualified-search-registries = ["docker.io"]\n')
    return client.pull(machine, "library/demo:1")


def _build(client: Client, machine: ClientMachine, *options: str, **environment: str) -> Outcome:
    assert isinstance(client, Builder)
    return client.build(machine, *options, **environment)


def _build_with_ca(client: Client, machine: ClientMachine) -> Outcome:
    """With the option that a step of client-config names; its ca.crt is in the working directory."""
    assert machine.mirror.target.authority
    shutil.copy(machine.mirror.target.authority, machine.directory / "ca.crt")
    option = "--registry-auth-tlscontext"
    return _build(client, machine, option, machine.in_step(rf"{option} (\S+)"))


def _build_with_directory(client: Client, machine: ClientMachine) -> Outcome:
    """With the variable that a step of client-config names."""
    directory = machine.in_step(r"SSL_CERT_DIR=(\S+) docker build")
    return _build(client, machine, DOCKER_BUILDKIT="1", SSL_CERT_DIR=directory)


PULL = "pull"
DIGEST = "pull by digest"
PLATFORM = "pull for another platform"
OWN_NAME = "pull by the mirror's own name"
REFUSED = "pull an image that the mirror refuses"
OWN_NAME_REFUSED = "pull it by the mirror's own name"
MISSING = "pull a tag that does not exist"
SHORT = "pull by a short name"
SHORT_WITH_SEARCH = "pull by a short name, with `unqualified-search-registries`"
LOGGED_IN = "pull, logged in to Docker Hub"
WRONG_ACCOUNT = "pull, with a wrong account for the mirror"
BUILD = "build"
BUILD_WITH_BUILDKIT = "build with BuildKit"
BUILD_WITH_CA = "build, with `--registry-auth-tlscontext`"
BUILD_WITH_DIRECTORY = "build with BuildKit and `SSL_CERT_DIR`"
CHART, ARTIFACT = "pull a chart", "pull an artifact"
REFERRERS = "list what refers to an artifact"
POD = "run a pod"
ATTESTED = "pull an image with attestations"
ACTIONS_OF_LONG_RUNS = (DIGEST, PLATFORM, OWN_NAME_REFUSED, MISSING)

ACTIONS: dict[str, Action] = {
    PULL: _pull(BASE),
    DIGEST: _by_digest,
    PLATFORM: _pull(BASE, "arm64"),
    OWN_NAME: _pull("{host}/library/demo:1"),
    REFUSED: _pull(f"docker.io/{REFUSED_IMAGE}"),
    OWN_NAME_REFUSED: _pull(f"{{host}}/{REFUSED_IMAGE}"),
    MISSING: _pull("docker.io/library/demo:missing"),
    SHORT: _pull("library/demo:1"),
    SHORT_WITH_SEARCH: _short_name_with_a_search,
    LOGGED_IN: _logged_in_at_docker_hub,
    WRONG_ACCOUNT: _with_a_wrong_account,
    BUILD: lambda client, machine: _build(client, machine, DOCKER_BUILDKIT="0"),
    BUILD_WITH_BUILDKIT: lambda client, machine: _build(client, machine, DOCKER_BUILDKIT="1"),
    BUILD_WITH_CA: _build_with_ca,
    BUILD_WITH_DIRECTORY: _build_with_directory,
    CHART: _pull("{host}/acme/chart"),
    ARTIFACT: _pull("{host}/acme/artifact:1"),
    REFERRERS: _pull("{host}/acme/artifact:1"),
    ATTESTED: _pull("docker.io/acme/attested:1"),
}


def _usual(client: str, *left_out: str, trusted: bool = False) -> list[Case]:
    """What all clients do that use a mirror for Docker Hub's names."""
    results = {
        PULL: Result.MIRROR,
        DIGEST: Result.MIRROR,
        PLATFORM: Result.MIRROR,
        OWN_NAME: Result.MIRROR,
        REFUSED: Result.DOCKER_IO,
        OWN_NAME_REFUSED: Result.REFUSED,
        MISSING: Result.NOT_FOUND,
    }
    return [
        Case(client, action, result, trusted=trusted) for action, result in results.items() if action not in left_out
    ]


def _containers(client: str, *more: Case) -> list[Case]:
    wrong = Case(client, WRONG_ACCOUNT, Result.DOCKER_IO)
    return [*_usual(client), Case(client, LOGGED_IN), wrong, *more]


def _artifacts(client: str, action: str) -> list[Case]:
    """Programs that trust only what the machine trusts, and that never ask docker.io."""
    return [Case(client, action, Result.REFUSED), Case(client, action, trusted=True)]


_DOCKER, _BUILDKIT, _PODMAN = "Docker of Debian", "BuildKit", "podman of Debian"
CASES: list[Case] = [
    *_usual(_DOCKER),
    Case(_DOCKER, SHORT),
    Case(_DOCKER, WRONG_ACCOUNT),
    Case(_DOCKER, LOGGED_IN, Result.DOCKER_IO, leaked=True),
    Case(_DOCKER, BUILD),
    Case(_DOCKER, BUILD_WITH_BUILDKIT, Result.DOCKER_IO),
    Case(_DOCKER, BUILD_WITH_DIRECTORY),
    Case(_DOCKER, BUILD_WITH_BUILDKIT, trusted=True),
    Case(_BUILDKIT, BUILD, Result.DOCKER_IO),
    Case(_BUILDKIT, BUILD_WITH_CA),
    *_usual(_BUILDKIT, trusted=True),
    Case(_BUILDKIT, LOGGED_IN, trusted=True),
    Case(_BUILDKIT, WRONG_ACCOUNT, Result.DOCKER_IO, trusted=True),
    *_containers(_PODMAN, Case(_PODMAN, BUILD), Case(_PODMAN, SHORT, Result.REFUSED), Case(_PODMAN, SHORT_WITH_SEARCH)),
    Case("buildah of Debian", PULL),
    Case("buildah of Debian", BUILD),
    *_containers("skopeo of Debian"),
    *_usual("containerd, called by crictl", PLATFORM),
    Case("containerd, called by crictl", LOGGED_IN, Result.DOCKER_IO, leaked=True),
    *_usual("containerd, called by ctr"),
    *_usual("containerd of Debian, called by crictl", PLATFORM),
    Case("containerd of Debian, called by crictl", LOGGED_IN, Result.DOCKER_IO, leaked=True),
    Case(KUBELET, POD),
    *_artifacts("crane", OWN_NAME),
    *_artifacts("Helm 4", CHART),
    *_artifacts("Helm 3", CHART),
    *_artifacts("oras", ARTIFACT),
    Case("oras discover", REFERRERS, trusted=True),
    *_usual("Docker 29"),
    Case("Docker 29", LOGGED_IN),
    Case("Docker 29", ATTESTED),
]
