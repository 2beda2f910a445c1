"""The permissions that ``regmirror verify --nodes`` needs in the mirror's namespace, and one in the cluster."""

from regmirror.config.model import Mirror
from regmirror.ports.cluster import Right


def node_rights(mirror: Mirror) -> list[Right]:
    """Pods are created and deleted in the namespace of the mirror only; no Secret but the public CA is read."""
    authority = mirror.tls_secrets if mirror.ingress.self_signed else []
    return [
        *(Right("get", "", "secrets", name) for name in authority),
        *(Right(verb, "", "pods") for verb in ("create", "get", "list", "delete")),
        Right("get", "", "pods/log"),
        Right("list", "", "events"),
        Right("get", "apps", "deployments"),
    ]
