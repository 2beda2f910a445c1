"""What ``destroy`` does in the namespace."""

from regmirror.ports.cluster import Right

_USED: dict[tuple[str, str], tuple[str, ...]] = {
    # Helm keeps its releases in Secrets, and marks one before it takes it away.
    ("", "secrets"): ("get", "list", "update", "delete"),
    ("", "services"): ("get", "delete"),
    ("", "configmaps"): ("get", "delete"),
    ("apps", "deployments"): ("get", "delete"),
    ("networking.k8s.io", "ingresses"): ("get", "delete"),
    ("policy", "poddisruptionbudgets"): ("get", "delete"),
    ("coordination.k8s.io", "leases"): ("get", "delete"),
    ("", "pods"): ("list",),
    ("", "namespaces"): ("get",),
}


def destroy_rights() -> list[Right]:
    """The rights that it needs; to delete a namespace that deploy has made is asked for where it comes to that."""
    return [Right(verb, group, resource) for (group, resource), verbs in _USED.items() for verb in verbs]
