"""The permissions that ``destroy`` needs in the namespace."""

from regmirror.ports.cluster import Right

_USED: dict[tuple[str, str], tuple[str, ...]] = {
    # Helm stores its releases in Secrets, whose names nobody knows in advance, and marks a release before removing it.
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
    """All of them, except to delete the namespace: that is checked only if deploy created it."""
    return [Right(verb, group, resource) for (group, resource), verbs in _USED.items() for verb in verbs]
