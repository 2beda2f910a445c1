"""The permissions with which ``regmirror status`` can determine everything."""

from regmirror.config.find_references import find_ca_bundles, referenced_cluster_secrets, referenced_config_maps
from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.way_out import way_out_references
from regmirror.ports.cluster import Right, rights_on_secrets


def status_rights(mirror: Mirror) -> list[Right]:
    """None of them writes, and none reads the signing key.

    The configuration of a registry has its S3 key, which counts the objects in the bucket; the account at the upstream
    asks for its pull limit. Without them in the file, these Secrets are not read.
    """
    return [
        Right("get", "apps", "deployments"),
        *rights_on_secrets(["get"], [names.BUNDLE_SECRET, *secrets_of_lookups(mirror)]),
        *(Right("get", "", "configmaps", name) for name in dict.fromkeys(referenced_config_maps(mirror))),
        Right("list", "", "pods"),
        # Port-forwards require create since Kubernetes 1.35, get before it.
        Right("create", "", "pods/portforward"),
        Right("get", "", "pods/portforward"),
    ]


def secrets_of_lookups(mirror: Mirror) -> list[str]:
    """The Secrets with which the public hosts, the bucket and the upstreams are reached."""
    # Where a CA bundle or the proxy is not known to the machine, that of the deployed registry is used.
    reads_config = mirror.storage.access_key or mirror.egress.https_proxy or any(find_ca_bundles(mirror))
    keys = [names.registry_secret(upstream.name) for upstream in mirror.upstreams if reads_config]
    accounts = [names.credential_secret(upstream.name) for upstream in mirror.upstreams if upstream.credentials]
    # With the CA in the TLS Secret, the public host is trusted.
    authority = mirror.tls_secrets if mirror.ingress.self_signed else []
    return [
        *keys,
        *accounts,
        *authority,
        *referenced_cluster_secrets(way_out_references(mirror)),
    ]
