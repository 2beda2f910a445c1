"""The permissions that ``destroy`` needs in the namespace."""

from regmirror.config.model import Mirror
from regmirror.desired.job_rights import written_with_jobs
from regmirror.desired.written_kinds import monitoring_resources, route_resources
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
    ("autoscaling", "horizontalpodautoscalers"): ("get", "delete"),
    ("", "serviceaccounts"): ("get", "delete"),
    # Held during the removal, and deleted at its end.
    ("coordination.k8s.io", "leases"): ("get", "create", "update", "delete"),
    ("", "pods"): ("list",),
    ("", "namespaces"): ("get",),
}


_USED_WITH_ISSUER: dict[tuple[str, str], tuple[str, ...]] = {("cert-manager.io", "certificates"): ("get", "delete")}
_VOLUMES = ("get", "list", "delete")


def destroy_rights(mirror: Mirror) -> list[Right]:
    """All of them, except to delete the namespace: that is checked only if deploy created it."""
    routes = dict.fromkeys(route_resources(mirror), ("get", "list", "delete"))
    volumes = {("", "persistentvolumeclaims"): _VOLUMES} if has_own_volumes(mirror) else {}
    jobs = dict.fromkeys(written_with_jobs(mirror), ("get", "delete"))
    monitoring = dict.fromkeys(monitoring_resources(mirror), ("get", "delete"))
    issuer = _USED_WITH_ISSUER if mirror.ingress.issuer else {}
    used = {**_USED, **routes, **jobs, **volumes, **monitoring, **issuer}
    return [Right(verb, group, resource) for (group, resource), verbs in used.items() for verb in verbs]
