"""The configuration file of docker_auth: who may ask, what is granted, how tokens are signed.

Source of the keys: docker_auth 1.14.0, ``examples/reference.yml`` and ``auth_server/server/config.go``.
"""

from collections.abc import Iterator
from typing import Any

from regmirror.config.model import Mirror, Upstream
from regmirror.config.patterns import docker_auth_pattern
from regmirror.desired import names

SIGNING_DIRECTORY = "/signing"


def auth_config(mirror: Mirror) -> dict[str, Any]:
    """The whole file: anonymous clients may pull what the configuration allows, and nothing else."""
    return {
        # Loopback only: all requests come through the front.
        "server": {"addr": f"127.0.0.1:{names.AUTH_PORT}"},
        "token": {
            "issuer": mirror.auth.issuer,
            "expiration": int(mirror.auth.token_lifetime.total_seconds()),
            "certificate": f"{SIGNING_DIRECTORY}/tls.crt",
            "key": f"{SIGNING_DIRECTORY}/tls.key",
            # The registry identifies keys by their RFC 7638 thumbprint, and refuses the older key ids of docker_auth.
            "disable_legacy_key_id": True,
        },
        # docker_auth uses the account with the empty name for clients without credentials.
        "users": {"": {}},
        "acl": access_rules(mirror),
    }


def access_rules(mirror: Mirror) -> list[dict[str, Any]]:
    """The rules in the order of the configuration; docker_auth takes the first that matches and denies the rest.

    Each is bound to its upstream's ``service``: docker_auth signs any service that a client requests, so without it a
    token for one upstream could grant rights on another.
    """
    return [rule for upstream in mirror.upstreams for rule in _rules_of(upstream, mirror.endpoint_of(upstream))]


def _rules_of(upstream: Upstream, service: str) -> Iterator[dict[str, Any]]:
    for actions, verdict, patterns in (
        ([], "nobody", upstream.deny),
        (["pull"], "everyone", upstream.anonymous_pull),
    ):
        for pattern in patterns:
            yield {
                "match": {"type": "repository", "name": docker_auth_pattern(pattern), "service": service},
                # A list of its own: YAML would write a shared one as an alias.
                "actions": list(actions),
                "comment": f"{verdict} may pull {pattern} of {upstream.name}",
            }
