"""What ``rotate-cert`` does in the namespace."""

from regmirror.config.model import Mirror
from regmirror.ports.cluster import Right

_USED: dict[tuple[str, str], tuple[str, ...]] = {
    # Keys and bundle; and Helm keeps its releases in Secrets.
    ("", "secrets"): ("get", "list", "create", "patch", "update", "delete"),
    ("apps", "deployments"): ("get", "list", "patch"),
    # Helm upgrades whole releases, though nothing but the Deployment changes.
    ("", "services"): ("get", "patch"),
    ("", "configmaps"): ("get", "patch"),
    ("coordination.k8s.io", "leases"): ("get", "create", "update"),
    ("", "pods"): ("list",),
    # What each is asked depends on the version of Kubernetes: a WebSocket begins with a GET, and is a create.
    ("", "pods/portforward"): ("get", "create"),
    ("", "pods/log"): ("get",),
    ("", "events"): ("list",),
    # Whether pods can be replaced is asked before each change.
    ("", "resourcequotas"): ("list",),
    ("policy", "poddisruptionbudgets"): ("list",),
}
_USED_WITH_REPLICAS = {("policy", "poddisruptionbudgets"): ("list", "get", "patch")}


def rotate_rights(mirror: Mirror) -> list[Right]:
    """The rights that a rotation needs, every one of them."""
    several = mirror.auth.replicas > 1 or mirror.registry.replicas > 1
    used = _USED | _USED_WITH_REPLICAS if several else _USED
    return [Right(verb, group, resource) for (group, resource), verbs in used.items() for verb in verbs]
