"""What the fetcher answers behind a real nginx: referrers of the upstream, and layers of separate repositories."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from .front import configuration
from .helm import Helm
from .manifests import pod
from .test_front import BIG, PULL, Front, Program, run, serving

SUBJECT = "sha256:" + "a" * 64
REFERRERS = f"/v2/library/a/referrers/{SUBJECT}"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = f"sha256:{hashlib.sha256(BIG).hexdigest()}"
PRIVATE, OPEN = (f"/v2/{repository}/blobs/{LAYER}" for repository in ("acme/private", "library/a"))


class PrivateLayer(Program):
    """A registry whose layer is in one repository only."""

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str]]:
        status, headers = super().answer(handler)
        return (404 if status == 200 and handler.path == OPEN else status), headers


class OpenUpstream(Program):
    """Needs no token."""

    def answer(self, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str]]:
        self.asked.append((handler.command, handler.path, {}))
        return self.status, self.headers


@pytest.fixture
def upstream() -> Program:
    return OpenUpstream(headers={"Content-Type": INDEX}, body=b'{"schemaVersion":2,"manifests":[]}')


@pytest.fixture
def front(helm3: Helm, tmp_path: Path, upstream: Program) -> Iterator[Front]:
    text = configuration(helm3, "registry", {"upstream": {"url": "http://hub.example.com"}})
    with serving(upstream) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        with run(text, "registry", tmp_path, None, "--upstream", url) as front:
            yield front


def test_referrers_are_asked_of_the_upstream_by_clients_with_a_token(front: Front, upstream: Program) -> None:
    answer = front.ask("GET", f"{REFERRERS}?ns=docker.io&artifactType=x", PULL)
    assert (answer.status, answer.headers["Content-Type"]) == (200, INDEX)
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"
    assert upstream.asked == [("GET", REFERRERS, {})]
    assert front.ask("HEAD", REFERRERS, PULL).status == 200
    assert front.program.asked == []


def test_nobody_else_learns_of_referrers(front: Front, upstream: Program) -> None:
    for headers in ({}, {"Authorization": "Bearer bad"}):
        assert front.ask("GET", REFERRERS, headers).status == 401
    assert {path.split("/")[-2] for _, path, _ in front.program.asked} == {"manifests"}, "it has no referrers: 404"
    for path in (REFERRERS[:-1], REFERRERS.replace("library/a", "Library"), f"{REFERRERS}/x", "/v2/referrers/x"):
        front.ask("GET", path, PULL)
    assert front.ask("DELETE", REFERRERS, PULL).status == 200, "the registry's own answer"
    assert upstream.asked == []


def test_referrers_that_are_not_known_are_an_error_and_no_404(front: Front, upstream: Program) -> None:
    upstream.status = 503
    assert front.ask("GET", REFERRERS, PULL).status == 502


def test_without_the_url_of_the_upstream_the_registry_answers(helm3: Helm, tmp_path: Path) -> None:
    with run(configuration(helm3, "registry"), "registry", tmp_path) as front:
        front.program.status = 404
        assert front.ask("GET", REFERRERS, PULL).status == 404
        assert [path for _, path, _ in front.program.asked] == [REFERRERS]


@pytest.mark.parametrize("shared", [True, False])
def test_a_layer_of_a_separate_repository_is_served_nowhere_else(helm3: Helm, tmp_path: Path, shared: bool) -> None:
    text = configuration(helm3, "registry", {"layerCache": {"shared": shared}})
    layers = "shared" if shared else "separate"
    with run(text, "registry", tmp_path, PrivateLayer(body=BIG), "--layers", layers) as front:
        assert [front.ask("GET", PRIVATE, PULL).status for _ in range(2)] == [200, 200]
        assert {front.ask(method, OPEN, PULL).status for method in ("GET", "HEAD")} == {200 if shared else 404}
        part = front.ask("GET", PRIVATE, {**PULL, "Range": "bytes=10-19"})
        assert (part.status, part.headers["Content-Length"]) == (206, "10")
        assert [path for _, path, _ in front.program.asked].count(PRIVATE) == 1


def test_the_fetcher_gets_the_account_only_to_ask_the_upstream(helm: Helm) -> None:
    account = {"secretName": "hub", "account": {"password": {"secretName": "ecr"}}}
    ways = {"caBundle": {"secretName": "hub"}, "proxy": {"secretName": "hub", "noProxy": ".svc"}}
    without = fetcher(helm, {"upstream": account, **ways})
    asking = fetcher(helm, {"upstream": {**account, "url": "https://hub.example.com"}, **ways})
    mounted = {mount["mountPath"] for mount in asking["volumeMounts"]} - {
        mount["mountPath"] for mount in without["volumeMounts"]
    }
    assert mounted == {f"/etc/regmirror/{name}" for name in ("upstream", "helper", "account", "ca", "proxy")}
    variables = {entry["name"]: entry["value"] for entry in asking["env"]}
    assert variables["UPSTREAM"] == "https://hub.example.com"
    assert variables["NO_PROXY"] == ".svc"
    assert not {"UPSTREAM", "NO_PROXY"} & {entry["name"] for entry in without["env"]}
    # Nothing that gives access to the bucket, or lets it sign tokens.
    assert not {"config", "bundle"} & {mount["name"] for mount in asking["volumeMounts"]}


def fetcher(helm: Helm, values: dict[str, Any]) -> dict[str, Any]:
    (found,) = [each for each in pod(helm, "registry", values)["spec"]["containers"] if each["name"] == "fetcher"]
    return dict(found)
