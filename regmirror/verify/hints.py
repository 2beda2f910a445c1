"""Hints that several checks share.

In every hint a command begins with the name of its program (regmirror, kubectl, aws) and ends at a comma, at a
semicolon, or at the end of the hint, so that it can be copied and run as it is.
"""

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.registry_config import DATA_DIRECTORY, blob_path, storage_prefix
from regmirror.verify.live_mirror import LiveMirror

PROXY_HINT = "check whether a proxy or CDN in front of the Ingress changes requests or responses"


def deploy(live: LiveMirror) -> str:
    """For objects that differ from the configuration file."""
    return live.deploy_hint()


def then_deploy(live: LiveMirror, action: str) -> str:
    """For what must be fixed by hand before a deployment can succeed."""
    return f"{action}; then {deploy(live)}"


def kubectl(live: LiveMirror) -> str:
    """The beginning of every kubectl command, with the mirror's namespace."""
    return live.kubectl()


def restart(live: LiveMirror, deployment: str) -> str:
    """For pods that have read an older configuration than their Secrets hold: ``deploy`` has nothing to change."""
    return f"restart its pods, so that they read their configuration again: {_restart(live, deployment)}"


def restart_registry(live: LiveMirror, upstream: Upstream) -> str:
    """The same for the registry of an upstream."""
    return restart(live, names.registry(upstream.name))


def restart_redis(live: LiveMirror) -> str:
    """For a Redis that runs with other settings than its Secret holds, or remembers what the bucket no longer has."""
    return f"restart Redis: {_restart(live, names.REDIS)}"


def fix_auth(live: LiveMirror) -> str:
    """For tokens that are not as they should be."""
    if live.mirror.auth.external:
        return then_deploy(live, f"correct auth.external, or the docker_auth at {live.mirror.auth.external.realm}")
    return restart(live, names.AUTH)


def fix_redis(live: LiveMirror) -> str:
    """For a Redis that the registries cannot use."""
    if live.mirror.redis.external:
        return then_deploy(live, "check redis.external, and that the pods of the registries can reach Redis")
    return restart_redis(live)


def _restart(live: LiveMirror, deployment: str) -> str:
    return f"{kubectl(live)} rollout restart deployment/{deployment}"


def read_log(live: LiveMirror, upstream: Upstream) -> str:
    """For errors whose cause only the registry knows."""
    log = f"{kubectl(live)} logs --tail=100 deployment/{names.registry(upstream.name)}"
    return f"read the registry's log for the cause: {log}"


def fetch_again(live: LiveMirror, upstream: Upstream, digest: str) -> str:
    """For damaged content: the registry fetches it again once it is gone from the store and from all caches."""
    storage = live.mirror.storage
    registry = names.registry(upstream.name)
    caches = _restart(live, registry if live.mirror.redis.external else f"{names.REDIS} deployment/{registry}")
    if storage.filesystem:
        file = f"{DATA_DIRECTORY}{storage_prefix(storage, upstream)}/{blob_path(digest)}"
        remove = f"{kubectl(live)} exec deployment/{names.registry(upstream.name)} -c registry -- rm {file}"
        return f"delete the file, so that it is fetched again: {remove}; then empty the caches: {caches}"
    url = f"s3://{storage.bucket}{storage_prefix(storage, upstream)}/{blob_path(digest)}"
    endpoint = f" --endpoint-url {storage.endpoint}" if storage.endpoint else ""
    return f"delete the object, so that it is fetched again: aws s3{endpoint} rm {url}; then empty the caches: {caches}"


def see_store(live: LiveMirror, what: str) -> str:
    """Why a check is skipped that needs the store; names the check of the store."""
    return (
        f"the volume {what}: see storage-pods"
        if live.mirror.storage.filesystem
        else f"the bucket {what}: see storage-bucket"
    )
