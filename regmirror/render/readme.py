"""The README of the rendered files: which Secrets are needed, how they are filled, and what comes next."""

from regmirror.config.model import Mirror
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference
from regmirror.desired import names
from regmirror.desired.secret_templates import (
    REDIS_PASSWORD,
    SIGNING_BUNDLE,
    SIGNING_CERTIFICATE,
    SIGNING_KEY,
    SecretTemplate,
    SecretValue,
    secret_values,
)
from regmirror.desired.templates import render_text
from regmirror.render.external_secrets import Store
from regmirror.render.files import RenderedFile
from regmirror.render.output_format import OutputFormat
from regmirror.render.repository import Repository

_TITLES = {
    OutputFormat.MANIFESTS: "kubectl, Argo CD or Flux",
    OutputFormat.FLUX: "Flux",
    OutputFormat.ARGOCD: "Argo CD",
}
_MADE = {
    SIGNING_KEY: "private key of docker_auth: RSA, unencrypted PEM",
    SIGNING_CERTIFICATE: "its certificate, self-signed, PEM",
    SIGNING_BUNDLE: "every certificate that the registries trust, PEM: the same one, and while a key is replaced two",
    REDIS_PASSWORD: "any long random text",
}


def readme(
    mirror: Mirror,
    output_format: OutputFormat,
    forms: list[SecretTemplate],
    store: Store | None,
    repository: Repository,
) -> RenderedFile:
    """README.md of the output directory."""
    workloads = (mirror.redis, mirror.auth, mirror.registry)
    context = {
        "hosts": [f"https://{mirror.host_of(upstream)}" for upstream in mirror.upstreams],
        "title": _TITLES[output_format],
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
        "then": _next(output_format, repository),
        "restarts": _restarts(mirror),
    }
    return RenderedFile("README.md", render_text("render/README.md.j2", context, literal=str))


def _meaning(value: SecretValue) -> str:
    match value.reference:
        case EnvironmentReference(env=name):
            return f"`{value.key_path}`, in regmirror.yaml the variable `{name}`"
        case FileReference(file=path):
            return f"`{value.key_path}`, in regmirror.yaml the file `{path}`"
        case ClusterReference(secret=wanted):
            return f"`{value.key_path}`, in regmirror.yaml the Secret `{wanted.name}`, key `{wanted.key}`"
    return _MADE[value.name]


def _next(output_format: OutputFormat, repository: Repository) -> str:
    commit = f"Commit this directory as `{repository.path}` of the repository"
    if output_format is OutputFormat.FLUX:
        return f"{commit}, and have a Kustomization of Flux apply it. Flux then installs the charts in `charts/`."
    if output_format is OutputFormat.ARGOCD:
        return f"{commit}, and once: `kubectl apply -f application.yaml`. It brings an Application for each release."
    return "`kubectl apply -k .`, or commit this directory and have Argo CD or Flux apply it (`kustomization.yaml`)."


def _restarts(mirror: Mirror) -> list[str]:
    deployments = [names.REDIS, names.AUTH, *(names.registry(upstream.name) for upstream in mirror.upstreams)]
    return [f"kubectl -n {mirror.namespace} rollout restart deployment/{name}" for name in deployments]
