"""Renders a mirror: the same releases as ``deploy`` installs, as files that need no regmirror to be applied."""

import asyncio
from dataclasses import dataclass, field

from regmirror.config.model import Mirror
from regmirror.desired.assets import chart_directory
from regmirror.desired.releases import Release
from regmirror.desired.secret_templates import SecretTemplate, secret_templates
from regmirror.ports.cluster import Object
from regmirror.ports.helm import Helm
from regmirror.render.argocd import application_of, in_sync_wave, root_application
from regmirror.render.external_secrets import Store, external_secret
from regmirror.render.files import RenderedFile, kustomization, yaml_file
from regmirror.render.fill_script import fill_script
from regmirror.render.flux import git_source, helm_release, without_substitution
from regmirror.render.objects import namespace_object, plain_secret, releases_of, with_namespace
from regmirror.render.output_format import OutputFormat
from regmirror.render.readme import readme
from regmirror.render.repository import Repository

KUSTOMIZATION = "kustomization.yaml"
EXTERNAL_SECRETS = "external-secrets.yaml"
FILL_SCRIPT = "fill-secrets.sh"


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What is to be rendered. Without ``store`` the Secrets are filled by a script."""

    output_format: OutputFormat = OutputFormat.MANIFESTS
    repository: Repository = field(default_factory=Repository)
    store: Store | None = None
    secrets_revision: str = ""


@dataclass(frozen=True, slots=True)
class Rendering:
    """All files, and the objects among them that are to be applied."""

    files: list[RenderedFile]
    objects: list[Object]


async def render(mirror: Mirror, helm: Helm, options: RenderOptions) -> Rendering:
    """Everything; the same input gives the same bytes. Raises HelmError where a chart refuses its values."""
    forms = secret_templates(mirror)
    releases = releases_of(mirror, forms, options.secrets_revision)
    # Whatever is asked for: a chart refuses its values now, not in the cluster.
    rendered = await asyncio.gather(*(helm.render(release) for release in releases))
    manifests = {
        release.name: [with_namespace(mirror, found) for found in objects]
        for release, objects in zip(releases, rendered, strict=True)
    }
    files = {
        OutputFormat.MANIFESTS: lambda: _manifest_files(mirror, forms, manifests, options),
        OutputFormat.FLUX: lambda: _flux_files(mirror, forms, releases, options),
        OutputFormat.ARGOCD: lambda: _argocd_files(mirror, forms, releases, options),
    }[options.output_format]()
    script = [] if options.store else [RenderedFile(FILL_SCRIPT, fill_script(mirror, forms))]
    components = [found for objects in manifests.values() for found in objects]
    objects = [namespace_object(mirror), *_secrets(mirror, forms, options), *components]
    return Rendering(
        [*files, *script, readme(mirror, options.output_format, forms, options.store, options.repository)], objects
    )


def _secrets(mirror: Mirror, forms: list[SecretTemplate], options: RenderOptions) -> list[Object]:
    """Those that can stand in Git: whole where nothing in them is secret, else by reference."""
    whole = [plain_secret(mirror, form) for form in forms if not form.placeholders]
    by_reference = [
        external_secret(mirror, form, options.store) for form in forms if form.placeholders and options.store
    ]
    return [*whole, *by_reference]


def _secret_files(secrets: list[Object], directory: str = "") -> list[RenderedFile]:
    files = [
        yaml_file(f"{directory}{found['metadata']['name']}.yaml", found)
        for found in secrets
        if found["kind"] == "Secret"
    ]
    external = [found for found in secrets if found["kind"] != "Secret"]
    return [*files, *([yaml_file(f"{directory}{EXTERNAL_SECRETS}", *external)] if external else [])]


def _manifest_files(
    mirror: Mirror, forms: list[SecretTemplate], manifests: dict[str, list[Object]], options: RenderOptions
) -> list[RenderedFile]:
    return _kustomized(
        [
            yaml_file("namespace.yaml", namespace_object(mirror)),
            *_secret_files(_secrets(mirror, forms, options)),
            *(yaml_file(f"{name}.yaml", *objects) for name, objects in manifests.items()),
        ]
    )


def _flux_files(
    mirror: Mirror, forms: list[SecretTemplate], releases: list[Release], options: RenderOptions
) -> list[RenderedFile]:
    secrets = [without_substitution(found) for found in _secrets(mirror, forms, options)]
    source = git_source(mirror, options.repository)
    files = [
        yaml_file("namespace.yaml", namespace_object(mirror)),
        *([yaml_file("git-repository.yaml", *source)] if source else []),
        *_secret_files(secrets),
        *(yaml_file(f"{one.name}.yaml", helm_release(mirror, one, options.repository)) for one in releases),
    ]
    return [*_kustomized(files), *_charts(releases)]


def _argocd_files(
    mirror: Mirror, forms: list[SecretTemplate], releases: list[Release], options: RenderOptions
) -> list[RenderedFile]:
    secrets = [in_sync_wave(found) for found in _secrets(mirror, forms, options)]
    files = [
        yaml_file("apps/namespace.yaml", in_sync_wave(namespace_object(mirror))),
        *_secret_files(secrets, "apps/"),
        *(yaml_file(f"apps/{one.name}.yaml", application_of(mirror, one, options.repository)) for one in releases),
    ]
    root = yaml_file("application.yaml", root_application(options.repository))
    return [root, *_kustomized(files, "apps/"), *_charts(releases)]


def _kustomized(files: list[RenderedFile], directory: str = "") -> list[RenderedFile]:
    listed = [file.path.removeprefix(directory) for file in files]
    return [*files, yaml_file(f"{directory}{KUSTOMIZATION}", kustomization(listed))]


def _charts(releases: list[Release]) -> list[RenderedFile]:
    """The charts as they are in the package."""
    directories = {f"charts/{one.component}": chart_directory(one.component) for one in releases}
    return [
        RenderedFile(f"{name}/{path.relative_to(directory).as_posix()}", path.read_text(encoding="utf-8"))
        for name, directory in sorted(directories.items())
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    ]
