"""The names of everything that regmirror creates in a namespace."""

from regmirror.config.secret_names import (
    AUTH_SECRET,
    BUNDLE_SECRET,
    CA_SECRET,
    NEXT_SIGNING_SECRET,
    PREFIX,
    REDIS_SECRET,
    SIGN_IN_SECRET,
    SIGNING_SECRET,
    USERS_SECRET,
    credential_secret,
    deployed_secrets,
    registry_secret,
)

__all__ = [
    "AUTH_SECRET",
    "BUNDLE_SECRET",
    "CA_SECRET",
    "NEXT_SIGNING_SECRET",
    "PREFIX",
    "REDIS_SECRET",
    "SIGNING_SECRET",
    "SIGN_IN_SECRET",
    "USERS_SECRET",
    "credential_secret",
    "deployed_secrets",
    "registry_secret",
]

FIELD_MANAGER = "regmirror"
MANAGED_SELECTOR = "app.kubernetes.io/managed-by=regmirror"
"""Selects the objects that regmirror writes itself, without Helm."""

REDIS = f"{PREFIX}redis"
AUTH = f"{PREFIX}auth"
SIGN_IN = f"{PREFIX}sign-in"
"""The release of the database with the logins of people."""
MONITORING = f"{PREFIX}monitoring"
"""The release of what Prometheus and Grafana read."""
INGRESS = f"{PREFIX}ingress"
"""The release of the public endpoint; with ``ingress.service`` also its Deployment and Service."""
CERTIFICATES = f"{PREFIX}certificates"
VERIFICATION = f"{PREFIX}verification"
"""The release, CronJob, ServiceAccount and Role that verify the mirror."""
ROTATION = f"{PREFIX}rotation"
"""Likewise, for the key that signs tokens."""
VERIFICATION_RESULT = f"{PREFIX}verification-result"
"""The ConfigMap with the results of the last verification, which the pods of docker_auth show as metrics."""
VERIFICATION_METRICS = "verification.prom"
"""Its key: metrics in the text format of Prometheus."""

CHANGE_LEASE = f"{PREFIX}change"
"""Held by the command that is changing the mirror."""

AUTH_PORT = 5001
CLIENT_ADDRESS_HEADER = "X-Real-IP"
"""Set by the front of docker_auth (charts/auth/files/nginx.conf): the one address of the client that it trusts."""
REGISTRY_PORT = 5000
REGISTRY_DEBUG_PORT = 5001
REDIS_PORT = 6379
METRICS_PORT = 9113
"""In every pod but those of Redis; it shows metrics only."""

FRONT_CONTAINER = "front"
"""The container that clients reach; the other program of its pod listens on loopback only."""
FETCHER_CONTAINER = "fetcher"
"""In the registry's pods, the container that fetches what the front lacks."""

METRICS_CONTAINER = "metrics"
"""The container that counts requests and shows metrics."""

CA_KEY = "ca.crt"
"""In the Secret of a registry's configuration: the certificates that it trusts in addition to the public CAs."""
PROXY_KEY = "proxy-url"
"""In the same Secret: the URL of the proxy that leads out of the cluster."""

FINGERPRINT_ANNOTATION = "regmirror.dev/certificate-fingerprint"
VERSION_ANNOTATION = "regmirror.dev/version"
SECRET_VERSIONS_ANNOTATION = "regmirror.dev/secret-versions"  # noqa: S105 - the name of an annotation
"""On pods: the versions of the Secrets that they mount (``secretVersions`` of the charts)."""
NOT_AFTER_ANNOTATION = "regmirror.dev/not-after"


def registry(upstream: str) -> str:
    """Release, Deployment and Service of one upstream's registry.

    Without the prefix, a Service named ``registry-...`` would make Kubernetes set REGISTRY_* variables, which the
    registry reads as configuration.
    """
    return PREFIX + upstream


def labels(component: str) -> dict[str, str]:
    """The labels of an object that regmirror writes itself, without Helm."""
    return {
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/part-of": "regmirror",
        "app.kubernetes.io/managed-by": "regmirror",
    }
