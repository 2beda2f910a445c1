"""What the sections of the configuration file require of each other."""

from collections.abc import Callable
from typing import Any, Final

from regmirror.config.certificates import CLUSTER_ISSUER_ANNOTATION, cert_manager_annotation
from regmirror.config.fields import HTTPS_PORT
from regmirror.config.find_references import find_references
from regmirror.config.key_paths import KeyPath
from regmirror.config.mirror_keys import MirrorKeys
from regmirror.config.overrides import protected_value
from regmirror.config.problem import error_at
from regmirror.config.rule_limits import check_rules
from regmirror.config.secret_names import CA_SECRET, NEXT_SIGNING_SECRET, SIGN_IN_SECRET, USERS_SECRET, deployed_secrets
from regmirror.config.secret_references import ClusterReference
from regmirror.config.sign_in_checks import sign_in_problem


def _own_secrets(mirror: MirrorKeys) -> set[str]:
    deployed = deployed_secrets(upstream.name for upstream in mirror.upstreams)
    return {*deployed, NEXT_SIGNING_SECRET, CA_SECRET, SIGN_IN_SECRET, USERS_SECRET}


def _check_rules(mirror: MirrorKeys) -> None:
    check_rules(mirror.upstreams, mirror.auth, mirror.ingress)


def _check_references(mirror: MirrorKeys) -> None:
    """deploy writes to these Secrets what it finds with the references."""
    own = _own_secrets(mirror)
    for path, reference in find_references(mirror):
        if isinstance(reference, ClusterReference) and reference.secret.name in own:
            name = reference.secret.name
            message = f"the Secret {name} is one of the mirror's own: store it in a Secret of another name"
            raise error_at((*path, "secret", "name"), message)


def _check_tls_secrets(mirror: MirrorKeys) -> None:
    """cert-manager and people write to these Secrets: the keys of the mirror must not be in one of them."""
    own = _own_secrets(mirror)
    for index, upstream in enumerate(mirror.upstreams):
        name = mirror.tls_secret_of(upstream)
        if name in own:
            place = ("upstreams", index, "tlsSecret") if upstream.tls_secret else ("ingress", "tlsSecret")
            host = f" for the host of upstream {upstream.name}" if upstream.host and not upstream.tls_secret else ""
            message = f"the Secret {name}{host} is one of the mirror's own: choose another name"
            raise error_at(place, message)


def _check_sign_in(mirror: MirrorKeys) -> None:
    sign_in = mirror.access.sign_in
    if sign_in and (found := sign_in_problem(sign_in, mirror.auth, mirror.upstreams)):
        raise error_at(*found)


def _check_certificate_source(mirror: MirrorKeys) -> None:
    """Two writers of one TLS Secret would replace each other's certificate forever."""
    named = (cert_manager_annotation(mirror.annotations_of(upstream)) for upstream in mirror.upstreams)
    annotation = next(filter(None, named), None)
    if annotation and mirror.ingress.issuer:
        raise error_at(
            ("ingress", "issuer"),
            f"cannot be combined with the annotation {annotation}: deploy creates the Certificates of this issuer "
            f"itmirror. Remove the annotation, or name the issuer by annotations only ({CLUSTER_ISSUER_ANNOTATION})",
        )
    if annotation and mirror.ingress.self_signed:
        raise error_at(("ingress", "selfSigned"), f"cannot be combined with the annotation {annotation}")


def _check_service_account(mirror: MirrorKeys) -> None:
    account = mirror.registry.service_account
    if account and account.create and account.name and len(mirror.upstreams) > 1:
        message = "remove it: with create, the registry of each upstream has a ServiceAccount of its own"
        raise error_at(("registry", "serviceAccount", "name"), message)


def _check_volume(mirror: MirrorKeys) -> None:
    filesystem = mirror.storage.filesystem
    if filesystem and not filesystem.is_shared_by_nodes and mirror.registry.most_replicas > 1:
        message = "must be ReadWriteMany for more than one replica of the registry, on storage that offers it"
        raise error_at(("storage", "filesystem", "accessMode"), message)


def _check_node_port(mirror: MirrorKeys) -> None:
    service = mirror.ingress.service
    if service and service.type == "NodePort" and not service.node_port and mirror.port == HTTPS_PORT:
        message = (
            "the type NodePort opens a port of the nodes, which is not 443: set port to the port of the nodes, "
            "such as 30443, or set nodePort if something forwards port 443 to it"
        )
        raise error_at(("ingress", "service", "nodePort"), message)


def _check_peers(mirror: MirrorKeys) -> None:
    policies = mirror.network_policies
    if policies.enabled and not (policies.ingress_from or mirror.ingress.service):
        message = "name the pods or networks of the Ingress controller: nobody else could pull"
        raise error_at(("networkPolicies", "ingressFrom"), message)


def _check_upstreams(mirror: MirrorKeys) -> None:
    for key, values in {
        "name": [upstream.name for upstream in mirror.upstreams],
        "host": [mirror.host_of(upstream) for upstream in mirror.upstreams],
    }.items():
        for index, value in enumerate(values):
            if value in values[:index]:
                first = mirror.upstreams[values.index(value)].name
                raise error_at(
                    ("upstreams", index, key),
                    f"the upstream {first} has the same {key}, {value}: set another {key}",
                )


def _check_loops(mirror: MirrorKeys) -> None:
    own = [mirror.url_of(upstream) for upstream in mirror.upstreams]
    for index, upstream in enumerate(mirror.upstreams):
        if upstream.url in own:
            message = f"{upstream.url} is this mirror itself: set the URL of the registry to mirror"
            raise error_at(("upstreams", index, "url"), message)


def _check_overrides(mirror: MirrorKeys) -> None:
    charts = {"redis": mirror.redis.chart, "auth": mirror.auth.chart}
    flavors = {component: chart.flavor for component, chart in charts.items() if chart}
    layers: list[tuple[KeyPath, str, dict[str, Any]]] = [
        (("overrides", component), flavors.get(component, component), values) for component, values in mirror.overrides
    ]
    for index, upstream in enumerate(mirror.upstreams):
        layers.append((("upstreams", index, "overrides"), "registry", upstream.overrides))
    for path, chart, values in layers:
        if found := protected_value(chart, values):
            key, reason = found
            raise error_at((*path, *key.split(".")), f"this value cannot be overridden: {reason}")


def _check_databases(mirror: MirrorKeys) -> None:
    external = mirror.redis.external
    if external and external.is_cluster and len(mirror.upstreams) > 1:
        message = (
            "a Redis Cluster has a single database, and upstreams cannot share one: name one address, or sentinel, "
            "or remove redis.external"
        )
        raise error_at(("redis", "external", "addresses"), message)


def _check_service(mirror: MirrorKeys) -> None:
    external = mirror.auth.external
    if external and external.service and len(mirror.upstreams) > 1:
        message = (
            "a token for one upstream would grant rights on another: remove service, and let docker_auth issue "
            f"tokens for {', '.join(mirror.host_of(upstream) for upstream in mirror.upstreams)}"
        )
        raise error_at(("auth", "external", "service"), message)


def _check_monitoring(mirror: MirrorKeys) -> None:
    monitoring = mirror.monitoring
    if monitoring.metrics:
        return
    used = {"scrape": monitoring.scrape != "none", "alerts": monitoring.alerts, "dashboard": monitoring.dashboard}
    for key in (key for key, is_used in used.items() if is_used):
        raise error_at(("monitoring", key), "needs metrics: set monitoring.metrics: true, or remove this key")


CHECKS: Final[tuple[Callable[[MirrorKeys], None], ...]] = (
    _check_rules,
    _check_references,
    _check_tls_secrets,
    _check_sign_in,
    _check_certificate_source,
    _check_service_account,
    _check_volume,
    _check_node_port,
    _check_peers,
    _check_upstreams,
    _check_loops,
    _check_overrides,
    _check_databases,
    _check_service,
    _check_monitoring,
)
"""In the order in which they run; each raises an error at the first key that it refuses."""
