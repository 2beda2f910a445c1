"""The configuration file of distribution's registry, as a read-only pull-through cache of one upstream.

Source of the keys: distribution v3.1.2, ``configuration/configuration.go`` and ``docs/content/about/configuration.md``.
The registry silently ignores unknown keys, so every key here is one that it reads.
"""

from typing import Any

from regmirror.config.durations import format_duration
from regmirror.config.model import Mirror, S3Storage, Upstream
from regmirror.desired import names
from regmirror.desired.mirror_secrets import Account, MirrorSecrets
from regmirror.desired.redis_client import redis_client

BUNDLE_FILE = "/etc/regmirror/bundle/bundle.crt"
DATA_PATH = "docker/registry/v2"
"""Below the path of an upstream, where the registry keeps blobs, manifests and tags."""
DATA_DIRECTORY = "/var/lib/regmirror/data"
"""Where the volume is mounted, if the data is not in a bucket."""
CREDENTIAL_HELPER = "/etc/regmirror/helper/docker-credential-regmirror"

_OFF = {"enabled": False}


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
        "redis": redis_client(mirror, upstream, mirror_secrets),
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
                "service": mirror.service_of(upstream),
                "issuer": mirror.issuer,
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
        # While a health check fails, the registry answers 503 to every request, also to those that need no store: the
        # front could serve nothing from its caches.
        "health": {"storagedriver": {"enabled": False}},
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
    root = storage_prefix(s3, upstream)
    driver = {"filesystem": {"rootdirectory": f"{DATA_DIRECTORY}{root}"}} if s3.filesystem else _s3(s3, root, account)
    # Purging lists the whole bucket in every replica, where a lifecycle rule does it for free; volumes have no rules.
    purging = {"enabled": True, "age": "24h", "interval": "24h", "dryrun": False} if s3.filesystem else _OFF
    return {
        **driver,
        "cache": {"blobdescriptor": "redis"},
        # Without it, expired objects stay in the bucket.
        "delete": {"enabled": True},
        "redirect": {"disable": not s3.redirect},
        "maintenance": {"readonly": {"enabled": True}, "uploadpurging": purging},
    }


def _s3(s3: S3Storage, root: str, account: Account | None) -> dict[str, Any]:
    driver: dict[str, Any] = {
        "bucket": s3.bucket,
        "region": s3.region,
        "rootdirectory": root,
        "forcepathstyle": s3.uses_path_style,
    }
    if s3.endpoint:
        driver |= {"regionendpoint": s3.endpoint, "secure": s3.endpoint.startswith("https:")}
    if s3.redirect_endpoint:
        driver["redirectendpoint"] = s3.redirect_endpoint
    if s3.encryption:
        driver["encrypt"] = True
        if s3.encryption.kms_key:
            driver["keyid"] = s3.encryption.kms_key
    if s3.storage_class:
        driver["storageclass"] = s3.storage_class
    if s3.dual_stack:
        driver["usedualstack"] = True
    if account:
        driver |= {"accesskey": account.name.get_secret_value(), "secretkey": account.password.get_secret_value()}
    return {"s3": driver}
