"""Signatures and other artifacts that refer to an image: as at the upstream, and never hidden."""

import json
import secrets
import shutil
from pathlib import Path

import pytest

from lab.oci import INDEX
from regmirror.ports.http import Answer
from tests.e2e.deployed_mirror import DeployedMirror, run
from tests.e2e.docker_hub import requests
from tests.e2e.inject import faulty_hub
from tests.e2e.layer import client_of, token_for
from tests.e2e.upstream_artifacts import Descriptor, Repository
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.lab

SIGNATURE, SBOM = "application/vnd.dev.cosign.artifact.sig.v1+json", "application/spdx+json"


@pytest.fixture
def repository(mirror: DeployedMirror) -> Repository:
    if mirror.target.lab is None:
        pytest.skip("only the lab has an upstream that a test can fill")
    return Repository(f"library/signed-{secrets.token_hex(4)}")


def ask(mirror: DeployedMirror, repository: Repository, subject: Descriptor, query: str = "") -> Answer:
    path = f"/v2/{repository.name}/referrers/{subject['digest']}{query}"
    return client_of(mirror).request("GET", path, token_for(mirror, repository.name))


def digests(answer: Answer) -> list[str]:
    assert (answer.status, answer.headers["content-type"]) == (200, INDEX), answer.body
    return [manifest["digest"] for manifest in json.loads(answer.body)["manifests"]]


WITHOUT_API = {"registry": {"mode": "status", "status": 404, "only": "referrers"}}


@pytest.mark.parametrize("faults", [{}, WITHOUT_API], ids=["API", "tag schema"])
def test_referrers_are_those_of_the_upstream(
    mirror: DeployedMirror, repository: Repository, faults: dict[str, object]
) -> None:
    image = repository.image("1")
    attached = [repository.attach(image, kind)["digest"] for kind in (SIGNATURE, SBOM)]
    with faulty_hub(mirror, **faults):
        assert digests(ask(mirror, repository, image)) == attached
        assert digests(ask(mirror, repository, repository.image("2"))) == []
    only = ask(mirror, repository, image, f"?artifactType={SBOM.replace('+', '%2B')}")
    assert digests(only) == attached[1:]
    assert only.headers["oci-filters-applied"] == "artifactType"
    asked = [each for each in requests(mirror.target, repository.name) if each["kind"] == "referrers"]
    # The list is kept for seconds. The upstream knows the account of the mirror, unless it fails before it looks at it.
    account = "" if faults else mirror.target.environment["DOCKERHUB_USERNAME"]
    assert [(each["count"], each["account"]) for each in asked if each["status"] != 401] == [(2, account)]


def test_who_may_not_pull_an_image_does_not_learn_of_its_signatures(
    mirror: DeployedMirror, repository: Repository
) -> None:
    image = repository.image("1")
    repository.attach(image, SIGNATURE)
    path = f"/v2/{repository.name}/referrers/{image['digest']}"
    for token in (None, "no token", token_for(mirror, "library/demo")):
        assert client_of(mirror).request("GET", path, token).status == 401
    refused = client_of(mirror).request("GET", path.replace("library", "outside"), token_for(mirror, "library/demo"))
    assert refused.status == 401
    assert not [each for each in requests(mirror.target, repository.name) if each["kind"] == "referrers"]


@pytest.mark.parametrize("fault", [{"down": True}, {"registry": {"mode": "hang"}, "token": {"mode": "hang"}}])
def test_while_the_upstream_fails_known_lists_are_served_and_others_are_an_error(
    mirror: DeployedMirror, repository: Repository, fault: dict[str, object]
) -> None:
    image, other = repository.image("1"), repository.image("2")
    signature = repository.attach(image, SIGNATURE)["digest"]
    repository.attach(other, SIGNATURE)
    assert digests(ask(mirror, repository, image)) == [signature]
    with faulty_hub(mirror, **fault):
        assert ask(mirror, repository, other).status == 502
        assert digests(ask(mirror, repository, image)) == [signature]
    wait_until(lambda: ask(mirror, repository, other).status == 200)


def test_oras_finds_and_copies_what_is_attached(mirror: DeployedMirror, repository: Repository, tmp_path: Path) -> None:
    if shutil.which("oras") is None:
        pytest.skip("oras is missing")
    image = repository.image("1")
    signature = repository.attach(image, SIGNATURE)["digest"]
    name, ca = f"{mirror.host}/{repository.name}:1", ["--ca-file", str(mirror.target.authority)]
    found = run(["oras", "discover", *ca, "--format", "json", name], tmp_path, {})
    assert found.code == 0, found.stderr
    assert [each["digest"] for each in found.document["referrers"]] == [signature]
    copied = run(
        ["oras", "copy", "--recursive", "--from-ca-file", ca[1], name, "--to-oci-layout", "copy:1"], tmp_path, {}
    )
    assert copied.code == 0, copied.stderr
    assert (tmp_path / "copy/blobs/sha256" / signature.removeprefix("sha256:")).exists()
