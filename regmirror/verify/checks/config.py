"""Checks that what is in the cluster matches the configuration file, and that the file itself makes sense."""

from contextlib import suppress

from pydantic import SecretStr

from regmirror.config.file_warnings import plain_http_urls
from regmirror.config.key_paths import format_path
from regmirror.config.model import Upstream
from regmirror.config.pattern_problems import pattern_problems
from regmirror.config.sign_in import PROVIDERS
from regmirror.desired import names
from regmirror.desired.access_rules import access_rules, entry_name
from regmirror.desired.account_rules import account_warnings
from regmirror.desired.auth_config import auth_config
from regmirror.desired.differences import differing_paths
from regmirror.desired.ingress_controllers import LEGACY_CLASS_ANNOTATION
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.redis_config import redis_config
from regmirror.desired.registry_config import registry_config
from regmirror.desired.secret_contents import look_up
from regmirror.desired.sign_in_config import sign_in_config
from regmirror.desired.user_accounts import docker_auth_users
from regmirror.desired.ways_out import resolve_ca_bundles, resolve_proxy
from regmirror.errors import ConfigurationError, PermissionDeniedError
from regmirror.errors.documentation import guide_url
from regmirror.ports.cluster import INGRESS, Object
from regmirror.signing.key_pair import KeyPair
from regmirror.verify.check import Category, CheckList, Failed, Outcome, Passed, Severity, Stage, Warned
from regmirror.verify.checks.public_service import check_public_service
from regmirror.verify.gateway_routes import gateway_problems, route_problem
from regmirror.verify.hints import deploy, kubectl, then_deploy
from regmirror.verify.live_mirror import LiveMirror, NotDeployedError
from regmirror.workloads.ingress_class import controller_warnings

_HIGHEST_LOG_LEVEL = 2
_HIGHEST_LOG_LEVEL_WITH_SIGN_IN = 1
_REGISTRY_CHECKED_ELSEWHERE = (
    "auth.token.issuer",
    "auth.token.realm",
    "auth.token.service",
    "redis.password",
    "redis.sentinelpassword",
    "storage.s3.accesskey",
    "storage.s3.secretkey",
)
_AUTH_CHECKED_ELSEWHERE = (
    "acl",
    "users",
    "token.issuer",
    *(f"{provider}_auth.redis_token_db.redis_options.password" for provider in PROVIDERS),
)
_OF_CHART = ("server.addr", "token.certificate", "token.key")
"""Keys that another chart of docker_auth sets to its own paths."""
"""Keys that have checks of their own."""

check = CheckList(Category.CONFIG)


@check("config-issuer", "docker_auth and the registry use the configured issuer", needs=("cluster-deployed",))
def _issuer(live: LiveMirror, upstream: Upstream) -> Outcome:
    wanted = live.mirror.issuer
    expects = look_up(live.registry_config(upstream), "auth", "token", "issuer")
    # What an existing docker_auth signs as is in its tokens: see token-claims.
    signs = expects if live.mirror.auth.external else look_up(live.auth_config(), "token", "issuer")
    if signs != expects:
        message = f'docker_auth signs as issuer "{signs}", but the registry expects issuer "{expects}"'
        return Failed(message, deploy(live))
    if signs != wanted:
        return Failed(f'the issuer is "{signs}" in the cluster and "{wanted}" in the file', deploy(live))
    return Passed(wanted)


@check("config-service", "the registry has the right token realm and service", needs=("cluster-deployed",))
def _service(live: LiveMirror, upstream: Upstream) -> Outcome:
    config, service = live.registry_config(upstream), live.mirror.service_of(upstream)
    for key, wanted in {"service": service, "realm": live.realm(upstream)}.items():
        found = look_up(config, "auth", "token", key)
        if found != wanted:
            return Failed(f'the registry\'s {key} is "{found}" instead of "{wanted}"', deploy(live))
    return Passed(service)


@check(
    "config-access",
    "docker_auth's access list matches anonymousPull, deny and rules",
    needs=("cluster-deployed",),
    part="auth",
)
def _access(live: LiveMirror) -> Outcome:
    wanted, deployed = access_rules(live.mirror), live.auth_config().get("acl")
    deployed = deployed if isinstance(deployed, list) else []
    if deployed == wanted:
        return Passed(f"{len(wanted)} rule{'s' * (len(wanted) != 1)}")
    extra = [rule for rule in deployed if rule not in wanted]
    lists = (
        ("is missing", [_described(rule) for rule in wanted if rule not in deployed]),
        ("also allows", [_described(rule) for rule in extra if look_up(rule, "actions") != []]),
        ("also denies", [_described(rule) for rule in extra if look_up(rule, "actions") == []]),
    )
    differences = [f"{verb}: {', '.join(found)}" for verb, found in lists if found]
    return Failed("docker_auth's access list " + ("; it ".join(differences) or "has another order"), deploy(live))


def _described(rule: object) -> str:
    match = look_up(rule, "match")
    return entry_name(match if isinstance(match, dict) else {})


@check("config-users", "docker_auth has the mirror's accounts and no others", needs=("cluster-deployed",), part="auth")
def check_users(live: LiveMirror) -> Outcome:
    """Whether docker_auth has the anonymous user, exactly the accounts of regmirror user, and each as it is there."""
    users = live.auth_config().get("users")
    found, wanted = users if isinstance(users, dict) else {}, docker_auth_users(live.user_accounts())
    if "" not in found:
        return Failed("docker_auth has no anonymous user, so every client needs a login", deploy(live))
    if others := [name for name in found if name not in wanted]:
        published = {"admin", "test"} & set(others)
        sample = "; the passwords of admin and test are published in its sample configuration" if published else ""
        return Failed(f"docker_auth has unexpected users: {', '.join(map(str, others))}{sample}", deploy(live))
    if missing := [name for name in wanted if name not in found]:
        return Failed(f"docker_auth lacks accounts: {', '.join(missing)}", deploy(live))
    if others := [name for name in wanted if name and found[name] != wanted[name]]:
        return Failed(f"docker_auth has another password or other groups of: {', '.join(others)}", deploy(live))
    return Passed(f"{len(wanted) - 1} account{'s' * (len(wanted) != 2)}" if len(wanted) > 1 else "")


@check(
    "config-accounts",
    "every account has a rule, and every rule its accounts",
    needs=("cluster-api",),
    severity=Severity.WARNING,
    part="auth",
)
def _accounts(live: LiveMirror) -> Outcome:
    in_git = live.is_managed_by_gitops()
    if found := account_warnings(live.mirror, live.user_accounts(), in_git=in_git):
        place = f"; see {guide_url('gitops')}#accounts" if in_git else ": regmirror user list"
        return Failed("\n".join(found), f"correct the rules, or the accounts{place}")
    return Passed()


@check("config-ingress", "the public host is routed to the mirror", needs=("cluster-deployed",))
def check_ingress(live: LiveMirror, upstream: Upstream) -> Outcome:
    """Whether the Ingress, HTTPRoute or Service has the host, the class or Gateway, and the backends that it needs."""
    if service := live.mirror.ingress.service:
        return check_public_service(live, service)
    host = live.mirror.host_of(upstream)
    if live.mirror.ingress.gateway:
        problem = route_problem(live, upstream)
        return Failed(problem, deploy(live)) if problem else Passed(host)
    found = live.cluster.select(INGRESS, selector=f"app.kubernetes.io/instance={names.INGRESS}")
    routes = {rule.get("host"): rule for ingress in found for rule in ingress["spec"].get("rules") or []}
    if host not in routes:
        others = ", ".join(str(other) for other in routes) or "none"
        return Failed(f"no Ingress of the mirror has host {host}; existing hosts: {others}", deploy(live))
    wanted_class = live.mirror.ingress.class_name
    for ingress in found:
        annotations = ingress["metadata"].get("annotations") or {}
        live_class = ingress["spec"].get("ingressClassName") or annotations.get(LEGACY_CLASS_ANNOTATION)
        if wanted_class and live_class != wanted_class:
            message = f"the Ingress of {host} has class {live_class or 'none'} instead of {wanted_class}"
            return Failed(message, deploy(live))
    backends = _backends(routes[host])
    auth = {} if live.mirror.auth.external else {"/auth": names.AUTH}
    if live.mirror.access.sign_in and host == live.mirror.sign_in_host:
        auth[live.mirror.access.sign_in.path] = names.AUTH
    for path, wanted in {**auth, "/v2": names.registry(upstream.name)}.items():
        backend = backends.get(path) or "nothing"
        if backend != wanted:
            return Failed(f"the Ingress of {host} routes {path} to {backend} instead of {wanted}", deploy(live))
    return Passed(host)


@check("config-gateway", "the Gateway accepts the route", needs=("config-ingress",))
def check_gateway(live: LiveMirror, upstream: Upstream) -> Outcome:
    """Whether the Gateway serves the host, according to the status of its HTTPRoute and ListenerSet."""
    if live.mirror.ingress.gateway is None:
        return Passed("no Gateway: the mirror has an Ingress")
    problems = gateway_problems(live, upstream)
    if problems:
        hint = f"correct ingress.gateway or the Gateway: {kubectl(live)} describe httproute"
        return Failed("\n".join(problems), then_deploy(live, hint))
    return Passed(live.mirror.host_of(upstream))


@check(
    "config-ingress-class",
    "the Ingress controller has the annotations that it needs",
    needs=("cluster-api",),
    severity=Severity.WARNING,
    stage=Stage.ANY,
)
def _ingress_class(live: LiveMirror) -> Outcome:
    if live.mirror.ingress.gateway:
        return Passed("no Ingress: the mirror has a Gateway")
    try:
        warnings = controller_warnings(live.mirror, live.cluster)
    except PermissionDeniedError:
        return Passed("not checked: no permission to list IngressClasses")
    if warnings:
        return Failed("\n".join(warnings), "compare with the documentation of the controller")
    return Passed(live.mirror.ingress.class_name or "default class")


def _backends(rule: Object) -> dict[str, str]:
    paths = look_up(rule, "http", "paths") or []
    return {path.get("path", "/"): look_up(path, "backend", "service", "name") for path in paths}


@check(
    "config-patterns",
    "every pattern and rule has an effect",
    severity=Severity.WARNING,
    stage=Stage.ANY,
)
def _patterns(live: LiveMirror, upstream: Upstream) -> Outcome:
    found = [f"{format_path(path)}: {problem}" for path, problem in pattern_problems(upstream)]
    if found:
        return Failed("\n".join(found), then_deploy(live, "fix or remove the pattern or rule"))
    rules = f"{len(upstream.rules)} rule{'s' * (len(upstream.rules) != 1)}"
    return Passed(", ".join([*upstream.anonymous_pull, *([rules] if upstream.rules else [])]))


@check("config-safety", "the registry's settings are safe", needs=("config-service",))
def _safety(live: LiveMirror, upstream: Upstream) -> Outcome:
    config = live.registry_config(upstream)
    dangers = {
        "it accepts pushes and deletions": look_up(config, "storage", "maintenance", "readonly", "enabled") is not True,
        "it accepts tokens with any signing algorithm": look_up(config, "auth", "token", "signingalgorithms")
        != ["RS256"],
        "its debug port, which exposes passwords, is open to every pod": not _is_loopback(
            look_up(config, "http", "debug", "addr")
        ),
        "expired layers are never deleted from the bucket": look_up(config, "storage", "delete", "enabled") is not True,
        "its replicas overwrite each other's list of expiring layers": bool(
            live.mirror.registry.most_replicas > 1 and look_up(config, "proxy", "ttl")
        ),
    }
    found = [danger for danger, is_there in dangers.items() if is_there]
    if found:
        return Failed(f"the registry's settings are not safe: {'; '.join(found)}", deploy(live))
    plain = plain_http_urls(live.mirror, upstream)
    if plain:
        message = f"accounts and content are sent without encryption, and can be changed on the way: {', '.join(plain)}"
        return Warned(message, then_deploy(live, "use https://, or set insecure: true to accept it"))
    return Passed()


def _is_loopback(address: object) -> bool:
    return address is None or str(address).startswith(("127.", "localhost:", "[::1]:"))


@check("config-registry", "the registry's settings match the configuration file", needs=("config-safety",))
def _registry(live: LiveMirror, upstream: Upstream) -> Outcome:
    deployed = live.registry_config(upstream)
    # The secrets come from the live file: whether they are right is for other checks to find out.
    password = SecretStr(str(look_up(deployed, "redis", "password")))
    mirror_secrets = MirrorSecrets(KeyPair(b"", b""), b"", password, live.s3_account(upstream))
    wanted = registry_config(live.mirror, upstream, mirror_secrets)
    keys = _differing_keys(wanted, deployed, _REGISTRY_CHECKED_ELSEWHERE)
    return _drift(live, [*keys, *_differing_way_out(live, upstream)], "the registry's")


def _differing_way_out(live: LiveMirror, upstream: Upstream) -> list[str]:
    """The CA bundle and the proxy, if they differ from the file; what this machine cannot read is not compared."""

    def ca() -> bytes:
        return resolve_ca_bundles(live.mirror, live.connections.ca_bundles).get(upstream.name, b"")

    def proxy() -> bytes:
        url = resolve_proxy(live.mirror, live.connections.resolver)
        return url.get_secret_value().encode() if url else b""

    deployed = live.secret(names.registry_secret(upstream.name))
    differing = []
    for key, resolve in ((names.CA_KEY, ca), (names.PROXY_KEY, proxy)):
        with suppress(ConfigurationError):
            if resolve() != deployed.get(key, b""):
                differing.append(key)
    return differing


@check("config-auth", "docker_auth's settings match the configuration file", needs=("config-access",), part="auth")
def _auth(live: LiveMirror) -> Outcome:
    ignored = (*_AUTH_CHECKED_ELSEWHERE, *(_OF_CHART if live.mirror.auth.chart else ()))
    wanted = auth_config(live.mirror) | sign_in_config(live.mirror, "")
    return _drift(live, _differing_keys(wanted, live.auth_config(), ignored), "docker_auth's")


def _differing_keys(wanted: object, live: object, ignored: tuple[str, ...]) -> list[str]:
    keys = [".".join(path) for path in differing_paths(wanted, live)]
    return [key for key in keys if not any(key == other or key.startswith(f"{other}.") for other in ignored)]


def _drift(live: LiveMirror, keys: list[str], whose: str) -> Outcome:
    if keys:
        return Failed(f"{whose} live settings differ from the configuration file: {', '.join(keys)}", deploy(live))
    return Passed()


@check("config-redis", "Redis settings match the configuration file", needs=("cluster-deployed",), part="redis")
def _redis(live: LiveMirror) -> Outcome:
    mirror_secrets = MirrorSecrets(KeyPair(b"", b""), b"", SecretStr(""))
    wanted = set(_settings(redis_config(live.mirror, mirror_secrets)))
    deployed = set(_settings(live.secret(names.REDIS_SECRET).get("valkey.conf", b"").decode(errors="replace")))
    return _drift(live, sorted({line.split()[0] for line in wanted ^ deployed}), "Redis's")


def _settings(text: str) -> list[str]:
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "requirepass"))]


@check("config-images", "the pods run the configured images", needs=("cluster-pods",))
def _pod_images(live: LiveMirror) -> Outcome:
    mirror = live.mirror
    wanted = {} if mirror.auth.external else {names.AUTH: mirror.auth.image}
    if not mirror.redis.external:
        wanted[names.REDIS] = mirror.redis.image
    wanted |= {names.registry(upstream.name): mirror.registry.image for upstream in mirror.upstreams}
    found = {name: (_container(live, name).get("image"), image) for name, image in wanted.items()}
    auth = () if mirror.auth.external or mirror.auth.chart else (names.AUTH,)
    endpoint = [names.INGRESS] if mirror.ingress.service else []
    for release in (*auth, *(names.registry(upstream.name) for upstream in mirror.upstreams), *endpoint):
        container = _container(live, release, names.FRONT_CONTAINER)
        found[f"the front of {release}"] = (container.get("image"), mirror.front.image)
    for release in (names.registry(upstream.name) for upstream in mirror.upstreams):
        container = _container(live, release, names.FETCHER_CONTAINER)
        found[f"the fetcher of {release}"] = (container.get("image"), mirror.fetcher.image)
    others = [
        f"{name} runs {image or 'no image'} instead of {configured}"
        for name, (image, configured) in found.items()
        if image not in {configured, _without_tag(configured)}
    ]
    return Failed("\n".join(others), deploy(live)) if others else Passed()


def _without_tag(image: str) -> str:
    """The image as the charts write one that has a tag and a digest: only the digest counts."""
    name, at, digest = image.partition("@")
    return f"{name.rpartition(':')[0] or name}@{digest}" if at else image


@check("config-variables", "no environment variable overrides the registry's settings", needs=("cluster-pods",))
def _overrides(live: LiveMirror, upstream: Upstream) -> Outcome:
    name = names.registry(upstream.name)
    variables = [variable["name"] for variable in _container(live, name).get("env") or []]
    found = [variable for variable in variables if variable.startswith("REGISTRY_")]
    if found:
        # Not deploy: it does not remove fields that others have added.
        removal = " ".join(f"{variable}-" for variable in found)
        return Failed(
            f"Deployment {name} has variables that override its configuration: {', '.join(found)}",
            f"remove them: {kubectl(live)} set env deployment/{name} {removal}",
        )
    return Passed()


@check("config-log-level", "docker_auth does not log tokens", needs=("cluster-pods",), part="auth")
def _log_level(live: LiveMirror) -> Outcome:
    arguments = [str(argument) for argument in _container(live, names.AUTH).get("args") or []]
    levels = [argument.removeprefix("--v=") for argument in arguments if argument.startswith("--v=")]
    highest = _HIGHEST_LOG_LEVEL_WITH_SIGN_IN if live.mirror.access.sign_in else _HIGHEST_LOG_LEVEL
    if any(level.isdigit() and int(level) > highest for level in levels):
        return Failed(f"docker_auth runs with --v={levels[-1]} and logs all tokens and passwords", deploy(live))
    return Passed()


def _container(live: LiveMirror, name: str, wanted: str = "") -> Object:
    """The first container of a Deployment, or the named one (empty if missing); raises NotDeployedError."""
    containers = look_up(live.deployment(name), "spec", "template", "spec", "containers") or []
    if not containers:
        message = f"namespace {live.cluster.namespace} has no Deployment {name}"
        raise NotDeployedError(message, hint=live.deploy_hint())
    if wanted:
        return next((container for container in containers if container["name"] == wanted), {})
    found: Object = containers[0]
    return found
