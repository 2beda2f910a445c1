"""The permissions that ``destroy`` needs in the namespace."""

from regmirror.config.model import Mirror
from regmirror.destroy.volumes import has_own_volumes
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
    # Held during the removal, and deleted at its end.
    ("coordination.k8s.io", "leases"): ("get", "create", "update", "delete"),
    ("", "pods"): ("list",),
    ("", "namespaces"): ("get",),
}


_VOLUMES = ("get", "list", "delete")


def destroy_rights(mirror: Mirror) -> list[Right]:
    """All of them, except to delete the namespace: that is checked only if deploy created it."""
    used = [Right(verb, group, resource) for (group, resource), verbs in _USED.items() for verb in verbs]
    volumes = _VOLUMES if has_own_volumes(mirror) else ()
    return [*used, *(Right(verb, "", "persistentvolumeclaims") for verb in volumes)]
