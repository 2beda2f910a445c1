"""How a registry connects to Redis: the section ``redis`` of its configuration file.

Source of the keys: distribution v3.1.2, ``configuration/configuration.go`` (RedisOptions, RedisTLSOptions), which
``registry/handlers/app.go`` hands to go-redis v9.
"""

from typing import Any

from regmirror.config.external_redis import ExternalRedis
from regmirror.config.model import Mirror, Upstream
from regmirror.desired import names
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.redis_config import redis_database

REDIS_CA_KEY = "redis-ca.crt"
"""The key of the registry's Secret with the certificates that Redis is checked with."""
_CONFIG_DIRECTORY = "/etc/distribution"
_PUBLIC_CAS = "/etc/ssl/certs/ca-certificates.crt"
"""In the registry's image, which is built on Alpine."""


def redis_client(mirror: Mirror, upstream: Upstream, mirror_secrets: MirrorSecrets) -> dict[str, Any]:
    """The section for one upstream; it holds passwords."""
    external = mirror.redis.external
    section = _external(external, mirror_secrets) if external else _own(mirror_secrets)
    return {
        **section,
        "db": redis_database(mirror, upstream),
        "maxretries": -1,
        # After so many failed connections, lookups fail immediately until one succeeds.
        "poolsize": 16,
    }


def _own(mirror_secrets: MirrorSecrets) -> dict[str, Any]:
    return {
        "addrs": [f"{names.REDIS}:{names.REDIS_PORT}"],
        "password": mirror_secrets.redis_password.get_secret_value(),
        # Redis is a cache: without it requests succeed, delayed by these timeouts, once per lookup. It answers
        # within a millisecond or is down, and a retry would take longer than S3.
        "dialtimeout": "100ms",
        "readtimeout": "100ms",
        "writetimeout": "100ms",
    }


def _external(external: ExternalRedis, mirror_secrets: MirrorSecrets) -> dict[str, Any]:
    section: dict[str, Any] = {"addrs": external.addresses}
    if external.username:
        section["username"] = external.username
    if password := mirror_secrets.redis_password.get_secret_value():
        section["password"] = password
    if sentinel := external.sentinel:
        section["mastername"] = sentinel.master
        if sentinel.username:
            section["sentinelusername"] = sentinel.username
        if mirror_secrets.sentinel_password:
            section["sentinelpassword"] = mirror_secrets.sentinel_password.get_secret_value()
    if external.tls:
        # The registry uses TLS only if a file with CAs is named.
        own = f"{_CONFIG_DIRECTORY}/{REDIS_CA_KEY}" if external.tls.ca_bundle else _PUBLIC_CAS
        section["tls"] = {"rootcas": [own]}
    # It may be in another zone, and a connection begins with a TLS handshake and a login; lookups are single requests.
    return section | {"dialtimeout": "1s", "readtimeout": "250ms", "writetimeout": "250ms"}
