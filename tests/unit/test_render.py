"""The rendered files are complete, contain no secret value, and have the fields that Flux and Argo CD know."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from regmirror.cli.catalog import COMMANDS
from regmirror.config.model import Mirror
from regmirror.desired.releases import Release
from regmirror.errors import ChartError, ConfigurationError
from regmirror.errors.documentation import DOCUMENTATION_URL
from regmirror.render.external_secrets import Store, parse_store
from regmirror.render.files import to_yaml
from regmirror.render.output_format import OutputFormat
from regmirror.render.render import Rendering, RenderOptions, render
from regmirror.render.repository import Repository, parse_repository
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.helm import FakeHelm
from tests.golden import check_golden
from tests.unit.test_secret_templates import mirror
from tests.unit.third_party_kinds import faults

STORE = Store("ClusterSecretStore", "vault", "regmirror")
REPOSITORY = Repository("https://git.example.com/infrastructure.git", "production", "clusters/one/mirror")
FORMATS = list(OutputFormat)
ROOT = Path(__file__).parents[2]


def rendered(output_format: OutputFormat = OutputFormat.MANIFESTS, **changes: Any) -> Rendering:
    options = {"repository": REPOSITORY, "store": STORE, **changes}
    return asyncio.run(render(mirror(), FakeHelm(FakeCluster()), RenderOptions(output_format, **options)))


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
    return [
        document
        for content in documents(rendering).values()
        for document in content
        if document["kind"] != "Kustomization"
    ]


def test_the_project_of_the_guide_allows_all_that_the_charts_contain() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/guides/gitops.md").read_text(), re.DOTALL)
    allowed = {entry["kind"] for entry in yaml.safe_load(text)["spec"]["namespaceResourceWhitelist"]}
    templates = [path.read_text() for path in (ROOT / "charts").glob("*/templates/*.yaml")]
    contained = {kind for template in templates for kind in re.findall(r"^kind: (\w+)$", template, re.MULTILINE)}
    assert contained <= allowed


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("store", [STORE, None])
def test_the_kustomization_lists_every_file_once(output_format: OutputFormat, store: Store | None) -> None:
    rendering = rendered(output_format, store=store)
    content = documents(rendering)
    (path,) = [path for path in content if PurePosixPath(path).name == "kustomization.yaml"]
    directory = str(PurePosixPath(path).parent)
    listed = [str(PurePosixPath(directory) / name) for name in content[path][0]["resources"]]
    others = [name for name in content if name not in {path, "application.yaml"}]
    assert listed == others
    names = [
        (manifest["kind"], manifest["metadata"].get("namespace"), manifest["metadata"]["name"])
        for name in listed
        for manifest in content[name]
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("output_format", [OutputFormat.FLUX, OutputFormat.ARGOCD])
def test_objects_of_flux_argo_cd_and_external_secrets_have_known_fields_only(output_format: OutputFormat) -> None:
    foreign = [
        manifest
        for manifest in objects(rendered(output_format))
        if manifest["kind"] in {"HelmRelease", "GitRepository", "Application", "ExternalSecret"}
    ]
    assert len(foreign) > 8
    assert [fault for manifest in foreign for fault in faults(manifest)] == []


@pytest.mark.parametrize("output_format", [OutputFormat.FLUX, OutputFormat.ARGOCD])
def test_a_release_finds_its_chart_and_gets_the_values_of_deploy(output_format: OutputFormat) -> None:
    rendering = rendered(output_format)
    files = texts(rendering)
    kind = {OutputFormat.FLUX: "HelmRelease", OutputFormat.ARGOCD: "Application"}[output_format]
    releases = {
        manifest["metadata"]["name"]: manifest["spec"] for manifest in objects(rendering) if manifest["kind"] == kind
    }
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


def test_flux_installs_the_ingress_last_as_deploy_does() -> None:
    (ingress,) = [
        manifest
        for manifest in objects(rendered(OutputFormat.FLUX))
        if manifest["metadata"]["name"] == "regmirror-ingress"
    ]
    names = [entry["name"] for entry in ingress["spec"]["dependsOn"]]
    assert names == ["regmirror-auth", "regmirror-docker-hub", "regmirror-quay"]


def test_flux_uses_its_own_repository_without_a_url() -> None:
    manifests = objects(rendered(OutputFormat.FLUX, repository=Repository(path="mirror")))
    assert "GitRepository" not in {manifest["kind"] for manifest in manifests}
    sources = [
        manifest["spec"]["chart"]["spec"]["sourceRef"]["name"]
        for manifest in manifests
        if manifest["kind"] == "HelmRelease"
    ]
    assert set(sources) == {"flux-system"}


def test_the_root_application_contains_the_others() -> None:
    content = documents(rendered(OutputFormat.ARGOCD))
    (root,) = content["application.yaml"]
    assert root["spec"]["source"]["path"] == "clusters/one/mirror/apps"
    assert "application.yaml" not in content["apps/kustomization.yaml"][0]["resources"]


@pytest.mark.parametrize(("options", "project"), [({}, "default"), ({"project": "mirrors"}, "mirrors")])
def test_every_application_belongs_to_the_chosen_project(options: dict[str, str], project: str) -> None:
    applications = [one for one in objects(rendered(OutputFormat.ARGOCD, **options)) if one["kind"] == "Application"]
    assert len(applications) == 6
    assert {application["spec"]["project"] for application in applications} == {project}


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("store", [STORE, None])
def test_no_file_contains_a_secret_value(
    output_format: OutputFormat, store: Store | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("S3_ID", "HUB_NAME"):
        monkeypatch.setenv(name, "canary-of-the-environment")
    text = "".join(texts(rendered(output_format, store=store)).values())
    assert "canary" not in text
    assert "PRIVATE KEY" not in text


@pytest.mark.parametrize("output_format", FORMATS)
def test_every_object_of_the_mirror_is_in_its_namespace(output_format: OutputFormat) -> None:
    manifests = [manifest for manifest in objects(rendered(output_format)) if manifest["kind"] != "Application"]
    assert {manifest["metadata"].get("namespace") for manifest in manifests if manifest["kind"] != "Namespace"} == {
        "regmirror"
    }


def test_the_pods_carry_the_versions_of_their_secrets() -> None:
    manifests = objects(rendered(OutputFormat.FLUX))
    versions = {
        manifest["metadata"]["name"]: manifest["spec"]["target"]["template"]["metadata"]["annotations"][
            "regmirror.dev/version"
        ]
        for manifest in manifests
        if manifest["kind"] == "ExternalSecret"
    }
    (registry,) = [manifest for manifest in manifests if manifest["metadata"]["name"] == "regmirror-docker-hub"]
    wanted = f"{versions['regmirror-docker-hub-config']}:{versions['regmirror-bundle']}"
    assert registry["spec"]["values"]["secretVersions"] == wanted


def test_another_revision_of_the_secrets_restarts_every_pod() -> None:
    def carried(revision: str) -> set[str]:
        manifests = objects(rendered(OutputFormat.FLUX, secrets_revision=revision))
        return {
            manifest["spec"]["values"].get("secretVersions", "")
            for manifest in manifests
            if manifest["kind"] == "HelmRelease"
        }

    assert carried("two") & carried("one") == {""}


def with_accounts() -> Mirror:
    hub = samples.document()["upstreams"][0]
    return samples.mirror(upstreams=[hub | {"rules": [{"allow": ["acme/*"], "users": ["alice"]}]}])


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_store_fills_the_secret_of_the_accounts(output_format: OutputFormat) -> None:
    """verify and user list read the accounts there, and compare docker_auth's configuration with them."""
    rendering = asyncio.run(
        render(with_accounts(), FakeHelm(FakeCluster()), RenderOptions(output_format, REPOSITORY, STORE))
    )
    external = {one["metadata"]["name"]: one for one in objects(rendering) if one["kind"] == "ExternalSecret"}
    assert [reference["secretKey"] for reference in external["regmirror-users"]["spec"]["data"]] == ["users"]
    assert faults(external["regmirror-users"]) == []
    assert "regmirror-users" not in {one["metadata"]["name"] for one in objects(rendered(output_format))}


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("store", [STORE, None])
def test_the_readme_of_a_mirror_with_accounts_names_files_that_are_written(
    output_format: OutputFormat, store: Store | None
) -> None:
    options = RenderOptions(output_format, REPOSITORY, store)
    files = texts(asyncio.run(render(with_accounts(), FakeHelm(FakeCluster()), options)))
    named = set(re.findall(r"[\w./-]+\.(?:yaml|sh)\b", files["README.md"]))
    assert named - {"regmirror.yaml", "sealed-secrets.yaml"} <= files.keys() | {"PATH/fill-secrets.sh"}
    assert ("| `regmirror-users` |" in files["README.md"]) is bool(store)


def readme(output_format: OutputFormat = OutputFormat.MANIFESTS, **changes: Any) -> str:
    return texts(rendered(output_format, **changes))["README.md"]


def test_the_readme_names_every_secret_key_and_value() -> None:
    text = readme(store=None)
    for word in (
        "regmirror-signing", "tls.key", "regmirror-bundle", "bundle.crt", "regmirror-redis-config", "valkey.conf",
        "regmirror-docker-hub-config", "config.yml", "credential.json", "regmirror-tls", "S3_ID", "redis-password",
        "`layers`",
    ):  # fmt: skip
        assert word in text
    assert "{{" not in text


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("store", [STORE, None])
@pytest.mark.parametrize("issuer", [None, {"name": "letsencrypt"}])
def test_the_readme_says_how_every_secret_is_created(
    output_format: OutputFormat, store: Store | None, issuer: dict[str, str] | None
) -> None:
    wanted = mirror(registry={"imagePullSecrets": ["pull"]}, ingress={"issuer": issuer} if issuer else {})
    options = RenderOptions(output_format, REPOSITORY, store)
    files = texts(asyncio.run(render(wanted, FakeHelm(FakeCluster()), options)))
    text = files["README.md"]
    rows = re.findall(r"^\| `([^`]+)` \| [^|]* \| ([^|]+) \| [^|]* \|$", text, re.MULTILINE)
    assert {"regmirror-signing", "regmirror-auth-config", "regmirror-tls", "regmirror-tls-quay", "pull"} <= dict(
        rows
    ).keys()
    for secret, creator in rows:
        if creator == "you, see below":
            assert re.search(rf"^kubectl -n regmirror create secret \S+ {secret} --", text, re.MULTILINE)
        elif creator != "cert-manager":
            assert secret in files[creator.strip("`")]
    assert ("cert-manager" in dict(rows).values()) is bool(issuer)


@pytest.mark.parametrize("output_format", FORMATS)
def test_the_readme_creates_the_namespace_from_its_file(output_format: OutputFormat) -> None:
    """kubectl apply -k warns about a namespace that kubectl create has created."""
    text = readme(output_format)
    assert "create namespace" not in text
    (path,) = re.findall(r"^kubectl apply -f (\S*namespace\.yaml)$", text, re.MULTILINE)
    assert path in texts(rendered(output_format))


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("store", [STORE, None])
def test_the_readme_names_commands_and_pages_that_exist(output_format: OutputFormat, store: Store | None) -> None:
    text = readme(output_format, store=store)
    assert "docs/" not in text
    assert f"{DOCUMENTATION_URL}/guides/gitops/" in text
    assert set(re.findall(r"`regmirror ([a-z-]+)", text)) <= COMMANDS.keys()


@pytest.mark.parametrize("output_format", FORMATS)
@pytest.mark.parametrize("store", [STORE, None])
def test_the_readme_is_the_golden_file(output_format: OutputFormat, store: Store | None) -> None:
    name = f"{output_format.value}{'-external-secrets' if store else ''}"
    check_golden(f"rendered/README.{name}.md", readme(output_format, store=store))


class RejectingHelm(FakeHelm):
    async def render(self, release: Release) -> list[dict[str, Any]]:
        raise ChartError(f"a chart cannot be rendered: {release.name}")


@pytest.mark.parametrize("output_format", FORMATS)
def test_values_that_a_chart_rejects_are_reported_when_rendering(output_format: OutputFormat) -> None:
    with pytest.raises(ChartError):
        asyncio.run(render(samples.mirror(), RejectingHelm(FakeCluster()), RenderOptions(output_format, REPOSITORY)))


@pytest.mark.parametrize("text", ["Vault/x", "SecretStore/", "/"])
def test_an_invalid_store_is_rejected(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not STORE or KIND/STORE"):
        parse_store(text, "key")


def test_a_store_is_a_cluster_secret_store_by_default() -> None:
    assert parse_store("vault", "a") == Store("ClusterSecretStore", "vault", "a")
    assert parse_store("SecretStore/vault", "a") == Store("SecretStore", "vault", "a")


@pytest.mark.parametrize(
    ("url", "path", "words"),
    [
        ("https://user:hunter2@git.example.com/a", "a", "--repository must not contain credentials"),
        ("", "/a", "is not a path from the root"),
        ("", "../a", "is not a path from the root"),
        ("", "", "is not a path from the root"),
    ],
)
def test_an_invalid_repository_or_path_is_rejected(url: str, path: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        parse_repository(url, "", path)
    assert "hunter2" not in caught.value.message


TEXTS = [
    "1e5", "0o17", "yes", "y", "null", "~", "a: b", "# c", "", " a ", "a\nb\n", "a\n\n  b", "a\u2028b\n", "\x85\n", "é",
    "- a", "{{ x }}", "a\tb\n", "=", "0x1f", "1_000", ".5", "2026-11-24",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_string_is_read_back_unchanged(text: str) -> None:
    written = to_yaml([text, {text: text}])
    assert yaml.safe_load(written) == [text, {text: text}]
    node = yaml.compose(written, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.SequenceNode)
    assert node.value[0].style in {'"', "|", "'"}
