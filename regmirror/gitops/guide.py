"""The README of the rendered files: which Secrets are needed, how they are filled, and what comes next."""

from enum import StrEnum

from regmirror.config.model import Mirror
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference
from regmirror.gitops.external_secrets import Store
from regmirror.gitops.files import RenderedFile
from regmirror.gitops.repository import Repository
from regmirror.stack import names
from regmirror.stack.secret_forms import (
    REDIS_PASSWORD,
    SIGNING_BUNDLE,
    SIGNING_CERTIFICATE,
    SIGNING_KEY,
    SecretForm,
    SecretValue,
    secret_values,
)
from regmirror.stack.templates import render_text


class Flavour(StrEnum):
    """For whom the files are."""

    MANIFESTS = "manifests"
    FLUX = "flux"
    ARGOCD = "argocd"


_TITLES = {Flavour.MANIFESTS: "kubectl, Argo CD or Flux", Flavour.FLUX: "Flux", Flavour.ARGOCD: "Argo CD"}
_MADE = {
    SIGNING_KEY: "private key of docker_auth: RSA, unencrypted PEM",
    SIGNING_CERTIFICATE: "its certificate, self-signed, PEM",
    SIGNING_BUNDLE: "every certificate that the registries trust, PEM: the same one, and while a key is replaced two",
    REDIS_PASSWORD: "any long random text",
}


def guide(
    mirror: Mirror, flavour: Flavour, forms: list[SecretForm], store: Store | None, repository: Repository
) -> RenderedFile:
    """README.md of the output directory."""
    workloads = (mirror.redis, mirror.auth, mirror.registry)
    context = {
        "hosts": [f"https://{mirror.host_of(upstream)}" for upstream in mirror.upstreams],
        "title": _TITLES[flavour],
        "namespace": mirror.namespace,
        "bucket": mirror.storage.bucket,
        "forms": forms,
        "tls_secrets": [name for upstream in mirror.upstreams if (name := mirror.tls_secret_of(upstream))],
        "tls_source": "cert-manager fills it" if mirror.ingress.issuer else "the certificate of the public host",
        "image_pull_secrets": sorted({name for workload in workloads for name in workload.image_pull_secrets}),
        "values": [(value.name, _meaning(value)) for value in secret_values(mirror)],
        "store": store,
        "key_size": mirror.auth.key_size,
        "days": mirror.auth.certificate_days,
        "then": _next(flavour, repository),
        "restarts": _restarts(mirror),
    }
    return RenderedFile("README.md", render_text("gitops/README.md.j2", context, literal=str))


def _meaning(value: SecretValue) -> str:
    match value.reference:
        case EnvironmentReference(env=name):
            return f"`{value.key_path}`, in regmirror.yaml the variable `{name}`"
        case FileReference(file=path):
            return f"`{value.key_path}`, in regmirror.yaml the file `{path}`"
        case ClusterReference(secret=wanted):
            return f"`{value.key_path}`, in regmirror.yaml the Secret `{wanted.name}`, key `{wanted.key}`"
    return _MADE[value.name]


def _next(flavour: Flavour, repository: Repository) -> str:
    commit = f"Commit this directory as `{repository.path}` of the repository"
    if flavour is Flavour.FLUX:
        return f"{commit}, and have a Kustomization of Flux apply it. Flux then installs the charts in `charts/`."
    if flavour is Flavour.ARGOCD:
        return f"{commit}, and once: `kubectl apply -f application.yaml`. It brings an Application for each release."
    return "`kubectl apply -k .`, or commit this directory and have Argo CD or Flux apply it (`kustomization.yaml`)."


def _restarts(mirror: Mirror) -> list[str]:
    deployments = [names.REDIS, names.AUTH, *(names.registry(upstream.name) for upstream in mirror.upstreams)]
    return [f"kubectl -n {mirror.namespace} rollout restart deployment/{name}" for name in deployments]
