"""Faults of Redis and of the cache."""

from __future__ import annotations

from regmirror.desired import names
from regmirror.ports.cluster import POD
from tests.fakes.redis_server import RedisServer
from tests.fakes.registry_pod import RegistryPod
from tests.unit.check_faults.table import FaultTable
from tests.unit.deployed import REGISTRY, Deployed

REDIS = (f"{names.REDIS}-0", names.REDIS_PORT)
PASSWORD = "canary-redis-password"
fault = FaultTable()


@fault("cache-password", "no Redis pod is running")
def no_pod(mirror: Deployed) -> None:
    mirror.cluster.delete(POD, f"{names.REDIS}-0")


@fault("cache-password", "Redis refuses the registry's password (WRONGPASS), so every request goes to S3")
def other_password(mirror: Deployed) -> None:
    mirror.cluster.listeners[REDIS] = RedisServer("x")


@fault("cache-password", "Redis answers LOADING to PING")
def loading(mirror: Deployed) -> None:
    mirror.cluster.listeners[REDIS] = RedisServer(PASSWORD, b"-LOADING\r\n")


@fault("cache-password", "Redis")
def silent(mirror: Deployed) -> None:
    mirror.cluster.listeners[REDIS] = lambda _: None


@fault("cache-policy", "Redis runs with maxmemory-policy noeviction and maxmemory 0")
def no_eviction(mirror: Deployed) -> None:
    settings = {"maxmemory": "0", "maxmemory-policy": "noeviction"}
    mirror.cluster.listeners[REDIS] = RedisServer(PASSWORD, settings=settings)


@fault("cache-policy", "Redis does not store new keys: OOM command not allowed")
def no_memory(mirror: Deployed) -> None:
    refused = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    mirror.cluster.listeners[REDIS] = RedisServer(PASSWORD, stored=refused)


@fault("cache-hit", "the registry fetched it from its upstream each time")
def nothing_cached(mirror: Deployed) -> None:
    RegistryPod(caches=False).listen(mirror.cluster, f"{REGISTRY}-0")


@fault("cache-lookups", "Redis does not answer the registry, so every request goes to the store")
def redis_without_answers(mirror: Deployed) -> None:
    RegistryPod(redis_answers=False).listen(mirror.cluster, f"{REGISTRY}-0")


@fault("cache-lookups", "Redis does not answer the registry (dial tcp: i/o timeout), so")
def redis_with_a_reason(mirror: Deployed) -> None:
    redis_without_answers(mirror)
    entry = '{"level":"error","msg":"error from cache stat(ing) blob","error":"dial tcp: i/o timeout"}'
    mirror.cluster.logs[f"{REGISTRY}-0", False] = f"not JSON\n[]\n{entry}\n"


@fault("cache-lookups", "the registry sent a layer without a lookup in Redis")
def no_lookup(mirror: Deployed) -> None:
    RegistryPod(asks_redis=False).listen(mirror.cluster, f"{REGISTRY}-0")
