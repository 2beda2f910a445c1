"""What regmirror needs from a Kubernetes cluster, always in one namespace."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from enum import Enum
from socket import socket
from typing import Any, NamedTuple, Protocol

from regmirror.desired.rights import Right as Right
from regmirror.desired.rights import rights_on_secrets as rights_on_secrets
from regmirror.errors import PermissionDeniedError

Object = dict[str, Any]


class Kind(NamedTuple):
    """A kind of object, as manifests name it."""

    api_version: str
    kind: str


CONFIG_MAP = Kind("v1", "ConfigMap")
CRON_JOB = Kind("batch/v1", "CronJob")
DEPLOYMENT = Kind("apps/v1", "Deployment")
ENDPOINT_SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice")
EVENT = Kind("v1", "Event")
INGRESS = Kind("networking.k8s.io/v1", "Ingress")
INGRESS_CLASS = Kind("networking.k8s.io/v1", "IngressClass")
LEASE = Kind("coordination.k8s.io/v1", "Lease")
NAMESPACE = Kind("v1", "Namespace")
NODE = Kind("v1", "Node")
PERSISTENT_VOLUME = Kind("v1", "PersistentVolume")
POD = Kind("v1", "Pod")
POD_DISRUPTION_BUDGET = Kind("policy/v1", "PodDisruptionBudget")
LIMIT_RANGE = Kind("v1", "LimitRange")
RESOURCE_QUOTA = Kind("v1", "ResourceQuota")
SECRET = Kind("v1", "Secret")
SERVICE = Kind("v1", "Service")
CERTIFICATE = Kind("cert-manager.io/v1", "Certificate")
CERTIFICATE_REQUEST = Kind("cert-manager.io/v1", "CertificateRequest")
ORDER = Kind("acme.cert-manager.io/v1", "Order")
CHALLENGE = Kind("acme.cert-manager.io/v1", "Challenge")
GATEWAY = Kind("gateway.networking.k8s.io/v1", "Gateway")
HTTP_ROUTE = Kind("gateway.networking.k8s.io/v1", "HTTPRoute")
LISTENER_SET = Kind("gateway.networking.k8s.io/v1", "ListenerSet")
POD_MONITOR = Kind("monitoring.coreos.com/v1", "PodMonitor")
PROMETHEUS = Kind("monitoring.coreos.com/v1", "Prometheus")
PROMETHEUS_RULE = Kind("monitoring.coreos.com/v1", "PrometheusRule")
SECURITY_CONTEXT_CONSTRAINTS = Kind("security.openshift.io/v1", "SecurityContextConstraints")
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount")
STORAGE_CLASS = Kind("storage.k8s.io/v1", "StorageClass")
VOLUME_CLAIM = Kind("v1", "PersistentVolumeClaim")
CLUSTER_ISSUER = Kind("cert-manager.io/v1", "ClusterIssuer")
CUSTOM_RESOURCE_DEFINITION = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")

MINIMUM_KUBERNETES = (1, 30)
"""The first version with the preStop sleep action, which every rollout without a failed pull needs."""


class Applied(Enum):
    """What a server-side apply did."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Cluster(Protocol):
    """One namespace of a cluster. Every method raises ClusterError (or a subclass) if the API server fails."""

    @property
    def context(self) -> str:
        """Name of the kubeconfig context in use."""

    @property
    def namespace(self) -> str:
        """The namespace of every namespaced call."""

    def version(self) -> tuple[int, int]:
        """Major and minor version of the API server."""

    def may(self, right: Right) -> bool:
        """Whether the user has a right in the namespace (SelfSubjectAccessReview)."""

    def serves(self, kind: Kind) -> bool:
        """Whether the API server knows a kind; every user may ask."""

    def get(self, kind: Kind, name: str) -> Object | None:
        """One object; None if it, or its kind, does not exist."""

    def select(
        self, kind: Kind, selector: str = "", field_selector: str = "", *, everywhere: bool = False
    ) -> list[Object]:
        """The objects of a kind that match a label and a field selector; none if the kind does not exist.

        ``everywhere`` includes all namespaces.
        """

    def contents(self) -> list[Object]:
        """Kind and metadata of every object in the namespace, of every kind that the cluster knows, except Events.

        Raises PermissionDeniedError if the user may not list all of them, and ClusterError if an aggregated API does
        not answer.
        """

    def apply(self, manifest: Object) -> Applied:
        """Server-side apply as field manager ``regmirror``: fields that others added are kept.

        With ``metadata.resourceVersion`` in the manifest, raises ConflictError if the object was changed since.
        """

    def create(self, manifest: Object) -> None:
        """Create an object; raises ConflictError if it exists."""

    def try_create(self, manifest: Object) -> None:
        """Ask the API server whether it would create an object; creates nothing.

        Raises ClusterError with its reason if not, such as a policy that denies the object.
        """

    def replace(self, found: Object) -> None:
        """Replace an object that was read; raises ConflictError if it was changed or deleted since."""

    def preview(self, manifest: Object) -> Object:
        """An existing object as applying the manifest would leave it; changes nothing."""

    def delete(self, kind: Kind, name: str) -> None:
        """Delete one object; a missing one is fine."""

    def log(self, pod: str, container: str, lines: int, *, previous: bool = False) -> str:
        """The last lines of a container's log, or of the log of its previous run; empty if nothing was logged.

        Raises ClusterError if there is no such log or it cannot be read.
        """

    def connect(self, pod: str, port: int) -> AbstractContextManager[socket]:
        """A connection to a port inside a pod, loopback-only ports included (port-forward)."""


def namespace_uids(cluster: Cluster, *others: str) -> dict[str, str]:
    """The UIDs of the namespace and of ``others``, by name, without those that do not exist or may not be read."""
    found = {}
    for name in (*others, cluster.namespace):
        with suppress(PermissionDeniedError):
            if namespace := cluster.get(NAMESPACE, name):
                found[name] = str(namespace["metadata"]["uid"])
    return found


def missing_rights(cluster: Cluster, rights: Iterable[Right]) -> str:
    """The rights that the user lacks, in one sentence; empty if there is none."""
    missing = [right for right in rights if not cluster.may(right)]
    if not missing:
        return ""
    where = f"the user of context {cluster.context} may not, in namespace {cluster.namespace}"
    return f"{where}: {', '.join(map(str, missing))}"
