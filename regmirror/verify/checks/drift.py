"""Checks that whole configuration files and pods in the cluster are what the file makes of them."""

from pydantic import SecretStr

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.auth_config import auth_config
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.redis_config import redis_config
from regmirror.desired.registry_config import registry_config
from regmirror.ports.cluster import Object
from regmirror.signing.key_pair import KeyPair
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, UpstreamCheck
from regmirror.verify.drift import differing_keys
from regmirror.verify.hints import DEPLOY, kubectl
from regmirror.verify.live_mirror import LiveMirror, NotDeployedError, look_up

_HIGHEST_LOG_LEVEL = 2
_TOLD_ELSEWHERE = (
    "auth.token.issuer",
    "auth.token.realm",
    "auth.token.service",
    "redis.password",
    "storage.s3.accesskey",
    "storage.s3.secretkey",
)
"""Keys that have checks of their own."""


def _safety(live: LiveMirror, upstream: Upstream) -> Outcome:
    config = live.registry_config(upstream)
    dangers = {
        "it accepts pushes and deletions": look_up(config, "storage", "maintenance", "readonly", "enabled") is not True,
        "it accepts tokens of any algorithm": look_up(config, "auth", "token", "signingalgorithms") != ["RS256"],
        "its debug port, which shows passwords, is open to every pod": not _is_loopback(
            look_up(config, "http", "debug", "addr")
        ),
        "nothing that expires is ever removed from the bucket": look_up(config, "storage", "delete", "enabled")
        is not True,
        "several replicas overwrite each other's list of what expires": bool(
            live.mirror.registry.replicas > 1 and look_up(config, "proxy", "ttl")
        ),
    }
    found = [danger for danger, is_there in dangers.items() if is_there]
    if found:
        return Failed(f"the registry's live configuration is not safe: {'; '.join(found)}", DEPLOY)
    return Passed()


def _is_loopback(address: object) -> bool:
    return address is None or str(address).startswith(("127.", "localhost:", "[::1]:"))


def _registry(live: LiveMirror, upstream: Upstream) -> Outcome:
    deployed = live.registry_config(upstream)
    # The secrets of the live file stand in for the file's: whether they are right is for other checks to say.
    password = SecretStr(str(look_up(deployed, "redis", "password")))
    mirror_secrets = MirrorSecrets(KeyPair(b"", b""), b"", password, live.s3_account(upstream))
    return _drift(
        differing_keys(registry_config(live.mirror, upstream, mirror_secrets), deployed, _TOLD_ELSEWHERE),
        "the registry's",
    )


def _auth(live: LiveMirror) -> Outcome:
    ignored = ("acl", "users", "token.issuer")
    return _drift(differing_keys(auth_config(live.mirror), live.auth_config(), ignored), "docker_auth's")


def _drift(keys: list[str], whose: str) -> Outcome:
    if keys:
        return Failed(f"{whose} live configuration differs from the file in: {', '.join(keys)}", DEPLOY)
    return Passed()


def _redis(live: LiveMirror) -> Outcome:
    mirror_secrets = MirrorSecrets(KeyPair(b"", b""), b"", SecretStr(""))
    wanted = set(_settings(redis_config(live.mirror, mirror_secrets)))
    deployed = set(_settings(live.secret(names.REDIS_SECRET).get("valkey.conf", b"").decode(errors="replace")))
    return _drift(sorted({line.split()[0] for line in wanted ^ deployed}), "Redis's")


def _settings(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "requirepass"))]


def _log_level(live: LiveMirror) -> Outcome:
    words = [str(word) for word in _container(live, names.AUTH).get("args") or []]
    levels = [word.removeprefix("--v=") for word in words if word.startswith("--v=")]
    if any(level.isdigit() and int(level) > _HIGHEST_LOG_LEVEL for level in levels):
        return Failed(f"docker_auth runs with --v={levels[-1]}: its log has every token and password", DEPLOY)
    return Passed()


def _pod_images(live: LiveMirror) -> Outcome:
    mirror = live.mirror
    wanted = {names.REDIS: mirror.redis.image, names.AUTH: mirror.auth.image}
    wanted |= {names.registry(upstream.name): mirror.registry.image for upstream in mirror.upstreams}
    found = {name: (_container(live, name).get("image"), image) for name, image in wanted.items()}
    cache = mirror.registry.manifest_cache
    for release in (names.registry(upstream.name) for upstream in mirror.upstreams if cache.enabled):
        found[f"the cache of {release}"] = (
            _container(live, release, names.MANIFEST_CACHE_CONTAINER).get("image"),
            cache.image,
        )
    others = [
        f"{name} runs {live or 'nothing'} instead of {image}"
        for name, (live, image) in found.items()
        if live not in {image, _with_digest_alone(image)}
    ]
    return Failed("\n".join(others), DEPLOY) if others else Passed()


def _with_digest_alone(image: str) -> str:
    """The image as the charts write one with tag and digest: the digest wins."""
    name, at, digest = image.partition("@")
    return f"{name.rpartition(':')[0] or name}@{digest}" if at else image


def _overrides(live: LiveMirror, upstream: Upstream) -> Outcome:
    name = names.registry(upstream.name)
    variables = [variable["name"] for variable in _container(live, name).get("env") or []]
    found = [variable for variable in variables if variable.startswith("REGISTRY_")]
    if found:
        # Not deploy: a field that somebody has added is not its own to take away.
        removal = " ".join(f"{variable}-" for variable in found)
        return Failed(
            f"{name} has variables that override its configuration: {', '.join(found)}",
            f"{kubectl(live)} set env deployment/{name} {removal}",
        )
    return Passed()


def _container(live: LiveMirror, name: str, wanted: str = "") -> Object:
    """The first container of a Deployment's pods, or the one of a name, empty without; raises NotDeployedError."""
    containers = look_up(live.deployment(name), "spec", "template", "spec", "containers") or []
    if not containers:
        raise NotDeployedError(f"there is no Deployment {name}", hint="deploy first: regmirror deploy")
    if wanted:
        return next((one for one in containers if one["name"] == wanted), {})
    found: Object = containers[0]
    return found


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "config-safety",
        "the registry's live settings are safe",
        Category.CONFIG,
        _safety,
        needs=("config-service",),
    ),
    UpstreamCheck(
        "config-registry",
        "the registry's live configuration is the file's",
        Category.CONFIG,
        _registry,
        needs=("config-safety",),
    ),
    Check(
        "config-auth",
        "docker_auth's live configuration is the file's",
        Category.CONFIG,
        _auth,
        needs=("config-access",),
    ),
    Check(
        "config-redis",
        "Redis's live configuration is the file's",
        Category.CONFIG,
        _redis,
        needs=("cluster-permissions",),
    ),
    Check(
        "config-images",
        "the pods run the images of the file",
        Category.CONFIG,
        _pod_images,
        needs=("cluster-pods",),
    ),
    UpstreamCheck(
        "config-variables",
        "no variable overrides the registry's configuration",
        Category.CONFIG,
        _overrides,
        needs=("cluster-pods",),
    ),
    Check(
        "config-log-level",
        "docker_auth's log holds no tokens",
        Category.CONFIG,
        _log_level,
        needs=("cluster-pods",),
    ),
)
