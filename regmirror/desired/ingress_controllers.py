"""The Ingress controllers that regmirror knows, and the annotations that their Ingresses need: data only.

The first download of a large layer takes as long as the upstream needs, and arrives as a stream: the controller must
not end it, and must not store it first. A mirror accepts no uploads, so that request bodies stay small.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

LEGACY_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
"""How Ingresses name a class that has no IngressClass."""


@dataclass(frozen=True, slots=True)
class IngressController:
    """One controller.

    ``ids`` are the beginnings of ``spec.controller`` of its IngressClasses, ``classes`` the usual names of these.
    """

    name: str
    ids: tuple[str, ...]
    classes: tuple[str, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)
    advice: str = ""
    """What no annotation of an Ingress can set."""


CONTROLLERS = (
    IngressController(
        "ingress-nginx",
        ids=("k8s.io/ingress-nginx",),
        classes=("nginx",),
        annotations={
            "nginx.ingress.kubernetes.io/proxy-read-timeout": "600",
            "nginx.ingress.kubernetes.io/proxy-send-timeout": "600",
            "nginx.ingress.kubernetes.io/proxy-body-size": "1m",
            "nginx.ingress.kubernetes.io/proxy-buffering": "off",
        },
    ),
    IngressController(
        "F5 NGINX Ingress Controller",
        ids=("nginx.org/ingress-controller",),
        classes=("nginx",),
        annotations={
            "nginx.org/proxy-read-timeout": "600s",
            "nginx.org/proxy-send-timeout": "600s",
            "nginx.org/client-max-body-size": "1m",
            "nginx.org/proxy-buffering": "False",
        },
    ),
    IngressController(
        "Traefik",
        # It streams, and limits neither bodies nor responses. Without this, it needs TLS on its entry point.
        ids=("traefik.io/ingress-controller",),
        classes=("traefik",),
        annotations={"traefik.ingress.kubernetes.io/router.tls": "true"},
    ),
    IngressController(
        "HAProxy Kubernetes Ingress Controller",
        ids=("haproxy.org/ingress-controller",),
        classes=("haproxy",),
        annotations={"haproxy.org/timeout-server": "600s"},
    ),
    IngressController(
        "HAProxy Ingress",
        ids=("haproxy-ingress.github.io/",),
        classes=("haproxy",),
        annotations={
            "haproxy-ingress.github.io/timeout-server": "600s",
            "haproxy-ingress.github.io/proxy-body-size": "1m",
        },
    ),
    IngressController(
        "Contour",
        ids=("projectcontour.io/",),
        classes=("contour",),
        # Envoy ends a response after 15 seconds by default.
        annotations={"projectcontour.io/response-timeout": "infinity"},
    ),
    IngressController(
        "AWS Load Balancer Controller",
        ids=("ingress.k8s.aws/alb", "eks.amazonaws.com/alb"),
        classes=("alb",),
        annotations={
            # The Services of a mirror have no node port.
            "alb.ingress.kubernetes.io/target-type": "ip",
            "alb.ingress.kubernetes.io/listen-ports": '[{"HTTPS": 443}]',
            "alb.ingress.kubernetes.io/healthcheck-path": "/",
            "alb.ingress.kubernetes.io/load-balancer-attributes": "idle_timeout.timeout_seconds=600",
        },
        advice="the load balancer uses a certificate of ACM for the host, not a Secret: set ingress.tlsSecret: null",
    ),
    IngressController(
        "GKE Ingress",
        ids=(),
        classes=("gce", "gce-internal"),
        advice="GKE ends a response after 30 seconds, which only a BackendConfig changes: use ingress.gateway instead",
    ),
)

WITHOUT_INGRESS_CLASS = ("gce", "gce-internal")
"""Classes that exist only as the value of ``LEGACY_CLASS_ANNOTATION``."""


def controllers_of_class(class_name: str | None) -> tuple[IngressController, ...]:
    """The controllers that a class of this name may have: all of them if the name says nothing."""
    found = tuple(controller for controller in CONTROLLERS if class_name in controller.classes)
    return found or CONTROLLERS


def find_controller(spec_controller: str) -> IngressController | None:
    """The controller of an IngressClass; None if regmirror does not know it."""
    return next((known for known in CONTROLLERS if known.ids and spec_controller.startswith(known.ids)), None)


def controller_annotations(class_name: str | None) -> dict[str, str]:
    """The annotations for the controller of a class.

    Only the cluster knows which controller that is, but ``render`` runs without one and must give the same objects as
    ``deploy``. So the annotations of every controller that it may be are set: each reads only its own.
    """
    return {key: text for known in controllers_of_class(class_name) for key, text in known.annotations.items()}


def class_advice(class_name: str) -> list[str]:
    """What to do about the controllers that a class name stands for."""
    return [f"ingress.className: {known.advice}" for known in controllers_of_class(class_name) if known.advice]


def controller_warning(class_name: str, configured: str | None, spec_controller: str) -> str:
    """What to check about the controller of a class, in one sentence; empty if its Ingresses have all that it needs.

    ``configured`` is the class in the file, which decided about the annotations.
    """
    known = find_controller(spec_controller)
    if known is None:
        return (
            f"ingress.className: class {class_name} has an unknown Ingress controller, {spec_controller or 'none'}: "
            "check that it does not end responses that take minutes, does not buffer them, and serves HTTPS; set what "
            "it needs with ingress.annotations"
        )
    if known not in controllers_of_class(configured):
        needed = ", ".join(f"{key}: {text}" for key, text in known.annotations.items())
        return f"ingress.className: class {class_name} belongs to {known.name}: set ingress.annotations: {{{needed}}}"
    return f"ingress.className: {known.advice}" if known.advice else ""
