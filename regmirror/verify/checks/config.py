"""Checks that the live configuration of requests and rights is what the file says."""

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.desired.auth_config import access_rules
from regmirror.ports.cluster import INGRESS, Object
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, UpstreamCheck
from regmirror.verify.hints import DEPLOY
from regmirror.verify.live_mirror import LiveMirror, look_up


def _issuer(live: LiveMirror, upstream: Upstream) -> Outcome:
    wanted = live.mirror.auth.issuer
    signs = look_up(live.auth_config(), "token", "issuer")
    expects = look_up(live.registry_config(upstream), "auth", "token", "issuer")
    if signs != expects:
        return Failed(f'docker_auth signs as issuer "{signs}", the registry expects issuer "{expects}"', DEPLOY)
    if signs != wanted:
        return Failed(f'the issuer in the cluster is "{signs}", in the file "{wanted}"', DEPLOY)
    return Passed(wanted)


def _service(live: LiveMirror, upstream: Upstream) -> Outcome:
    config, host = live.registry_config(upstream), live.mirror.host_of(upstream)
    for key, wanted in {"service": host, "realm": live.realm(upstream)}.items():
        found = look_up(config, "auth", "token", key)
        if found != wanted:
            return Failed(f'the registry has the {key} "{found}" instead of "{wanted}"', DEPLOY)
    return Passed(host)


def _access(live: LiveMirror) -> Outcome:
    wanted, deployed = access_rules(live.mirror), live.auth_config().get("acl")
    deployed = deployed if isinstance(deployed, list) else []
    if deployed == wanted:
        return Passed(f"{len(wanted)} rule{'s' * (len(wanted) != 1)}")
    missing = [rule["match"]["name"] for rule in wanted if rule not in deployed]
    extra = [str(look_up(rule, "match", "name") or "any repository") for rule in deployed if rule not in wanted]
    differences = [f"ACL {what}: {', '.join(found)}" for what, found in (("lacks", missing), ("adds", extra)) if found]
    return Failed("docker_auth's " + ("; its ".join(differences) or "ACL has another order"), DEPLOY)


def check_users(live: LiveMirror) -> Outcome:
    """Whether docker_auth admits anonymous clients, and nobody else."""
    users = live.auth_config().get("users")
    accounts = users if isinstance(users, dict) else {}
    if "" not in accounts:
        return Failed("docker_auth does not know the user with the empty name: every client needs a login", DEPLOY)
    strangers = [name for name in accounts if name]
    if strangers:
        sample = " admin and test have passwords that everyone knows." if {"admin", "test"} & set(strangers) else ""
        return Failed(f"docker_auth has users that the file does not have: {', '.join(strangers)}.{sample}", DEPLOY)
    return Passed("anonymous clients alone")


def check_ingress(live: LiveMirror, upstream: Upstream) -> Outcome:
    """Whether the Ingress sends the host's requests where they belong."""
    host = live.mirror.host_of(upstream)
    found = live.cluster.select(INGRESS, selector=f"app.kubernetes.io/instance={names.INGRESS}")
    routes = {rule.get("host"): rule for ingress in found for rule in ingress["spec"].get("rules") or []}
    if host not in routes:
        others = ", ".join(str(other) for other in routes) or "nothing"
        return Failed(f"no Ingress of the mirror has the host {host}; they have {others}", DEPLOY)
    wanted_class = live.mirror.ingress.class_name
    for ingress in found:
        live_class = ingress["spec"].get("ingressClassName")
        if wanted_class and live_class != wanted_class:
            return Failed(f"the Ingress of {host} has the class {live_class} instead of {wanted_class}", DEPLOY)
    backends = _backends(routes[host])
    for path, wanted in {"/auth": names.AUTH, "/v2": names.registry(upstream.name)}.items():
        if backends.get(path) != wanted:
            return Failed(f"the Ingress of {host} sends {path} to {backends.get(path)} instead of {wanted}", DEPLOY)
    return Passed(host)


def _backends(rule: Object) -> dict[str, str]:
    paths = look_up(rule, "http", "paths") or []
    return {path.get("path", "/"): look_up(path, "backend", "service", "name") for path in paths}


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "config-issuer",
        "docker_auth and the registry agree on the issuer",
        Category.CONFIG,
        _issuer,
        needs=("cluster-permissions",),
    ),
    UpstreamCheck(
        "config-service",
        "the registry sends clients to our realm and service",
        Category.CONFIG,
        _service,
        needs=("cluster-permissions",),
    ),
    Check(
        "config-access",
        "docker_auth's access rules are those of the file",
        Category.CONFIG,
        _access,
        needs=("cluster-permissions",),
    ),
    Check(
        "config-users",
        "docker_auth knows no users but the file's",
        Category.CONFIG,
        check_users,
        needs=("cluster-permissions",),
    ),
    UpstreamCheck(
        "config-ingress",
        "the Ingress routes the public host",
        Category.CONFIG,
        check_ingress,
        needs=("cluster-permissions",),
    ),
)
