"""The section ``redis.external`` of the configuration file: a Redis that regmirror uses and does not deploy."""

import re
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from regmirror.config.ca_bundle import CaBundle
from regmirror.config.problem import error_at
from regmirror.config.secret_references import SecretReference
from regmirror.config.section import Section

_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9a-fA-F:.]+\]):(?P<port>[0-9]{1,5})")


def _address(value: object) -> str:
    text = value if isinstance(value, str) else ""
    # Checked first, so that no other message repeats the password.
    if "@" in text:
        raise ValueError("credentials are not allowed in an address: use username and password")
    if "://" in text:
        raise ValueError("write HOST:PORT without a scheme; for TLS, add the section tls")
    match = _ADDRESS.fullmatch(text)
    if not match or not 0 < int(match["port"]) < 65536:
        raise ValueError(f'"{value}" is not HOST:PORT, such as redis.example.com:6379')
    return text


Address = Annotated[
    str, BeforeValidator(_address), WithJsonSchema({"type": "string", "pattern": f"^{_ADDRESS.pattern}$"})
]


class RedisTls(Section):
    """TLS between the registries and Redis."""

    ca_bundle: Annotated[
        CaBundle | None,
        Field(
            description="Certificates of the CA that signed the certificate of Redis. "
            "Default: the public CAs in the image of the registry.",
            examples=[{"file": "redis-ca.pem"}],
        ),
    ] = None


class RedisSentinel(Section):
    """Sentinels, which say where the current primary is; ``addresses`` are then theirs."""

    master: Annotated[str, Field(min_length=1, description="Name of the primary in Sentinel.", examples=["mymaster"])]
    username: Annotated[
        str | None, Field(min_length=1, description="ACL user at the Sentinels.", examples=["sentinel"])
    ] = None
    password: Annotated[
        SecretReference | None,
        Field(
            description="Password at the Sentinels. Omit if they need none.", examples=[{"env": "SENTINEL_PASSWORD"}]
        ),
    ] = None


class ExternalRedis(Section):
    """A Redis (or Valkey) that exists already. regmirror deploys none then."""

    addresses: Annotated[
        list[Address],
        Field(
            min_length=1,
            max_length=16,
            description="HOST:PORT of Redis, or of the Sentinels. Several addresses without sentinel are the nodes of "
            "a Redis Cluster, which has a single database and so can serve one upstream only.",
            examples=[["redis.example.com:6379"]],
        ),
    ]
    username: Annotated[
        str | None,
        Field(min_length=1, description="ACL user. Default: the default user.", examples=["regmirror"]),
    ] = None
    password: Annotated[
        SecretReference | None,
        Field(description="Password of the user. Omit if Redis needs none.", examples=[{"env": "REDIS_PASSWORD"}]),
    ] = None
    tls: Annotated[
        RedisTls | None, Field(description="TLS between the registries and Redis. Omit to connect without TLS.")
    ] = None
    sentinel: Annotated[RedisSentinel | None, Field(description="Sentinels. Omit if addresses are those of Redis.")] = (
        None
    )
    database: Annotated[
        int,
        Field(
            ge=0,
            le=4095,
            description="Number of the database of the first upstream; the next upstreams use the next numbers. Redis "
            "has 16 databases unless it is configured otherwise. No other program may use these databases.",
        ),
    ] = 0

    @property
    def is_cluster(self) -> bool:
        """Whether the addresses are those of a Redis Cluster, as the registry sees it."""
        return len(self.addresses) > 1 and self.sentinel is None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.username and not self.password:
            raise error_at(("username",), "requires password")
        if self.sentinel and self.sentinel.username and not self.sentinel.password:
            raise error_at(("sentinel", "username"), "requires sentinel.password")
        if self.is_cluster and self.database:
            raise error_at(("database",), "a Redis Cluster has database 0 only: remove database, or name one address")
        return self
