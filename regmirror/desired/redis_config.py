"""The configuration file of Redis (or Valkey): a cache that forgets the oldest entries and keeps nothing on disk."""

from regmirror.config.model import Mirror
from regmirror.desired.mirror_secrets import MirrorSecrets


def redis_config(mirror: Mirror, mirror_secrets: MirrorSecrets) -> str:
    """The whole file; it holds the password.

    It names the upstream of each database: when a change of the list gives a database to another upstream, the file
    changes, Redis starts anew, and no registry finds the descriptors of another's blobs.
    """
    databases = " ".join(f"{number}={upstream.name}" for number, upstream in enumerate(mirror.upstreams))
    return "\n".join(
        [
            f"# databases: {databases}",
            f"requirepass {_quoted(mirror_secrets.redis_password.get_secret_value())}",
            f"maxmemory {mirror.redis.max_memory}",
            "maxmemory-policy allkeys-lru",
            'save ""',
            "appendonly no",
            "databases 64",
            "",
        ]
    )


def _quoted(text: str) -> str:
    """A string as redis.conf reads it: every byte that is no letter or digit is escaped (``sdssplitargs`` of sds.c)."""
    return '"' + "".join(chr(b) if chr(b).isalnum() and b < 128 else f"\\x{b:02x}" for b in text.encode()) + '"'
