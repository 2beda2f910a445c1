"""The configuration file of Redis (or Valkey): a cache that evicts the oldest entries and stores nothing on disk."""

from zlib import crc32

from regmirror.config.model import Mirror, Upstream
from regmirror.desired.mirror_secrets import MirrorSecrets

_UPSTREAMS, _PLACES = 64, 64
"""The most upstreams of a mirror, and the number of places in object stores that it distinguishes."""


def redis_database(mirror: Mirror, upstream: Upstream) -> int:
    """The number of an upstream's database; the keys in Redis carry no namespace of their own.

    With another place in the object store, it is another one: pods of both run during a rollout, and none must find
    descriptors of blobs that its own place does not have. An external Redis has too few databases for that: there,
    deploy refuses a change that would give a database to another upstream or place (deploy/redis_databases.py).
    """
    if mirror.redis.external:
        return mirror.redis.external.database + mirror.upstreams.index(upstream)
    storage = mirror.storage
    volume = f" {storage.filesystem.claim} {storage.filesystem.storage_class}" if storage.filesystem else ""
    place = f"{storage.endpoint} {storage.bucket} {storage.prefix}{volume}"
    return mirror.upstreams.index(upstream) + _UPSTREAMS * (crc32(place.encode()) % _PLACES)


def redis_config(mirror: Mirror, mirror_secrets: MirrorSecrets) -> str:
    """The whole file; it holds the password.

    It names the upstream of each database: if a change of the list assigns a database to another upstream, the file
    changes, Redis restarts empty, and no registry finds descriptors of another's blobs.
    """
    databases = " ".join(f"{number}={upstream.name}" for number, upstream in enumerate(mirror.upstreams))
    return "\n".join(
        [
            f"# databases: {databases}",
            f"requirepass {quoted(mirror_secrets.redis_password.get_secret_value())}",
            f"maxmemory {mirror.redis.max_memory}",
            "maxmemory-policy allkeys-lru",
            'save ""',
            "appendonly no",
            f"databases {_UPSTREAMS * _PLACES}",
            "",
        ]
    )


def quoted(text: str) -> str:
    """A string for redis.conf: every byte that is not a letter or digit is escaped (``sdssplitargs`` of sds.c)."""
    return '"' + "".join(chr(b) if chr(b).isalnum() and b < 128 else f"\\x{b:02x}" for b in text.encode()) + '"'
