"""Answers one question: from the file, and from the deployed mirror if there is one to ask."""

from regmirror.access.live import Cached, Findings
from regmirror.access.question import Question
from regmirror.access.report import (
    CacheReport,
    ClientReport,
    Difference,
    MirrorAnswer,
    RuleReport,
    UpstreamAnswer,
    WhyReport,
)
from regmirror.access.rules import RuleBook
from regmirror.access.upstream import AtUpstream
from regmirror.config.access_decision import Client
from regmirror.config.documents import Unknown
from regmirror.config.model import Mirror
from regmirror.config.patterns import matches
from regmirror.desired.access_rules import access_rules
from regmirror.errors import RegmirrorError
from regmirror.status.background import Unavailable
from regmirror.verify.hints import deploy, fix_auth
from regmirror.verify.live_mirror import LiveMirror


def why_report(
    mirror: Mirror,
    rules: RuleBook,
    question: Question,
    findings: Findings | None = None,
    live: LiveMirror | None = None,
) -> WhyReport:
    """The report on a question; without ``findings`` from the file only."""
    rule, upstream = rules.decision(question), question.upstream
    allowed = rule.allowed if findings is None or findings.allowed is None else findings.allowed
    is_asked = findings is not None and findings.allowed is not None
    return WhyReport(
        host=mirror.endpoint_of(upstream),
        upstream=upstream.name,
        registry=upstream.registry_name,
        image=str(question.image),
        client=client_report(question.client),
        allowed=allowed,
        rule=rule,
        other_rules=[] if rule.allowed else list(rules.others(question)),
        mirror=MirrorAnswer(allowed=allowed, realm=mirror.realm_of(upstream)) if is_asked else None,
        cache=_cache(findings) if findings else None,
        at_upstream=_upstream(findings.upstream) if findings else None,
        pulls=_pulls(question, findings) if findings and allowed else None,
        difference=_difference(live, question, rule, findings) if live and findings else None,
        next=_next(mirror, question, allowed),
    )


def client_report(client: Client) -> ClientReport:
    """The client as all documents have it."""
    address = str(client.address) if client.address else None
    return ClientReport(user=client.user, signed_in=client.signed_in, groups=sorted(client.groups), address=address)


def _cache(findings: Findings) -> CacheReport | Unknown | None:
    cached, upstream = findings.cached, findings.upstream
    if isinstance(cached, Unavailable):
        return Unknown(unknown=cached.reason)
    if cached is None:
        return None
    current = upstream.digest if isinstance(upstream, AtUpstream) else None
    stale = current != cached.digest if current else None
    return CacheReport(digest=cached.digest, since=cached.since, stale=stale, served=findings.served)


def _upstream(found: AtUpstream | Unavailable) -> UpstreamAnswer | Unknown:
    if isinstance(found, Unavailable):
        return Unknown(unknown=found.reason)
    return UpstreamAnswer(
        state=found.state,
        digest=found.digest,
        pulls_left=found.limit.remaining if found.limit else None,
        pull_limit=found.limit.limit if found.limit else None,
    )


def _pulls(question: Question, findings: Findings) -> int | None:
    """The registry fetches a manifest that it lacks with GET, and looks up a tag with HEAD."""
    cached, upstream = findings.cached, findings.upstream
    if isinstance(cached, Cached) and ":" in question.image.reference:
        return 0
    if not isinstance(upstream, AtUpstream) or upstream.digest is None or isinstance(cached, Unavailable):
        return None
    return 0 if cached is not None and cached.digest == upstream.digest else 1


def _difference(live: LiveMirror, question: Question, rule: RuleReport, findings: Findings) -> Difference | None:
    if findings.allowed is None or findings.allowed == rule.allowed:
        return None
    verb = "allows" if findings.allowed else "refuses"
    opposite = "refuses" if findings.allowed else "allows"
    message = f"the mirror {verb} what the file {opposite}"
    if _depends_on_address(question):
        return Difference(message=f"{message}: a rule with from decides by the address", hint="name it with --from")
    if live.mirror.auth.external:
        return Difference(message=f"{message}: the existing docker_auth has other rules", hint=fix_auth(live))
    try:
        is_deployed = live.auth_config().get("acl") == access_rules(live.mirror)
    except RegmirrorError as error:
        return Difference(message=f"{message}; its rules cannot be read: {error.message}", hint=deploy(live))
    if not is_deployed:
        return Difference(message=f"{message}: it runs with other rules", hint=deploy(live))
    if question.client.user and not question.client.groups:
        return Difference(message=f"{message}: the groups of the account are not known", hint="name them with --group")
    return Difference(message=f"{message}: a pod of docker_auth has not read its new rules", hint=fix_auth(live))


def _depends_on_address(question: Question) -> bool:
    repository, rules = question.image.repository, question.upstream.rules
    return any(rule.from_ and any(matches(pattern, repository) for pattern in rule.patterns) for rule in rules)


def _next(mirror: Mirror, question: Question, allowed: bool) -> str:
    registry, host = question.upstream.registry_name, mirror.endpoint_of(question.upstream)
    if allowed:
        return f"pulls it through {host}"
    return (
        f"docker, containerd and podman try {registry} itself, as if there were no mirror; a pull of "
        f"{host}/{question.image} fails"
    )
