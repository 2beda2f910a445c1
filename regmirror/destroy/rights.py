"""The permissions that ``destroy`` needs in the namespace."""

from regmirror.ports.cluster import Right

_USED: dict[tuple[str, str], tuple[str, ...]] = {
    # Helm stores its releases in Secrets, whose names nobody knows in advance, and marks a release before removing it.
    ("", "secrets"): ("get", "list", "update", "delete"),
    # Listed to find what no Helm release owns.
    ("", "services"): ("get", "list", "delete"),
    ("", "configmaps"): ("get", "list", "delete"),
    ("apps", "deployments"): ("get", "list", "delete"),
    ("networking.k8s.io", "ingresses"): ("get", "list", "delete"),
    ("networking.k8s.io", "networkpolicies"): ("get", "delete"),
    ("policy", "poddisruptionbudgets"): ("get", "delete"),
    ("autoscaling", "horizontalpodautoscalers"): ("get", "delete"),
    ("", "serviceaccounts"): ("get", "delete"),
    # Held during the removal, and deleted at its end.
    ("coordination.k8s.io", "leases"): ("get", "create", "update", "delete"),
    ("", "pods"): ("list",),
    ("", "namespaces"): ("get",),
}


def destroy_rights() -> list[Right]:
    """All of them, except to delete the namespace: that is checked only if deploy created it."""
    return [Right(verb, group, resource) for (group, resource), verbs in _USED.items() for verb in verbs]
