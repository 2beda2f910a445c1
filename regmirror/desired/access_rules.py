"""The access list of docker_auth: the rules of the configuration, in docker_auth's form.

Source: docker_auth 1.14.0, ``docs/ACL.md`` and ``auth_server/authz/acl.go``.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from regmirror.config.access import AccessRule
from regmirror.config.model import Mirror, Upstream
from regmirror.config.patterns import docker_auth_pattern
from regmirror.config.rule_clients import ClientKind, RuleClients, rule_clients

USER_LABEL: Final = "user"
"""The label with the name of an account of ``regmirror user``; nobody who signs in elsewhere has it."""
GROUPS_LABEL: Final = "groups"
"""The label with the groups of an account of ``regmirror user``."""
TEAMS_LABEL: Final = "teams"
"""The label with the teams of a member of the organization at GitHub: ``auth_server/authn/github_auth.go``."""
_SPECIAL = re.compile(r"[*?\[\\{]")
"""What has a meaning in a glob, and the brace of a variable: docker_auth replaces ``${account}`` in every pattern."""
Entry = dict[str, Any]


def access_rules(mirror: Mirror) -> list[Entry]:
    """The entries in the order of the configuration; docker_auth takes the first that matches and denies the rest.

    Each is bound to its upstream's ``service``: docker_auth signs any service that a client requests, so without it a
    token for one upstream could grant rights on another.
    """
    labels = _group_labels(mirror)
    return [
        entry for upstream in mirror.upstreams for entry in _entries(upstream, mirror.endpoint_of(upstream), labels)
    ]


def _group_labels(mirror: Mirror) -> tuple[str, ...]:
    """The two labels that have the groups of a client: of an account, and of somebody who has signed in."""
    oidc = mirror.access.sign_in.oidc if mirror.access.sign_in else None
    return tuple(dict.fromkeys((GROUPS_LABEL, oidc.groups_claim if oidc else TEAMS_LABEL)))


def _entries(upstream: Upstream, service: str, labels: tuple[str, ...]) -> Iterator[Entry]:
    for pattern in upstream.deny:
        yield _entry(pattern, service, [], {}, f"nobody may pull {pattern} of {upstream.name}")
    for rule in upstream.rules:
        yield from _entries_of_rule(rule, upstream, service, labels)
    for pattern in upstream.anonymous_pull:
        yield _entry(pattern, service, ["pull"], {}, f"everyone may pull {pattern} of {upstream.name}")


def _entries_of_rule(rule: AccessRule, upstream: Upstream, service: str, labels: tuple[str, ...]) -> Iterator[Entry]:
    verdict, actions = ("may", ["pull"]) if rule.allow else ("may not", [])
    for pattern, network in product(rule.patterns, rule.from_ or [""]):
        place, ip = (f" from {network}", {"ip": network}) if network else ("", {})
        for clients in rule_clients(rule):
            comment = f"{clients}{place} {verdict} pull {pattern} of {upstream.name}"
            for conditions in _conditions(clients, labels):
                yield _entry(pattern, service, actions, conditions | ip, comment)


def _conditions(clients: RuleClients, group_labels: tuple[str, ...]) -> list[Entry]:
    """What docker_auth compares, for each entry that these clients need."""
    match clients.kind:
        case ClientKind.EVERYONE:
            return [{}]
        case ClientKind.EVERY_ACCOUNT:
            return [{"account": "/^.+$/"}]
        case ClientKind.USER:
            # Not the account: people at a sign-in provider choose their names themselves.
            return [{"labels": {USER_LABEL: literal(clients.name)}}]
        case ClientKind.GROUP:
            return [{"labels": {label: literal(clients.name)}} for label in group_labels]
        case ClientKind.SIGNED_IN:
            return [{"account": literal(clients.name)}]


def literal(text: str) -> str:
    """A glob of docker_auth that matches only this text.

    Not an expression: docker_auth compiles those again for each repository of a request and each group of a client.
    """
    escaped = _SPECIAL.sub(r"\\\g<0>", text)
    return f"\\{escaped}" if text.startswith("/") else escaped


def entry_name(match: Mapping[str, Any]) -> str:
    """A short name of an entry, also of a live one that is not regmirror's: its repositories and its clients."""
    labels = match.get("labels")
    known = labels if isinstance(labels, dict) else {}
    conditions = {"account": match.get("account"), **known, "from": match.get("ip")}
    clients = ", ".join(f"{key} {value}" for key, value in conditions.items() if value is not None)
    name = str(match.get("name") or "any repository")
    return f"{name} ({clients})" if clients else name


def _entry(pattern: str, service: str, actions: list[str], conditions: Entry, comment: str) -> Entry:
    match = {"type": "repository", "name": docker_auth_pattern(pattern), "service": service, **conditions}
    # A list of its own: YAML would write a shared one as an alias.
    return {"match": match, "actions": list(actions), "comment": comment}
