"""What the rules of all upstreams need from the rest of the configuration, and how many there may be."""

from collections.abc import Sequence
from typing import Final

from regmirror.config.access import AccessRule
from regmirror.config.access_decision import entries, numbered_rules
from regmirror.config.components import AuthComponent
from regmirror.config.ingress import IngressComponent
from regmirror.config.problem import error_at
from regmirror.config.upstream import Upstream

MOST_ENTRIES: Final = 500
"""docker_auth goes through all entries for each repository of a request: see docs/decisions/0026."""
_NO_ADDRESSES: Final = (
    "the addresses of clients are not known: set ingress.trustedProxies to the networks of your proxies, or use "
    "ingress.service with externalTrafficPolicy: Local"
)
_NO_FRONT: Final = "auth.chart runs docker_auth without the front, which reports the addresses of clients: remove it"
_NO_ACCOUNTS: Final = (
    "auth.chart keeps docker_auth's users in a ConfigMap, so there are no accounts and this rule matches nobody: "
    "remove it, or remove auth.chart to use regmirror's own chart"
)
_OTHER_PROGRAM: Final = (
    "has no effect with auth.external: the existing docker_auth decides who may pull; write the rules into its "
    "configuration"
)


def check_rules(upstreams: Sequence[Upstream], auth: AuthComponent, ingress: IngressComponent) -> None:
    """Raises an error at the first rule that cannot work with the other sections, or at ``upstreams``."""
    for path, rule in numbered_rules(upstreams):
        if auth.external:
            raise error_at(path[:-1], _OTHER_PROGRAM)
        if auth.chart and not rule.is_for_everyone:
            raise error_at(path, _NO_ACCOUNTS)
        if rule.from_ and (problem := _problem_of_networks(auth, ingress)):
            raise error_at((*path, "from"), problem)
    number_of_entries = sum(entry_count(upstream) for upstream in upstreams)
    if number_of_entries > MOST_ENTRIES:
        raise error_at(("upstreams",), _TOO_MANY.format(found=number_of_entries, most=MOST_ENTRIES))


_TOO_MANY: Final = (
    "all rules together make {found:,} entries of docker_auth's access list, and {most:,} are allowed: use patterns "
    "with * or **, and groups instead of users. A pattern makes one entry for each user and two for each group, times "
    "the number of networks"
)


def _problem_of_networks(auth: AuthComponent, ingress: IngressComponent) -> str | None:
    if auth.chart:
        return _NO_FRONT
    return None if ingress.knows_client_addresses else _NO_ADDRESSES


def entry_count(upstream: Upstream) -> int:
    """The number of entries that the rules of an upstream make in docker_auth's access list."""
    return sum(_multiplicity(entry.rule) for entry in entries(upstream) if entry.rule)


def _multiplicity(rule: AccessRule) -> int:
    """How many entries a pattern of the rule has."""
    clients = 1 if rule.is_for_everyone else len(rule.users) + 2 * len(rule.groups) + len(rule.signed_in)
    return clients * max(len(rule.from_), 1)
