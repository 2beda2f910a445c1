"""The configuration file of distribution's registry, as a read-only pull-through cache of one upstream.

Source of the keys: distribution v3.1.2, ``configuration/configuration.go`` and ``docs/content/about/configuration.md``.
The registry silently ignores unknown keys, so every key here is one that it reads.
"""

from typing import Any

from regmirror.config.durations import format_duration
from regmirror.config.model import Mirror, S3Storage, Upstream
from regmirror.desired import names
from regmirror.desired.mirror_secrets import Account, MirrorSecrets
from regmirror.desired.redis_config import redis_database

BUNDLE_FILE = "/etc/regmirror/bundle/bundle.crt"
DATA_PATH = "docker/registry/v2"
"""Below the path of an upstream, where the registry keeps blobs, manifests and tags."""
CREDENTIAL_HELPER = "/etc/regmirror/helper/docker-credential-regmirror"


def registry_config(mirror: Mirror, upstream: Upstream, mirror_secrets: MirrorSecrets) -> dict[str, Any]:
    """The whole file for one upstream; it holds secrets."""
    return {
        "version": 0.1,
        "log": {
            "level": "info",
            # The log has an entry for every request already.
            "accesslog": {"disabled": True},
            "formatter": "json",
            "fields": {"service": names.registry(upstream.name)},
        },
        "storage": _storage(mirror, upstream, mirror_secrets.s3),
        "redis": {
            "addrs": [f"{names.REDIS}:{names.REDIS_PORT}"],
            "password": mirror_secrets.redis_password.get_secret_value(),
            "db": redis_database(mirror, upstream),
            # Redis is a cache: without it requests succeed, delayed by these timeouts, once per lookup. It answers
            # within a millisecond or is down, and a retry would take longer than S3.
            "dialtimeout": "100ms",
            "readtimeout": "100ms",
            "writetimeout": "100ms",
            "maxretries": -1,
            # After so many failed connections, lookups fail immediately until one succeeds.
            "poolsize": 16,
        },
        "proxy": {
            "remoteurl": upstream.url,
            "ttl": format_duration(mirror.registry.ttl) if mirror.registry.ttl else 0,
            # On S3 this bounds the whole first download of a layer; the default of 5m interrupts large ones.
            "cachewritetimeout": "60m",
            # With a user name and password here, the registry would panic at start if the upstream is down, and
            # would stay anonymous until it restarts if the upstream answers anything but 401.
            "exec": {"command": CREDENTIAL_HELPER, "lifetime": "5m"},
        },
        "auth": {
            "token": {
                "realm": mirror.realm_of(upstream),
                "service": mirror.endpoint_of(upstream),
                "issuer": mirror.auth.issuer,
                "rootcertbundle": BUNDLE_FILE,
                "signingalgorithms": ["RS256"],
            }
        },
        "http": {
            # Loopback only: all requests come through the front.
            "addr": f"127.0.0.1:{names.REGISTRY_PORT}",
            "draintimeout": "60s",
            "headers": {"X-Content-Type-Options": ["nosniff"]},
            # Loopback only: /debug/vars prints the whole configuration, passwords included.
            "debug": {
                "addr": f"127.0.0.1:{names.REGISTRY_DEBUG_PORT}",
                "prometheus": {"enabled": True, "path": "/metrics"},
            },
        },
        # A pod that has not reached the store for 30 seconds is removed from its Service, until 10 seconds after it
        # reaches it again. Each check is a HEAD and a LIST, which some stores charge for.
        "health": {"storagedriver": {"enabled": True, "interval": "10s", "threshold": 3}},
    }


def storage_prefix(storage: S3Storage, upstream: Upstream) -> str:
    """The path within the bucket that belongs to one upstream."""
    return f"/{storage.key_prefix}{upstream.name}"


def upstream_prefix(storage: S3Storage, upstream: Upstream) -> str:
    """What the key of every object of one upstream begins with; ends with a slash, so that no other name matches."""
    return storage_prefix(storage, upstream).removeprefix("/") + "/"


def data_prefix(storage: S3Storage, upstream: Upstream) -> str:
    """What the key of every cached object begins with (distribution v3.1.2 ``registry/storage/paths.go``).

    Another mirror may keep its data below ``upstream_prefix``, if its ``storage.prefix`` says so, but not here.
    """
    return f"{upstream_prefix(storage, upstream)}{DATA_PATH}/"


def scheduler_key(storage: S3Storage, upstream: Upstream) -> str:
    """The object in which the registry keeps when cached objects expire (``registry/proxy/proxyregistry.go``)."""
    return f"{upstream_prefix(storage, upstream)}scheduler-state.json"


def blob_path(digest: str) -> str:
    """Where the registry keeps a blob below ``storage_prefix``."""
    algorithm, _, hexadecimal = digest.partition(":")
    return f"{DATA_PATH}/blobs/{algorithm}/{hexadecimal[:2]}/{hexadecimal}/data"


def _storage(mirror: Mirror, upstream: Upstream, account: Account | None) -> dict[str, Any]:
    s3 = mirror.storage
    driver: dict[str, Any] = {
        "bucket": s3.bucket,
        "region": s3.region,
        "rootdirectory": storage_prefix(s3, upstream),
        "forcepathstyle": s3.uses_path_style,
    }
    if s3.endpoint:
        driver |= {"regionendpoint": s3.endpoint, "secure": s3.endpoint.startswith("https:")}
    if s3.redirect_endpoint:
        driver["redirectendpoint"] = s3.redirect_endpoint
    if account:
        driver |= {"accesskey": account.name.get_secret_value(), "secretkey": account.password.get_secret_value()}
    return {
        "s3": driver,
        "cache": {"blobdescriptor": "redis"},
        # Without it, expired objects stay in the bucket.
        "delete": {"enabled": True},
        "redirect": {"disable": not s3.redirect},
        # Purging lists the whole bucket in every replica; a lifecycle rule of the bucket does it for free.
        "maintenance": {"readonly": {"enabled": True}, "uploadpurging": {"enabled": False}},
    }
