"""The values of the Helm releases that are about ``access.signIn``."""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired.way_out import no_proxy


def page_values(mirror: Mirror) -> dict[str, Any]:
    """The page on which people sign in, and how docker_auth reaches the provider; empty without one."""
    sign_in = mirror.access.sign_in
    if sign_in is None:
        return {}
    return {
        "provider": sign_in.name,
        "ca_bundle": sign_in.ca_bundle is not None,
        "proxy": mirror.egress.https_proxy is not None,
        "no_proxy": ",".join(no_proxy(mirror)),
    }


def endpoint_values(mirror: Mirror) -> dict[str, str]:
    """Where the public endpoint publishes the page; empty without one."""
    sign_in = mirror.access.sign_in
    return {"host": mirror.sign_in_host, "path": sign_in.path} if sign_in else {}


def volume_values(mirror: Mirror) -> dict[str, Any]:
    """Where the database with the logins writes them."""
    sign_in = mirror.access.sign_in
    if sign_in is None or not sign_in.has_volume:
        # The limit of the container for its disk is as large.
        return {"enabled": False, "storageClassName": "", "size": "256Mi"}
    return {"enabled": True, "storageClassName": sign_in.volume or "", "size": "1Gi"}
