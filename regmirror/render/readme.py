"""The README of the rendered files: which Secrets the mirror needs, how to create them, and how to apply the files."""

from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference
from regmirror.desired import names
from regmirror.desired.account_rules import has_account_rules
from regmirror.desired.secret_templates import (
    REDIS_PASSWORD,
    SIGN_IN_PASSWORD,
    SIGNING_BUNDLE,
    SIGNING_CERTIFICATE,
    SIGNING_KEY,
    USERS,
    SecretTemplate,
    SecretValue,
    secret_values,
)
from regmirror.desired.templates import render_text
from regmirror.errors.documentation import guide_url
from regmirror.render.external_secrets import Store
from regmirror.render.files import RenderedFile
from regmirror.render.output_format import OutputFormat
from regmirror.render.repository import Repository

_TOOLS = {
    OutputFormat.MANIFESTS: "kubectl, Argo CD or Flux",
    OutputFormat.FLUX: "Flux",
    OutputFormat.ARGOCD: "Argo CD",
}
_GENERATED = {
    SIGNING_KEY: "private key of docker_auth: RSA, unencrypted PEM",
    SIGNING_CERTIFICATE: "certificate of the signing key: self-signed, PEM",
    SIGNING_BUNDLE: "certificates that the registries trust, PEM: the signing certificate, and two during a rotation",
    REDIS_PASSWORD: "a long random text",
    SIGN_IN_PASSWORD: "a long random text",
    USERS: "the accounts: a JSON object with the entry of each by its name, or `{}`",
}
_READ_BY_SCRIPT = {USERS: f"the accounts: `fill-secrets.sh` reads them from the Secret `{names.USERS_SECRET}`"}
"""What is different if the script fills the Secrets."""
_BY_HAND = "you, see below"
_RENEWED = "the job that renews the account"
_PULL_SECRET_OPTIONS = "--docker-server=REGISTRY --docker-username=USERNAME --docker-password=PASSWORD"  # noqa: S105


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A Secret in the README's table."""

    name: str
    keys: tuple[str, ...]
    creator: str
    values: tuple[str, ...] = ()


def readme(
    mirror: Mirror,
    output_format: OutputFormat,
    templates: list[SecretTemplate],
    store: Store | None,
    repository: Repository,
    overridden: list[str],
) -> RenderedFile:
    """README.md of the output directory."""
    directory = "apps/" if output_format is OutputFormat.ARGOCD else ""
    values = secret_values(mirror)
    context = {
        "hosts": [mirror.url_of(upstream) for upstream in mirror.upstreams],
        "tool": _TOOLS[output_format],
        "namespace": mirror.namespace,
        "bucket": mirror.storage.bucket,
        "volume": mirror.storage.place if mirror.storage.filesystem else "",
        "secrets": [*_secrets(mirror, templates, store, directory), *_provided_secrets(mirror)],
        "commands": _preparation(mirror, directory),
        "values": [(value.name, _meaning(value, store)) for value in values],
        "reads_variables": any(isinstance(value.reference, EnvironmentReference) for value in values),
        "reads_files": any(isinstance(value.reference, FileReference) for value in values),
        "store": store,
        "directory": directory,
        "signs": mirror.auth.external is None,
        "key_size": mirror.auth.key_size,
        "days": mirror.auth.certificate_days,
        "apply": _apply(output_format, repository),
        "restarts": _restarts(mirror),
        "overridden": overridden,
        "guide": guide_url("gitops"),
    }
    return RenderedFile("README.md", render_text("render/README.md.j2", context, literal=str))


def _secrets(mirror: Mirror, templates: list[SecretTemplate], store: Store | None, directory: str) -> list[SecretRow]:
    filler = f"`{directory}external-secrets.yaml`" if store else "`fill-secrets.sh`"
    rows = [
        SecretRow(
            template.name,
            tuple(template.files),
            filler if template.placeholders else f"`{directory}{template.name}.yaml`",
            template.placeholders,
        )
        for template in templates
    ]
    accounts = SecretRow(names.USERS_SECRET, ("ACCOUNT",), filler, (USERS,))
    return [*rows, accounts] if store and has_account_rules(mirror) else rows


def _provided_secrets(mirror: Mirror) -> list[SecretRow]:
    issued = mirror.issued_hosts
    tls = [
        SecretRow(name, ("tls.crt", "tls.key"), "cert-manager" if name in issued else _BY_HAND)
        for name in mirror.tls_hosts
    ]
    pull = [SecretRow(name, (".dockerconfigjson",), _BY_HAND) for name in _pull_secrets(mirror)]
    return [*tls, *pull, *(SecretRow(name, keys, _RENEWED) for name, keys in _followed_secrets(mirror).items())]


def _followed_secrets(mirror: Mirror) -> dict[str, tuple[str, ...]]:
    """The keys of each Secret that a registry reads its account from, by the Secret's name."""
    accounts = [upstream.credentials for upstream in mirror.upstreams if upstream.credentials]
    references = [part for one in accounts if one.follows_secrets for part in (one.username, one.password)]
    found: dict[str, tuple[str, ...]] = {}
    for reference in references:
        if isinstance(reference, ClusterReference):
            keys = (*found.get(reference.secret.name, ()), reference.secret.key)
            found[reference.secret.name] = tuple(dict.fromkeys(keys))
    return found


def _preparation(mirror: Mirror, directory: str) -> list[str]:
    """Commands that create the namespace, and the Secrets that neither the files nor the script create."""
    create = f"kubectl -n {mirror.namespace} create secret"
    tls = {name: hosts[0] for name, hosts in mirror.tls_hosts.items() if name not in mirror.issued_hosts}
    return [
        f"kubectl apply -f {directory}namespace.yaml",
        *(f"{create} tls {name} --cert={host}.crt --key={host}.key" for name, host in tls.items()),
        *(f"{create} docker-registry {name} {_PULL_SECRET_OPTIONS}" for name in _pull_secrets(mirror)),
    ]


def _pull_secrets(mirror: Mirror) -> list[str]:
    workloads = (mirror.redis, mirror.auth, mirror.registry)
    return sorted({name for workload in workloads for name in workload.image_pull_secrets})


def _meaning(value: SecretValue, store: Store | None) -> str:
    match value.reference:
        case EnvironmentReference(env=name):
            return f"`{value.key_path}`: the environment variable `{name}`"
        case FileReference(file=path):
            return f"`{value.key_path}`: the file `{path}`"
        case ClusterReference(secret=source):
            return f"`{value.key_path}`: the key `{source.key}` of the Secret `{source.name}`, which must exist"
    return _GENERATED[value.name] if store else {**_GENERATED, **_READ_BY_SCRIPT}[value.name]


def _apply(output_format: OutputFormat, repository: Repository) -> str:
    commit = f"Commit this directory as `{repository.path}`"
    if output_format is OutputFormat.FLUX:
        return f"{commit}, and apply it with a Flux Kustomization. Flux then installs the charts in `charts/`."
    if output_format is OutputFormat.ARGOCD:
        return (
            f"{commit}, then run `kubectl apply -f application.yaml` once. "
            "This Application creates an Application for each component."
        )
    return "Run `kubectl apply -k .` in this directory, or commit the directory and apply it with Argo CD or Flux."


def _restarts(mirror: Mirror) -> list[str]:
    redis = [] if mirror.redis.external else [names.REDIS]
    redis += [names.SIGN_IN] if mirror.access.sign_in else []
    auth = [] if mirror.auth.external else [names.AUTH]
    deployments = [*redis, *auth, *(names.registry(upstream.name) for upstream in mirror.upstreams)]
    return [f"kubectl -n {mirror.namespace} rollout restart deployment/{name}" for name in deployments]
