"""The Service of the section ``ingress.service``: a public endpoint without an Ingress controller."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regmirror.config.fields import Network
from regmirror.config.kubernetes_fields import QualifiedName
from regmirror.config.problem import error_at
from regmirror.config.section import Section


class ServiceSettings(Section):
    """The settings of the Service that clients connect to."""

    type: Annotated[
        Literal["LoadBalancer", "NodePort"],
        Field(description="LoadBalancer, an address of its own, or NodePort, a port of every node."),
    ]
    node_port: Annotated[
        int | None,
        Field(
            ge=1,
            le=65535,
            description="Port of the nodes. Set it if something forwards the port of clients to another one, such as "
            "extraPortMappings of kind. Default: port for the type NodePort, a free port for LoadBalancer.",
            examples=[30443],
        ),
    ] = None
    annotations: Annotated[
        dict[QualifiedName, str],
        Field(
            description="Annotations of the Service, for example for its load balancer or external-dns.",
            examples=[{"service.beta.kubernetes.io/aws-load-balancer-scheme": "internal"}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it
    load_balancer_class: Annotated[
        QualifiedName | None,
        Field(
            description="Class of the load balancer. Default: the one of the cluster. Kubernetes allows no change.",
            examples=["service.k8s.aws/nlb"],
        ),
    ] = None
    load_balancer_source_ranges: Annotated[
        list[Network],
        Field(
            description="Networks of clients that the load balancer admits. Default: all.", examples=[["10.0.0.0/8"]]
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    external_traffic_policy: Annotated[
        Literal["Cluster", "Local"],
        Field(
            description="Local keeps the addresses of clients, whose requests are then limited as with "
            "ingress.trustedProxies; only nodes with a pod of the endpoint answer. Cluster answers on every node and "
            "hides the addresses."
        ),
    ] = "Cluster"

    @model_validator(mode="after")
    def _check_load_balancer(self) -> Self:
        if self.type == "NodePort":
            for key, value in {
                "loadBalancerClass": self.load_balancer_class,
                "loadBalancerSourceRanges": self.load_balancer_source_ranges,
            }.items():
                if value:
                    raise error_at((key,), "has no effect with type: NodePort")
        return self
