"""The permissions with which ``regmirror why`` can find out everything."""

from regmirror.config.find_references import referenced_config_maps
from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.ports.cluster import Right, rights_on_secrets
from regmirror.status.rights import secrets_of_lookups


def why_rights(mirror: Mirror) -> list[Right]:
    """None of them writes, and none reads the signing key.

    docker_auth's configuration has its rules, and the groups of accounts; the other Secrets reach the bucket and the
    upstream.
    """
    # The chart docker-auth has its configuration in a ConfigMap.
    config_maps = [Right("get", "", "configmaps")] if mirror.auth.chart else []
    return [
        *config_maps,
        Right("get", "apps", "deployments"),
        *rights_on_secrets(["get"], [names.AUTH_SECRET, *secrets_of_lookups(mirror)]),
        *(Right("get", "", "configmaps", name) for name in dict.fromkeys(referenced_config_maps(mirror))),
    ]
