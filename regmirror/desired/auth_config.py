"""The configuration file of docker_auth: who may ask, what is granted, how tokens are signed.

Source of the keys: docker_auth 1.14.0, ``examples/reference.yml`` and ``auth_server/server/config.go``.
"""

from collections.abc import Iterable
from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.access_rules import access_rules
from regmirror.desired.user_accounts import UserAccount, docker_auth_users

SIGNING_DIRECTORY = "/signing"


def auth_config(mirror: Mirror, users: Iterable[UserAccount] = ()) -> dict[str, Any]:
    """The whole file: clients may pull what the configuration allows them, and nothing else."""
    return {
        "server": _server(mirror),
        "token": {
            "issuer": mirror.auth.issuer,
            "expiration": int(mirror.auth.token_lifetime.total_seconds()),
            "certificate": f"{SIGNING_DIRECTORY}/tls.crt",
            "key": f"{SIGNING_DIRECTORY}/tls.key",
            # The registry identifies keys by their RFC 7638 thumbprint, and refuses the older key ids of docker_auth.
            "disable_legacy_key_id": True,
        },
        "users": docker_auth_users(users),
        "acl": access_rules(mirror),
    }


def _server(mirror: Mirror) -> dict[str, Any]:
    """Loopback only: all requests come through the front, which replaces the header of the address."""
    server: dict[str, Any] = {"addr": f"127.0.0.1:{names.AUTH_PORT}"}
    if mirror.uses_client_addresses:
        server |= {"real_ip_header": names.CLIENT_ADDRESS_HEADER, "real_ip_pos": 0}
    return server
