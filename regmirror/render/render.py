"""Renders a mirror: the releases that ``deploy`` installs, as files that other tools can apply without regmirror."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from regmirror.config.model import Mirror
from regmirror.desired.account_rules import has_account_rules
from regmirror.desired.pod_security import pod_security_warnings
from regmirror.desired.releases import Release
from regmirror.desired.secret_templates import SecretTemplate, secret_templates
from regmirror.desired.suitable_charts import ensure_suitable
from regmirror.errors import ConfigurationError
from regmirror.errors.documentation import guide_url
from regmirror.ports.cluster import Object
from regmirror.ports.helm import Helm
from regmirror.render.argocd import DEFAULT_PROJECT, application_of, in_sync_wave, root_application
from regmirror.render.external_secrets import Store, accounts_external_secret, external_secret
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
    """Options of a rendering. Without ``store``, a script fills the Secrets."""

    output_format: OutputFormat = OutputFormat.MANIFESTS
    repository: Repository = field(default_factory=Repository)
    store: Store | None = None
    secrets_revision: str = ""
    project: str = DEFAULT_PROJECT
    """The project of Argo CD's Applications."""
    ca_bundles: Mapping[str, bytes] = field(default_factory=dict)
    """The certificates that each registry trusts, by the name of its upstream."""
    directory: Path = Path()
    """That of the configuration file, which paths of charts are relative to."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """All files, and the objects that ``--format manifests`` applies."""

    files: list[RenderedFile]
    objects: list[Object]
    notes: list[str]
    """Which values the file overrides, and which pods a namespace with Pod Security ``restricted`` refuses."""


async def render(mirror: Mirror, helm: Helm, options: RenderOptions) -> Rendering:
    """Render all files; the same input gives the same bytes. Raises HelmError if a chart rejects its values,
    and ConfigurationError if the mirror cannot be deployed without regmirror.
    """
    _require_renderable(mirror)
    templates = secret_templates(mirror, options.ca_bundles)
    releases = releases_of(mirror, templates, options.secrets_revision)
    # For every format, so that invalid values are reported now and not in the cluster.
    rendered = await asyncio.gather(*(helm.render(release) for release in releases))
    manifests = {
        release.name: [with_namespace(mirror, manifest) for manifest in objects]
        for release, objects in zip(releases, rendered, strict=True)
    }
    ensure_suitable(mirror, releases, manifests)
    files = {
        OutputFormat.MANIFESTS: lambda: _manifest_files(mirror, templates, manifests, options),
        OutputFormat.FLUX: lambda: _flux_files(mirror, templates, releases, options),
        OutputFormat.ARGOCD: lambda: _argocd_files(mirror, templates, releases, options),
    }[options.output_format]()
    script = [] if options.store else [RenderedFile(FILL_SCRIPT, fill_script(mirror, templates))]
    components = [manifest for objects in manifests.values() for manifest in objects]
    objects = [namespace_object(mirror), *_secrets(mirror, templates, options), *components]
    overridden = [str(value) for release in releases for value in release.overridden]
    guide = readme(mirror, options.output_format, templates, options.store, options.repository, overridden)
    notes = [*overridden, *pod_security_warnings(releases, manifests)]
    return Rendering([*files, *script, guide], objects, notes)


def _require_renderable(mirror: Mirror) -> None:
    if mirror.ingress.self_signed:
        raise ConfigurationError(
            "ingress.selfSigned: deploy issues these certificates with a key that only the cluster has, so they cannot "
            "be rendered",
            hint="remove it, and let cert-manager issue the certificates (ingress.issuer), or create their Secrets",
        )
    if mirror.verification and mirror.verification.rotation:
        raise ConfigurationError(
            "verification.rotation: a mirror that Git manages gets its signing key from Git, so rotate-cert would "
            "refuse it",
            hint=f"remove verification.rotation, and rotate with the steps for GitOps: {guide_url('gitops')}",
        )


def _secrets(mirror: Mirror, templates: list[SecretTemplate], options: RenderOptions) -> list[Object]:
    """The Secrets without secret values, and with a store an ExternalSecret for each of the others."""
    plain = [plain_secret(mirror, template) for template in templates if not template.placeholders]
    if options.store is None:
        return plain
    store = options.store
    external = [external_secret(mirror, template, store) for template in templates if template.placeholders]
    accounts = [accounts_external_secret(mirror, store)] if has_account_rules(mirror) else []
    return [*plain, *external, *accounts]


def _secret_files(secrets: list[Object], directory: str = "") -> list[RenderedFile]:
    plain = [secret for secret in secrets if secret["kind"] == "Secret"]
    external = [secret for secret in secrets if secret["kind"] != "Secret"]
    files = [yaml_file(f"{directory}{secret['metadata']['name']}.yaml", secret) for secret in plain]
    return [*files, *([yaml_file(f"{directory}{EXTERNAL_SECRETS}", *external)] if external else [])]


def _manifest_files(
    mirror: Mirror, templates: list[SecretTemplate], manifests: dict[str, list[Object]], options: RenderOptions
) -> list[RenderedFile]:
    return _kustomized(
        [
            yaml_file("namespace.yaml", namespace_object(mirror)),
            *_secret_files(_secrets(mirror, templates, options)),
            *(yaml_file(f"{name}.yaml", *objects) for name, objects in manifests.items()),
        ]
    )


def _flux_files(
    mirror: Mirror, templates: list[SecretTemplate], releases: list[Release], options: RenderOptions
) -> list[RenderedFile]:
    secrets = [without_substitution(secret) for secret in _secrets(mirror, templates, options)]
    source = git_source(mirror, options.repository)
    files = [
        yaml_file("namespace.yaml", namespace_object(mirror)),
        *([yaml_file("git-repository.yaml", *source)] if source else []),
        *_secret_files(secrets),
        *(yaml_file(f"{release.name}.yaml", helm_release(mirror, release, options.repository)) for release in releases),
    ]
    return [*_kustomized(files), *_charts(releases, options)]


def _argocd_files(
    mirror: Mirror, templates: list[SecretTemplate], releases: list[Release], options: RenderOptions
) -> list[RenderedFile]:
    secrets = [in_sync_wave(secret) for secret in _secrets(mirror, templates, options)]
    files = [
        yaml_file("apps/namespace.yaml", in_sync_wave(namespace_object(mirror))),
        *_secret_files(secrets, "apps/"),
        *(
            yaml_file(f"apps/{release.name}.yaml", application_of(mirror, release, options.repository, options.project))
            for release in releases
        ),
    ]
    root = yaml_file("application.yaml", root_application(options.repository, options.project))
    return [root, *_kustomized(files, "apps/"), *_charts(releases, options)]


def _kustomized(files: list[RenderedFile], directory: str = "") -> list[RenderedFile]:
    listed = [file.path.removeprefix(directory) for file in files]
    return [*files, yaml_file(f"{directory}{KUSTOMIZATION}", kustomization(listed))]


def _charts(releases: list[Release], options: RenderOptions) -> list[RenderedFile]:
    """The charts, copied from the package, or from where the file says."""
    for release in releases:
        if release.source.remote:
            raise ConfigurationError(
                f"{release.component}.chart: --format {options.output_format} copies the charts into the files, and "
                "this one is in a chart repository",
                hint="download it with helm pull --untar, and set path instead",
            )
    directories = {f"charts/{release.component}": options.directory / release.chart for release in releases}
    return [
        RenderedFile(f"{name}/{path.relative_to(directory).as_posix()}", path.read_text(encoding="utf-8"))
        for name, directory in sorted(directories.items())
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    ]
