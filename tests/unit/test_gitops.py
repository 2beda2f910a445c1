"""What is rendered for GitOps: complete, without a secret value, of the shape that Flux and Argo CD read."""

from __future__ import annotations

import asyncio
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from regmirror.desired.releases import Release
from regmirror.errors import ChartError, ConfigurationError
from regmirror.render.external_secrets import Store, parse_store
from regmirror.render.files import to_yaml
from regmirror.render.readme import OutputFormat
from regmirror.render.render import Rendering, RenderOptions, render
from regmirror.render.repository import Repository, parse_repository
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.helm import FakeHelm
from tests.unit.gitops_kinds import faults
from tests.unit.test_secret_forms import mirror

STORE = Store("ClusterSecretStore", "vault", "regmirror")
REPOSITORY = Repository("https://git.example.com/infrastructure.git", "production", "clusters/one/mirror")
FLAVOURS = list(OutputFormat)


def rendered(output_format: OutputFormat = OutputFormat.MANIFESTS, **changes: Any) -> Rendering:
    wish = {"repository": REPOSITORY, "store": STORE, **changes}
    return asyncio.run(render(mirror(), FakeHelm(FakeCluster()), RenderOptions(output_format, **wish)))


def texts(rendering: Rendering) -> dict[str, str]:
    return {file.path: file.text for file in rendering.files}


def documents(rendering: Rendering) -> dict[str, list[dict[str, Any]]]:
    """The objects in each YAML file that is not part of a chart."""
    return {
        path: list(yaml.safe_load_all(text))
        for path, text in texts(rendering).items()
        if path.endswith(".yaml") and not path.startswith("charts/")
    }


def objects(rendering: Rendering) -> list[dict[str, Any]]:
    return [found for content in documents(rendering).values() for found in content if found["kind"] != "Kustomization"]


@pytest.mark.parametrize("output_format", FLAVOURS)
@pytest.mark.parametrize("store", [STORE, None])
def test_every_file_that_is_to_be_applied_is_listed_once(output_format: OutputFormat, store: Store | None) -> None:
    found = rendered(output_format, store=store)
    content = documents(found)
    (path,) = [path for path in content if PurePosixPath(path).name == "kustomization.yaml"]
    directory = str(PurePosixPath(path).parent)
    listed = [str(PurePosixPath(directory) / name) for name in content[path][0]["resources"]]
    beside = [name for name in content if name not in {path, "application.yaml"}]
    assert listed == beside
    names = [
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"])
        for name in listed
        for one in content[name]
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("output_format", [OutputFormat.FLUX, OutputFormat.ARGOCD])
def test_other_peoples_kinds_have_the_fields_that_they_know(output_format: OutputFormat) -> None:
    foreign = [
        found
        for found in objects(rendered(output_format))
        if found["kind"] in {"HelmRelease", "GitRepository", "Application", "ExternalSecret"}
    ]
    assert len(foreign) > 8
    assert [fault for found in foreign for fault in faults(found)] == []


@pytest.mark.parametrize("output_format", [OutputFormat.FLUX, OutputFormat.ARGOCD])
def test_a_release_finds_its_chart_and_gets_the_values_of_deploy(output_format: OutputFormat) -> None:
    found = rendered(output_format)
    files = texts(found)
    kind = {OutputFormat.FLUX: "HelmRelease", OutputFormat.ARGOCD: "Application"}[output_format]
    releases = {one["metadata"]["name"]: one["spec"] for one in objects(found) if one["kind"] == kind}
    releases.pop("regmirror", None)
    assert set(releases) == {
        "regmirror-redis", "regmirror-auth", "regmirror-docker-hub", "regmirror-quay", "regmirror-ingress",
    }  # fmt: skip
    for name, spec in releases.items():
        path, values, release = chart_of(spec)
        assert f"{path.removeprefix('clusters/one/mirror/')}/Chart.yaml" in files
        assert f"{path.removeprefix('clusters/one/mirror/')}/templates/_helpers.tpl" in files
        assert release == name
        assert ("secretVersions" in values) == (name != "regmirror-ingress")


def chart_of(spec: dict[str, Any]) -> tuple[str, dict[str, Any], str]:
    """Where a release's chart is in the repository, its values, and the name of the Helm release."""
    if "source" in spec:
        helm = spec["source"]["helm"]
        return spec["source"]["path"], helm["valuesObject"], helm["releaseName"]
    return spec["chart"]["spec"]["chart"].removeprefix("./"), spec["values"], spec["releaseName"]


def test_flux_waits_with_the_ingress_as_deploy_does() -> None:
    (ingress,) = [one for one in objects(rendered(OutputFormat.FLUX)) if one["metadata"]["name"] == "regmirror-ingress"]
    names = [entry["name"] for entry in ingress["spec"]["dependsOn"]]
    assert names == ["regmirror-auth", "regmirror-docker-hub", "regmirror-quay"]


def test_flux_uses_its_own_repository_unless_another_is_named() -> None:
    found = objects(rendered(OutputFormat.FLUX, repository=Repository(path="mirror")))
    assert "GitRepository" not in {one["kind"] for one in found}
    sources = [one["spec"]["chart"]["spec"]["sourceRef"]["name"] for one in found if one["kind"] == "HelmRelease"]
    assert set(sources) == {"flux-system"}


def test_one_application_of_argo_cd_brings_the_others() -> None:
    found = documents(rendered(OutputFormat.ARGOCD))
    (root,) = found["application.yaml"]
    assert root["spec"]["source"]["path"] == "clusters/one/mirror/apps"
    assert "application.yaml" not in found["apps/kustomization.yaml"][0]["resources"]


@pytest.mark.parametrize("output_format", FLAVOURS)
@pytest.mark.parametrize("store", [STORE, None])
def test_no_file_holds_a_secret_value(
    output_format: OutputFormat, store: Store | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("S3_ID", "HUB_NAME"):
        monkeypatch.setenv(name, "canary-of-the-environment")
    text = "".join(texts(rendered(output_format, store=store)).values())
    assert "canary" not in text
    assert "PRIVATE KEY" not in text


@pytest.mark.parametrize("output_format", FLAVOURS)
def test_every_object_of_the_mirror_is_in_its_namespace(output_format: OutputFormat) -> None:
    found = [one for one in objects(rendered(output_format)) if one["kind"] != "Application"]
    assert {one["metadata"].get("namespace") for one in found if one["kind"] != "Namespace"} == {"regmirror"}


def test_the_pods_carry_the_versions_of_the_secrets_beside_them() -> None:
    found = objects(rendered(OutputFormat.FLUX))
    versions = {
        one["metadata"]["name"]: one["spec"]["target"]["template"]["metadata"]["annotations"]["regmirror.dev/version"]
        for one in found
        if one["kind"] == "ExternalSecret"
    }
    (registry,) = [one for one in found if one["metadata"]["name"] == "regmirror-docker-hub"]
    wanted = f"{versions['regmirror-docker-hub-config']}:{versions['regmirror-bundle']}"
    assert registry["spec"]["values"]["secretVersions"] == wanted


def test_another_revision_of_the_secrets_restarts_every_pod() -> None:
    def carried(revision: str) -> set[str]:
        found = objects(rendered(OutputFormat.FLUX, secrets_revision=revision))
        return {one["spec"]["values"].get("secretVersions", "") for one in found if one["kind"] == "HelmRelease"}

    assert carried("two") & carried("one") == {""}


def test_the_readme_names_every_secret_key_and_value() -> None:
    readme = texts(rendered(store=None))["README.md"]
    for word in (
        "regmirror-signing", "tls.key", "regmirror-bundle", "bundle.crt", "regmirror-redis-config", "valkey.conf",
        "regmirror-docker-hub-config", "config.yml", "credential.json", "regmirror-tls", "S3_ID", "redis-password",
        "`layers`",
    ):  # fmt: skip
        assert word in readme
    assert "{{" not in readme


class RefusingHelm(FakeHelm):
    async def render(self, release: Release) -> list[dict[str, Any]]:
        raise ChartError(f"cannot render a chart: {release.name}")


@pytest.mark.parametrize("output_format", FLAVOURS)
def test_values_that_a_chart_refuses_are_refused_now(output_format: OutputFormat) -> None:
    with pytest.raises(ChartError):
        asyncio.run(render(samples.mirror(), RefusingHelm(FakeCluster()), RenderOptions(output_format, REPOSITORY)))


@pytest.mark.parametrize("text", ["Vault/x", "SecretStore/", "/"])
def test_a_store_that_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not NAME or KIND/NAME"):
        parse_store(text, "key")


def test_a_store_is_of_the_cluster_unless_it_is_said() -> None:
    assert parse_store("vault", "a") == Store("ClusterSecretStore", "vault", "a")
    assert parse_store("SecretStore/vault", "a") == Store("SecretStore", "vault", "a")


@pytest.mark.parametrize(
    ("url", "path", "words"),
    [
        ("https://user:hunter2@git.example.com/a", "a", "credentials do not belong in a URL"),
        ("", "/a", "is not a path from the root"),
        ("", "../a", "is not a path from the root"),
        ("", "", "is not a path from the root"),
    ],
)
def test_a_place_in_git_that_cannot_be_is_told(url: str, path: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_repository(url, "", path)
    assert "hunter2" not in caught.value.message


TEXTS = [
    "1e5", "0o17", "yes", "y", "null", "~", "a: b", "# c", "", " a ", "a\nb\n", "a\n\n  b", "a\u2028b\n", "\x85\n", "é",
    "- a", "{{ x }}", "a\tb\n", "=", "0x1f", "1_000", ".5", "2026-11-24",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    written = to_yaml([text, {text: text}])
    assert yaml.safe_load(written) == [text, {text: text}]
    node = yaml.compose(written, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.SequenceNode)
    assert node.value[0].style in {'"', "|", "'"}
