"""The permissions that ``regmirror verify`` needs in the mirror's namespace."""

from regmirror.config.find_references import referenced_cluster_secrets, referenced_config_maps
from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.rights import Right, issuance_rights, rights_on_secrets
from regmirror.desired.way_out import way_out_references


def verify_rights(mirror: Mirror) -> list[Right]:
    """Nothing is written except one object in the bucket, which is deleted again.

    The signing key is among the Secrets: only with it can verify ask the registry for its catalog, and test that the
    registry refuses expired and foreign tokens.
    """
    # The chart docker-auth has its configuration in a ConfigMap.
    config_maps = [Right("get", "", "configmaps")] if mirror.auth.chart else []
    return [
        *config_maps,
        *rights_on_secrets(["get"], _secrets_read(mirror)),
        *(Right("get", "", "configmaps", name) for name in dict.fromkeys(referenced_config_maps(mirror))),
        Right("list", "", "pods"),
        Right("get", "", "pods/log"),
        # Port-forwards need create since Kubernetes 1.35, and get before it.
        Right("create", "", "pods/portforward"),
        Right("get", "", "pods/portforward"),
        Right("list", "", "events"),
        Right("get", "apps", "deployments"),
        Right("list", "discovery.k8s.io", "endpointslices"),
        *([Right("get", "", "services")] if mirror.ingress.service else []),
        *_routes(mirror),
        *issuance_rights(mirror),
    ]


def _routes(mirror: Mirror) -> list[Right]:
    """To read what makes the mirror public."""
    gateway = mirror.ingress.gateway
    if gateway is None:
        return [Right("list", "networking.k8s.io", "ingresses")]
    resources = ["httproutes", *(["listenersets"] if gateway.listener_set else [])]
    return [Right("list", "gateway.networking.k8s.io", resource) for resource in resources]


def _secrets_read(mirror: Mirror) -> list[str]:
    deployed = names.deployed_secrets(upstream.name for upstream in mirror.upstreams)
    users = [] if mirror.auth.external else [names.USERS_SECRET]
    references = [mirror.storage, *way_out_references(mirror)]
    return [*deployed, *users, *mirror.tls_secrets, *referenced_cluster_secrets(references)]
