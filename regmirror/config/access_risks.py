"""What rules and patterns open further than they seem to."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from typing import Final

from regmirror.config.access import EVERY_ACCOUNT
from regmirror.config.access_decision import ANYONE, Address, Client, Entry, decide, entries, numbered_rules
from regmirror.config.images import DOCKER_HUB
from regmirror.config.key_paths import KeyPath
from regmirror.config.model import Mirror, Upstream
from regmirror.config.patterns import covers, shared_name

_CLAIMED = (
    "every pod of the cluster that reaches docker_auth can claim any address: set networkPolicies.enabled, so that "
    "only {peer} can reach it"
)
_EVADED = (
    "does not bind people who sign in: they {reason}, and may then pull {name}; deny it to everyone instead, after a "
    "rule that allows it to those who may pull it"
)
_HAVE_NO_GROUPS = "have no groups, because docker_auth does not ask the provider about them"
_CAN_HIDE_GROUPS = "can leave their groups out"
_SOMEBODY: Final = '"'
"""The name of a person whom no rule names: quotes are not allowed in rules."""


def published_patterns(upstream: Upstream) -> dict[KeyPath, list[str]]:
    """The patterns with a wildcard for everyone that deny does not cover, by their list.

    Docker Hub's library/ has official images only: public.
    """
    wide: dict[KeyPath, list[str]] = {}
    for entry in entries(upstream):
        is_public = entry.allows and entry.is_for_everyone
        is_wide = bool(set(entry.pattern) & {"*", "?"}) and not _is_official(upstream, entry.pattern)
        if is_public and is_wide and not any(covers(denied, entry.pattern) for denied in upstream.deny):
            wide.setdefault(entry.path[:-1], []).append(entry.pattern)
    return wide


def _is_official(upstream: Upstream, pattern: str) -> bool:
    return upstream.url == DOCKER_HUB and pattern.startswith("library/")


def claimed_addresses(mirror: Mirror) -> Iterator[tuple[KeyPath, str]]:
    """The front trusts every peer with an address in ``trustedProxies``, and that is often the network of all pods."""
    if mirror.network_policies.enabled:
        return
    peer = "the endpoint" if mirror.ingress.service else "your Ingress controller"
    for path, rule in numbered_rules(mirror.upstreams):
        if rule.from_:
            yield (*path, "from"), _CLAIMED.format(peer=peer)


def evaded_groups(mirror: Mirror) -> Iterator[tuple[KeyPath, str]]:
    """Rules that deny something to groups, which people get when they sign in without these groups.

    The scopes are in a link that they can change, and docker_auth 1.14.0 also lets in whose teams it could not get.
    """
    sign_in = mirror.access.sign_in
    if sign_in is None:
        return
    reason = _CAN_HIDE_GROUPS if sign_in.has_groups else _HAVE_NO_GROUPS
    for index, upstream in enumerate(mirror.upstreams):
        found = list(entries(upstream))
        evaded: dict[KeyPath, str] = {}
        for position, entry in enumerate(found):
            path = ("upstreams", index, *entry.path[:-2], "groups")
            if entry.allows or entry.rule is None or not entry.rule.groups or path in evaded:
                continue
            if name := _evaded_name(entry, found[position + 1 :], upstream):
                evaded[path] = name
        yield from ((path, _EVADED.format(reason=reason, name=name)) for path, name in evaded.items())


def _evaded_name(entry: Entry, later: list[Entry], upstream: Upstream) -> str | None:
    """A repository that the entry denies to its groups, and that somebody gets without them, but only with a login."""
    for other in later:
        name = shared_name(entry.pattern, other.pattern) if other.allows else None
        if name and any(_evades(entry, person, name, upstream) for person in _people(entry, other)):
            return name
    return None


def _evades(entry: Entry, person: Client, name: str, upstream: Upstream) -> bool:
    """Whether the entry denies a repository to its groups, and this person gets it without them."""
    groups = entry.rule.groups if entry.rule else []
    return (
        decide(upstream, name, person).allowed
        and not decide(upstream, name, replace(ANYONE, address=person.address)).allowed
        and any(decide(upstream, name, replace(person, groups=frozenset({each}))).path == entry.path for each in groups)
    )


def _people(entry: Entry, other: Entry) -> Iterator[Client]:
    """People without groups whom ``other`` names, at an address of every network of both."""
    if other.rule is None:
        return
    names = [*other.rule.signed_in, *([_SOMEBODY] if EVERY_ACCOUNT in other.rule.users else [])]
    networks = [*(entry.rule.from_ if entry.rule else []), *other.rule.from_]
    addresses: list[Address | None] = [None, *(ip_network(network)[0] for network in networks)]
    yield from (Client(signed_in=name, address=address) for name in names for address in addresses)
