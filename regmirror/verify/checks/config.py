"""Checks that the live configuration is whole and is what the file says."""

from regmirror.config.model import Upstream
from regmirror.ports.cluster import INGRESS, Object
from regmirror.stack import names
from regmirror.stack.auth_config import access_rules
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, UpstreamCheck
from regmirror.verify.subject import Subject

_DEPLOY = "bring the cluster back to the file: regmirror deploy"


def _issuer(subject: Subject, upstream: Upstream) -> Outcome:
    wanted = subject.mirror.auth.issuer
    signs = (subject.auth_config().get("token") or {}).get("issuer")
    expects = _token_section(subject, upstream).get("issuer")
    if signs != expects:
        return Failed(f'docker_auth signs as issuer "{signs}", the registry expects issuer "{expects}"', _DEPLOY)
    if signs != wanted:
        return Failed(f'the issuer in the cluster is "{signs}", in the file "{wanted}"', _DEPLOY)
    return Passed(wanted)


def _service(subject: Subject, upstream: Upstream) -> Outcome:
    section, host = _token_section(subject, upstream), subject.mirror.host_of(upstream)
    for key, wanted in {"service": host, "realm": subject.realm(upstream)}.items():
        if section.get(key) != wanted:
            return Failed(f'the registry has the {key} "{section.get(key)}" instead of "{wanted}"', _DEPLOY)
    return Passed(host)


def _access(subject: Subject) -> Outcome:
    wanted, live = access_rules(subject.mirror), subject.auth_config().get("acl") or []
    if live == wanted:
        return Passed(f"{len(wanted)} rule{'s' * (len(wanted) != 1)}")
    missing = [rule["match"]["name"] for rule in wanted if rule not in live]
    extra = [str((rule.get("match") or {}).get("name", "any repository")) for rule in live if rule not in wanted]
    differences = [f"ACL {what}: {', '.join(found)}" for what, found in (("lacks", missing), ("adds", extra)) if found]
    return Failed("docker_auth's " + ("; its ".join(differences) or "ACL has another order"), _DEPLOY)


def _ingress(subject: Subject, upstream: Upstream) -> Outcome:
    host = subject.mirror.host_of(upstream)
    found = subject.cluster.select(INGRESS, selector=f"app.kubernetes.io/instance={names.INGRESS}")
    routes = {rule.get("host"): rule for ingress in found for rule in ingress["spec"].get("rules") or []}
    if host not in routes:
        others = ", ".join(str(other) for other in routes) or "nothing"
        return Failed(f"no Ingress of the mirror has the host {host}; they have {others}", _DEPLOY)
    backends = _backends(routes[host])
    for path, wanted in {"/auth": names.AUTH, "/v2": names.registry(upstream.name)}.items():
        if backends.get(path) != wanted:
            return Failed(f"the Ingress of {host} sends {path} to {backends.get(path)} instead of {wanted}", _DEPLOY)
    return Passed(host)


def _backends(rule: Object) -> dict[str, str]:
    return {path["path"]: path["backend"]["service"]["name"] for path in (rule.get("http") or {}).get("paths") or []}


def _token_section(subject: Subject, upstream: Upstream) -> Object:
    return dict((subject.registry_config(upstream).get("auth") or {}).get("token") or {})


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "config-issuer",
        "docker_auth and the registry agree on the issuer",
        Category.CONFIG,
        _issuer,
        needs=("cluster-api",),
    ),
    UpstreamCheck(
        "config-service",
        "the registry sends clients to our realm and service",
        Category.CONFIG,
        _service,
        needs=("cluster-api",),
    ),
    Check(
        "config-access",
        "docker_auth's access rules are those of the file",
        Category.CONFIG,
        _access,
        needs=("cluster-api",),
    ),
    UpstreamCheck(
        "config-ingress",
        "the Ingress routes the public host",
        Category.CONFIG,
        _ingress,
        needs=("cluster-api",),
    ),
)
