"""Refuses to give a database of an external Redis to an upstream while it holds what another one remembers.

A registry does not ask the store about a layer that Redis remembers: with the memory of another upstream, or of another
place in the store, its pulls break off. regmirror's own Redis starts empty when databases change; an external one does
not, and regmirror must not empty it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.secret_contents import SecretContentError, look_up, read_config, secret_data
from regmirror.desired.secrets import Manifest
from regmirror.errors import RedisDatabaseError

_Database = tuple[str, str, str]
"""Addresses, name of the primary, and number."""
_PLACE = (
    ("s3", "regionendpoint"),
    ("s3", "bucket"),
    ("s3", "rootdirectory"),
    ("filesystem", "rootdirectory"),
)


def ensure_databases_unused(mirror: Mirror, wanted: list[Manifest], live: Mapping[str, Manifest]) -> None:
    """Raises RedisDatabaseError if a registry would use the database of another; both map Secrets by name."""
    if mirror.redis.external is None:
        return
    used = dict(_databases(live.values()))
    for database, (place, secret) in _databases(wanted):
        if database in used and used[database][0] != place:
            raise RedisDatabaseError(
                f"redis.external: database {database[2]} of {database[0]} holds what the registry of "
                f"{_upstream(used[database][1])} stored, and {_upstream(secret)} would read it: pulls would break off",
                hint="set redis.external.database to a number from which on no database is in use, or name another "
                "Redis; see regmirror explain redis.external.database",
            )


def _databases(secrets: Iterable[Manifest]) -> Iterator[tuple[_Database, tuple[Any, str]]]:
    """The database of each registry, and the place in the store that it is about, with the name of its Secret."""
    for secret in secrets:
        try:
            config = read_config(secret_data(secret), "config.yml")
        except (SecretContentError, ValueError):
            continue
        redis = look_up(config, "redis") or {}
        database = (str(redis.get("addrs")), str(redis.get("mastername")), str(redis.get("db") or 0))
        storage = look_up(config, "storage") or {}
        drivers = {name: driver for name, driver in storage.items() if name in {"s3", "filesystem"}}
        keys = ("regionendpoint", "bucket", "rootdirectory")
        yield (
            database,
            ([look_up(driver, key) for driver in drivers.values() for key in keys], secret["metadata"]["name"]),
        )


def _upstream(secret: str) -> str:
    return secret.removeprefix(names.PREFIX).removesuffix("-config")
