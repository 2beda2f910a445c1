"""The values of the public endpoint's release: Ingresses, HTTPRoutes, or a Service with nginx."""

from typing import Any

from regmirror.config.fields import image_parts
from regmirror.config.ingress import IngressService
from regmirror.config.model import Mirror, Upstream
from regmirror.desired import names
from regmirror.desired.endpoint_annotations import endpoint_annotations, for_every_external_dns
from regmirror.desired.ingress_controllers import WITHOUT_INGRESS_CLASS
from regmirror.desired.metrics_values import metrics_values
from regmirror.desired.monitoring import with_scrape_annotations
from regmirror.desired.pod_values import pod_values
from regmirror.desired.routes import route_values
from regmirror.desired.sign_in_values import endpoint_values

INGRESS_CHART = "ingress"
SERVICE_CHART = "endpoint"


def endpoint_chart(mirror: Mirror) -> str:
    """The chart of the release; its template of values has the same name."""
    return SERVICE_CHART if mirror.ingress.service else INGRESS_CHART


def endpoint_context(mirror: Mirror) -> dict[str, Any]:
    """The variables of the template."""
    context = {
        "hosts": [_host(mirror, upstream) for upstream in mirror.upstreams],
        "auth_service": "" if mirror.auth.external else names.AUTH,
        "auth_port": names.AUTH_PORT,
        "sign_in": endpoint_values(mirror),
    }
    service = mirror.ingress.service
    return context | (_service(mirror, service) if service else _ingress(mirror))


def _host(mirror: Mirror, upstream: Upstream) -> dict[str, Any]:
    return {
        "host": mirror.host_of(upstream),
        "registryService": names.registry(upstream.name),
        "registryPort": names.REGISTRY_PORT,
        "tlsSecretName": mirror.tls_secret_of(upstream),
        "annotations": for_every_external_dns(upstream.annotations),
    }


def _ingress(mirror: Mirror) -> dict[str, Any]:
    class_name = mirror.ingress.class_name or ""
    return {
        "class_name": "" if class_name in WITHOUT_INGRESS_CLASS else class_name,
        "annotations": endpoint_annotations(mirror),
        "route": route_values(mirror.ingress.gateway) if mirror.ingress.gateway else None,
    }


def _service(mirror: Mirror, service: IngressService) -> dict[str, Any]:
    policies = mirror.network_policies
    return {
        "service": service,
        "port": mirror.port,
        "node_port": node_port(mirror, service) or 0,
        "policy": {
            "enabled": policies.enabled,
            "ingress_from": policies.ingress_from,
            "metrics_from": mirror.monitoring.scrape_from,
        },
        "metrics": metrics_values(mirror),
        "front": {
            "image": image_parts(mirror.front.image),
            "trusted_proxies": mirror.ingress.trusted_proxies,
            "resources": service.resources,
        },
        **pod_values(mirror, with_scrape_annotations(mirror, service)),
    }


def node_port(mirror: Mirror, service: IngressService) -> int | None:
    """The port of the nodes; None if Kubernetes chooses it."""
    return service.node_port or (mirror.port if service.type == "NodePort" else None)
