"""The permissions that ``rotate-cert`` needs in the namespace."""

from regmirror.config.model import Mirror
from regmirror.ports.cluster import Right

_USED: dict[tuple[str, str], tuple[str, ...]] = {
    # Keys and bundle; Helm stores its releases in Secrets, too.
    ("", "secrets"): ("get", "list", "create", "patch", "update", "delete"),
    ("apps", "deployments"): ("get", "list", "patch"),
    # Helm upgrades whole releases, although only the Deployment changes.
    ("", "services"): ("get", "patch"),
    ("", "configmaps"): ("get", "patch"),
    ("coordination.k8s.io", "leases"): ("get", "create", "update"),
    ("", "pods"): ("list",),
    # Port-forwards require create since Kubernetes 1.35, get before it.
    ("", "pods/portforward"): ("get", "create"),
    ("", "pods/log"): ("get",),
    ("", "events"): ("list",),
    # Whether pods can be replaced is checked before each change.
    ("", "resourcequotas"): ("list",),
    ("policy", "poddisruptionbudgets"): ("list",),
}
_USED_WITH_REPLICAS = {("policy", "poddisruptionbudgets"): ("list", "get", "patch")}


def rotate_rights(mirror: Mirror) -> list[Right]:
    """Every permission that a rotation needs."""
    several = mirror.auth.replicas > 1 or mirror.registry.replicas > 1
    used = _USED | _USED_WITH_REPLICAS if several else _USED
    return [Right(verb, group, resource) for (group, resource), verbs in used.items() for verb in verbs]
