"""Renders a mirror: the same releases as ``deploy`` installs, as files that need no regmirror to be applied."""

import asyncio
from dataclasses import dataclass, field

from regmirror.config.model import Mirror
from regmirror.gitops.argocd import application_of, root_application, synced_first
from regmirror.gitops.external_secrets import Store, external_secret
from regmirror.gitops.files import RenderedFile, kustomization, yaml_file
from regmirror.gitops.fill_script import fill_script
from regmirror.gitops.flux import git_source, helm_release, left_as_it_is
from regmirror.gitops.guide import Flavour, guide
from regmirror.gitops.objects import namespace_object, open_secret, placed, releases_of
from regmirror.gitops.repository import Repository
from regmirror.ports.cluster import Object
from regmirror.ports.helm import Helm
from regmirror.stack.assets import chart_directory
from regmirror.stack.releases import Release
from regmirror.stack.secret_forms import SecretForm, secret_forms

KUSTOMIZATION = "kustomization.yaml"
EXTERNAL_SECRETS = "external-secrets.yaml"
FILL_SCRIPT = "fill-secrets.sh"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be rendered. Without ``store`` the Secrets are filled by a script."""

    flavour: Flavour = Flavour.MANIFESTS
    repository: Repository = field(default_factory=Repository)
    store: Store | None = None
    secrets_revision: str = ""


@dataclass(frozen=True, slots=True)
class Rendering:
    """All files, and the objects among them that are to be applied."""

    files: list[RenderedFile]
    objects: list[Object]


async def render(mirror: Mirror, helm: Helm, wish: Wish) -> Rendering:
    """Everything; the same input gives the same bytes. Raises HelmError where a chart refuses its values."""
    forms = secret_forms(mirror)
    releases = releases_of(mirror, forms, wish.secrets_revision)
    # Whatever is asked for: a chart refuses its values now, not in the cluster.
    rendered = await asyncio.gather(*(helm.render(release) for release in releases))
    manifests = {
        release.name: [placed(mirror, found) for found in objects]
        for release, objects in zip(releases, rendered, strict=True)
    }
    files = {
        Flavour.MANIFESTS: lambda: _manifest_files(mirror, forms, manifests, wish),
        Flavour.FLUX: lambda: _flux_files(mirror, forms, releases, wish),
        Flavour.ARGOCD: lambda: _argocd_files(mirror, forms, releases, wish),
    }[wish.flavour]()
    script = [] if wish.store else [RenderedFile(FILL_SCRIPT, fill_script(mirror, forms))]
    components = [found for objects in manifests.values() for found in objects]
    objects = [namespace_object(mirror), *_secrets(mirror, forms, wish), *components]
    return Rendering([*files, *script, guide(mirror, wish.flavour, forms, wish.store, wish.repository)], objects)


def _secrets(mirror: Mirror, forms: list[SecretForm], wish: Wish) -> list[Object]:
    """Those that can stand in Git: whole where nothing in them is secret, else by reference."""
    whole = [open_secret(mirror, form) for form in forms if not form.blanks]
    by_reference = [external_secret(mirror, form, wish.store) for form in forms if form.blanks and wish.store]
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
    mirror: Mirror, forms: list[SecretForm], manifests: dict[str, list[Object]], wish: Wish
) -> list[RenderedFile]:
    return _kustomized(
        [
            yaml_file("namespace.yaml", namespace_object(mirror)),
            *_secret_files(_secrets(mirror, forms, wish)),
            *(yaml_file(f"{name}.yaml", *objects) for name, objects in manifests.items()),
        ]
    )


def _flux_files(mirror: Mirror, forms: list[SecretForm], releases: list[Release], wish: Wish) -> list[RenderedFile]:
    secrets = [left_as_it_is(found) for found in _secrets(mirror, forms, wish)]
    source = git_source(mirror, wish.repository)
    files = [
        yaml_file("namespace.yaml", namespace_object(mirror)),
        *([yaml_file("git-repository.yaml", *source)] if source else []),
        *_secret_files(secrets),
        *(yaml_file(f"{one.name}.yaml", helm_release(mirror, one, wish.repository)) for one in releases),
    ]
    return [*_kustomized(files), *_charts(releases)]


def _argocd_files(mirror: Mirror, forms: list[SecretForm], releases: list[Release], wish: Wish) -> list[RenderedFile]:
    secrets = [synced_first(found) for found in _secrets(mirror, forms, wish)]
    files = [
        yaml_file("apps/namespace.yaml", synced_first(namespace_object(mirror))),
        *_secret_files(secrets, "apps/"),
        *(yaml_file(f"apps/{one.name}.yaml", application_of(mirror, one, wish.repository)) for one in releases),
    ]
    root = yaml_file("application.yaml", root_application(wish.repository))
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
