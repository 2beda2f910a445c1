"""The permissions that ``regmirror verify`` needs in the mirror's namespace."""

from regmirror.config.find_references import referenced_cluster_secrets
from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.ports.cluster import Right, rights_on_secrets


def verify_rights(mirror: Mirror) -> list[Right]:
    """Nothing is written except one object in the bucket, which is deleted again.

    The signing key is among the Secrets: only with it can verify ask the registry for its catalog, and test that the
    registry refuses expired and foreign tokens.
    """
    return [
        *rights_on_secrets(["get"], _secrets_read(mirror)),
        Right("list", "", "pods"),
        Right("get", "", "pods/log"),
        # Port-forwards need create since Kubernetes 1.35, and get before it.
        Right("create", "", "pods/portforward"),
        Right("get", "", "pods/portforward"),
        Right("list", "", "events"),
        Right("get", "apps", "deployments"),
        Right("list", "discovery.k8s.io", "endpointslices"),
        *([Right("get", "", "services")] if mirror.ingress.service else []),
        Right("list", "networking.k8s.io", "ingresses"),
    ]


def _secrets_read(mirror: Mirror) -> list[str]:
    deployed = names.deployed_secrets(upstream.name for upstream in mirror.upstreams)
    return [*deployed, *mirror.tls_secrets, *referenced_cluster_secrets(mirror.storage)]
