"""Every failure says what to do, with commands that can be pasted and that the documentation of the check has too."""

from __future__ import annotations

import re

import pytest
from typer.main import get_group

from regmirror.cli.app import app
from regmirror.desired import names
from regmirror.errors import BucketMissingError
from regmirror.ports.cluster import DEPLOYMENT, Object
from regmirror.ports.http import Answer
from regmirror.verify.check import Failed, Warned
from regmirror.verify.live_mirror import KubectlOptions
from tests.e2e.hint_runner import commands_in
from tests.fakes.http import Host, Request
from tests.fakes.registry_host import RegistryHost
from tests.unit.check_faults import FAULTS
from tests.unit.check_faults.clients import damaged_layer
from tests.unit.check_faults.config import other_issuer_at_the_registry, variable
from tests.unit.check_faults.table import Fault
from tests.unit.deployed import Deployed, deployed
from tests.unit.test_documentation import check_sections

EACH_FAULT = pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=f"{fault.check}: {fault.message}") for fault in FAULTS]
)
IN_WORDS_OF_THE_PAGE = {
    r"-n regmirror\b": "-n NAMESPACE",
    "regmirror-docker-hub-0 -c main": "POD -c CONTAINER",
    "regmirror-docker-hub": "regmirror-UPSTREAM",
    r"REGISTRY_\w+-": "NAME-",
    r"s3://layers/docker\S+": "s3://BUCKET/KEY",
    r"mb s3://\S+ --region \S+": "mb s3://BUCKET --region REGION",
    r"secret tls \S+": "secret tls SECRET",
    r"describe certificate \S+": "describe certificate SECRET",
}


def hint_of(mirror: Deployed, check: str) -> str:
    outcome = mirror.ask(check)
    assert isinstance(outcome, Failed | Warned)
    return outcome.hint


def page(check: str) -> str:
    return " ".join(check_sections()[check].split())


@EACH_FAULT
def test_a_hint_says_what_to_do_and_points_to_no_file(fault: Fault) -> None:
    mirror = deployed()
    fault.inject(mirror)
    hint = hint_of(mirror, fault.check)
    assert hint
    assert "docs/" not in hint


@EACH_FAULT
def test_its_commands_are_valid_and_are_those_of_the_page(fault: Fault) -> None:
    mirror = deployed()
    fault.inject(mirror)
    for command in commands_in(hint_of(mirror, fault.check)):
        program, *words = command.split()
        if program == "regmirror":
            get_group(app).commands[words[0]].make_context(words[0], words[1:])
        if program == "kubectl":
            assert words[:2] == ["-n", "regmirror"]
        documented = command
        for found, general in IN_WORDS_OF_THE_PAGE.items():
            documented = re.sub(found, general, documented)
        assert documented in page(fault.check)


def test_kubectl_commands_select_the_cluster_of_the_command_line() -> None:
    mirror = deployed()
    mirror.kubectl_options = KubectlOptions("prod", "kube config.yaml")
    variable(mirror)
    selected = "-n regmirror --context prod --kubeconfig 'kube config.yaml'"
    assert commands_in(hint_of(mirror, "config-variables")) == [
        f"kubectl {selected} set env deployment/regmirror-docker-hub REGISTRY_PROXY_TTL-"
    ]


def apply_with_kubectl(found: Object) -> None:
    del found["metadata"]["annotations"]


def apply_with_flux(found: Object) -> None:
    found["metadata"]["labels"] = {"helm.toolkit.fluxcd.io/name": "regmirror-auth"}


def apply_with_argo_cd(found: Object) -> None:
    found["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "regmirror:apps/Deployment"}


@pytest.mark.parametrize("apply", [apply_with_kubectl, apply_with_flux, apply_with_argo_cd])
def test_a_mirror_managed_with_gitops_is_never_to_be_deployed(apply: object) -> None:
    mirror = deployed()
    assert callable(apply)
    mirror.change(DEPLOYMENT, names.registry("docker-hub"), apply)
    other_issuer_at_the_registry(mirror)
    hint = hint_of(mirror, "config-issuer")
    assert commands_in(hint) == ["regmirror render | kubectl -n regmirror diff -f -"]
    assert "sync it from Git" in hint


@pytest.mark.parametrize(
    ("create_bucket", "gitops", "commands"),
    [
        (True, False, ["regmirror deploy"]),
        (False, False, ["aws s3 mb s3://layers --region eu-central-1", "regmirror deploy"]),
        (True, True, ["aws s3 mb s3://layers --region eu-central-1"]),
        (False, True, ["aws s3 mb s3://layers --region eu-central-1"]),
    ],
)
def test_a_missing_bucket_is_created_as_the_mirror_is_managed(
    create_bucket: bool, gitops: bool, commands: list[str]
) -> None:
    mirror = deployed(storage={"bucket": "layers", "region": "eu-central-1", "createBucket": create_bucket})
    if gitops:
        mirror.change(DEPLOYMENT, names.registry("docker-hub"), apply_with_kubectl)
    mirror.store.failure = BucketMissingError("it does not exist", hint="create it, or set storage.createBucket: true")
    assert commands_in(hint_of(mirror, "storage-bucket")) == commands


def test_a_damaged_layer_is_deleted_from_the_bucket_and_forgotten_by_the_caches() -> None:
    mirror = deployed(storage={"bucket": "layers", "region": "here", "prefix": "a/b", "endpoint": "http://s3:9000"})
    damaged_layer(mirror)
    removal, restart = commands_in(hint_of(mirror, "clients-pull"))
    url = r"s3://layers/a/b/docker-hub/docker/registry/v2/blobs/sha256/(..)/\1[0-9a-f]{62}/data"
    assert re.fullmatch(rf"aws s3 --endpoint-url http://s3:9000 rm {url}", removal)
    assert restart == (
        "kubectl -n regmirror rollout restart deployment/regmirror-redis deployment/regmirror-docker-hub"
    )


@pytest.mark.parametrize("check", ["clients-pull", "registry-digests", "registry-manifest"])
def test_content_that_is_wrong_at_the_upstream_is_not_searched_in_the_bucket(check: str) -> None:
    mirror = deployed()
    for host in (mirror.host, mirror.upstream):
        host.blobs = dict.fromkeys(host.blobs, b"changed")
        if check != "clients-pull":
            wrong = {key: (kind, content + b" ") for key, (kind, content) in host.manifests.items()}
            mirror.http.hosts[f"https://{host.host}"] = _with_content(host, wrong)
    hint = hint_of(mirror, check)
    assert hint.startswith("report it to https://registry-1.docker.io, which sends the same wrong content")
    assert commands_in(hint) == []


def _with_content(host: RegistryHost, contents: dict[tuple[str, str], tuple[str, bytes]]) -> Host:
    """The host with the headers of the right manifests and other bodies."""

    def answer(request: Request) -> Answer:
        found = host(request)
        path = re.fullmatch("/v2/(.+)/manifests/(.+)", request.path)
        if path is None or found.status != 200:
            return found
        return Answer(200, found.headers, contents[path[1], path[2]][1])

    return answer


def test_a_certificate_from_cert_manager_is_not_created_by_hand() -> None:
    mirror = deployed(ingress={"issuer": {"name": "letsencrypt", "kind": "ClusterIssuer"}})
    mirror.replace("regmirror-tls", **{"tls.crt": b"x"})
    assert commands_in(hint_of(mirror, "tls-secret")) == ["kubectl -n regmirror describe certificate regmirror-tls"]
