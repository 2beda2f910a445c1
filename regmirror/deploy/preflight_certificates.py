"""Whether the certificates of the public hosts are there, or come from an issuer that exists."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from regmirror.config.certificates import CERT_MANAGER_GROUP, NamedIssuer
from regmirror.config.model import Mirror, Upstream
from regmirror.deploy.adopt_certificates import is_of_helm, is_of_ingress
from regmirror.desired import names
from regmirror.desired.secret_contents import secret_data
from regmirror.errors import ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import (
    CERTIFICATE,
    CLUSTER_ISSUER,
    CUSTOM_RESOURCE_DEFINITION,
    NAMESPACE,
    SECRET,
    Cluster,
    Kind,
    Object,
)
from regmirror.signing.host_certificate import host_certificate_problem
from regmirror.steps.step import Done


def check_certificates(mirror: Mirror, cluster: Cluster, now: datetime) -> Done:
    """Without a certificate, the Ingress controller serves a default one that no client trusts.

    ``now`` is in UTC. Raises ConfigurationError, which names every Secret that has a problem.
    """
    if mirror.ingress.self_signed:
        return _check_self_signed(mirror, cluster)
    own = [u for u in mirror.upstreams if mirror.tls_secret_of(u) and not mirror.issuer_of(u)]
    problems = [problem for upstream in own if (problem := _secret_problem(mirror, upstream, cluster, now))]
    if problems:
        raise _error(problems, cluster)
    if mirror.ingress.issuer:
        _check_certificates_of_others(mirror, cluster)
    issuers = [issuer for upstream in mirror.upstreams if (issuer := mirror.issuer_of(upstream))]
    results = [_check_issuer(issuer, cluster) for issuer in dict.fromkeys(issuers)]
    if own:
        results.append(Done(f"Secret {', '.join(dict.fromkeys(str(mirror.tls_secret_of(u)) for u in own))}"))
    if not results:
        return Done("from the Gateway" if mirror.ingress.has_foreign_certificate else "from the Ingress controller")
    return Done("; ".join(result.detail for result in results), skipped=any(result.skipped for result in results))


@dataclass(frozen=True, slots=True)
class _Problem:
    """What is wrong with one TLS Secret; ``hint`` says how to fix that one."""

    message: str
    hint: str


def _error(problems: list[_Problem], cluster: Cluster) -> ConfigurationError:
    if len(problems) == 1:
        return ConfigurationError(problems[0].message, hint=problems[0].hint)
    kubectl = f"kubectl -n {cluster.namespace}"
    create = f"{kubectl} create secret tls NAME --cert=tls.crt --key=tls.key --dry-run=client -o yaml"
    return ConfigurationError(
        "\n  ".join(["TLS Secrets of the public hosts cannot be used:", *(problem.message for problem in problems)]),
        hint=f"for each of them: {create} | {kubectl} apply -f -",
    )


def _secret_problem(mirror: Mirror, upstream: Upstream, cluster: Cluster, now: datetime) -> _Problem | None:
    name, host, key = str(mirror.tls_secret_of(upstream)), mirror.host_of(upstream), mirror.tls_secret_key(upstream)
    create = f"kubectl -n {cluster.namespace} create secret tls {name} --cert=tls.crt --key=tls.key"
    secret = cluster.get(SECRET, name)
    if secret is None:
        message = f"{key}: namespace {cluster.namespace} has no Secret {name} with a certificate for {host}"
        return _Problem(message, _hint_of_missing(mirror, upstream, cluster, create, now))
    problem = _problem_of(secret, host, now)
    if not problem:
        return None
    replace = f"replace it: {create} --dry-run=client -o yaml | kubectl -n {cluster.namespace} apply -f -"
    return _Problem(f"{key}: {problem}", replace)


def _problem_of(secret: Object, host: str, now: datetime) -> str:
    data = secret_data(secret)
    place = f"Secret {secret['metadata']['name']}"
    return host_certificate_problem(place, data.get("tls.crt"), data.get("tls.key"), host, now)


def _hint_of_missing(mirror: Mirror, upstream: Upstream, cluster: Cluster, create: str, now: datetime) -> str:
    shared = mirror.ingress.tls_secret
    found = cluster.get(SECRET, shared) if shared else None
    if found and not _problem_of(found, mirror.host_of(upstream), now):
        set_key = f"upstreams[{mirror.upstreams.index(upstream)}].tlsSecret: {shared}"
        return f"the certificate in Secret {shared} is for this host too: set {set_key}; or {create}"
    # Only a missing namespace has to be created first.
    first = "" if cluster.get(NAMESPACE, cluster.namespace) else f"kubectl create namespace {cluster.namespace}; "
    return f"{first}{create}; or set ingress.issuer or ingress.selfSigned"


def _check_self_signed(mirror: Mirror, cluster: Cluster) -> Done:
    """A Secret that somebody else created is not replaced."""
    for name in mirror.tls_secrets:
        secret = cluster.get(SECRET, name)
        if secret and not _is_ours(secret):
            raise ConfigurationError(
                f"ingress.selfSigned: the Secret {name} is not one that deploy created, so it is not replaced",
                hint=f"set another ingress.tlsSecret; or, if nobody needs it, run kubectl -n {cluster.namespace} "
                f"delete secret {name}",
            )
    return Done(f"self-signed, Secret {', '.join(mirror.tls_secrets)}")


def _check_certificates_of_others(mirror: Mirror, cluster: Cluster) -> None:
    """Two Certificates for one Secret would never be issued, and that of somebody else is not changed."""
    for name in mirror.tls_hosts:
        live = cluster.get(CERTIFICATE, name)
        if live and not (is_of_helm(live) or is_of_ingress(live)):
            raise ConfigurationError(
                f"ingress.issuer: the Certificate {name} is not one that deploy created, so it is not changed",
                hint=f"remove ingress.issuer to use Secret {live['spec']['secretName']} as it is, or set another "
                "ingress.tlsSecret",
            )


def _is_ours(secret: Object) -> bool:
    label, _, value = names.MANAGED_SELECTOR.partition("=")
    return (secret["metadata"].get("labels") or {}).get(label) == value


def _check_issuer(issuer: NamedIssuer, cluster: Cluster) -> Done:
    alternative = f"or remove {issuer.named_by} and create the Secret that ingress.tlsSecret names"
    try:
        if issuer.name and any(cluster.get(kind, issuer.name) for kind in _kinds(issuer, cluster)):
            return Done(f"from {issuer}")
        has_cert_manager = _definition(cluster, f"certificates.{CERT_MANAGER_GROUP}")
        has_kind = issuer.group == CERT_MANAGER_GROUP or any(_kinds(issuer, cluster))
    except PermissionDeniedError:
        return Done(f"{issuer} not checked: no permission", skipped=True)
    if not has_cert_manager:
        raise ConfigurationError(
            f"{issuer.named_by}: {issuer} needs cert-manager, which is not installed",
            hint=f"install cert-manager, {alternative}",
        )
    if not issuer.name:
        return Done(f"from {issuer}")
    if not has_kind:
        raise ConfigurationError(
            f"{issuer.named_by}: the cluster has no kind {issuer.kind} of the API group {issuer.group}",
            hint=f"install that issuer, or correct its kind and group, {alternative}",
        )
    raise ConfigurationError(
        f"{issuer.named_by}: the cluster has no {issuer}", hint=f"create the {issuer.kind} {issuer.name}, {alternative}"
    )


def _kinds(issuer: NamedIssuer, cluster: Cluster) -> Iterator[Kind]:
    """The kind of an issuer in the versions that the cluster serves."""
    if issuer.group == CERT_MANAGER_GROUP:
        yield Kind(CLUSTER_ISSUER.api_version, issuer.kind)
        return
    for definition in cluster.select(CUSTOM_RESOURCE_DEFINITION):
        spec = definition["spec"]
        if (spec["group"], spec["names"]["kind"]) == (issuer.group, issuer.kind):
            served = (version["name"] for version in spec["versions"] if version.get("served"))
            yield from (Kind(f"{issuer.group}/{version}", issuer.kind) for version in served)


def _definition(cluster: Cluster, name: str) -> Object | None:
    return cluster.get(CUSTOM_RESOURCE_DEFINITION, name)
