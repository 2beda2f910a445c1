"""Decides who may pull a repository: by the rules of an upstream, in the order in which docker_auth reads them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Protocol

from regmirror.config.access import EVERY_ACCOUNT, AccessRule
from regmirror.config.key_paths import KeyPath, format_path
from regmirror.config.patterns import matches

Address = IPv4Address | IPv6Address


class UpstreamRules(Protocol):
    """The keys of an upstream that decide."""

    @property
    def anonymous_pull(self) -> list[str]: ...

    @property
    def deny(self) -> list[str]: ...

    @property
    def rules(self) -> list[AccessRule]: ...


@dataclass(frozen=True, slots=True)
class Client:
    """Who requests a token. Without a name, a client that has not logged in."""

    user: str | None = None
    """The account of ``regmirror user``."""
    signed_in: str | None = None
    """The name at the sign-in provider."""
    groups: frozenset[str] = frozenset()
    address: Address | None = None
    """None if it is not known; no rule with ``from`` matches then."""

    @property
    def is_anonymous(self) -> bool:
        """Whether the client has not logged in."""
        return self.user is None and self.signed_in is None


ANYONE = Client()
"""A client that has not logged in."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a client may pull, and the key of the upstream that decides; no key if no rule matches."""

    allowed: bool
    path: KeyPath = ()
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One pattern of an upstream; ``rule`` says for which clients, None stands for everyone."""

    allows: bool
    path: KeyPath
    pattern: str
    rule: AccessRule | None = None

    @property
    def is_for_everyone(self) -> bool:
        """Whether it is about every client, wherever it is and without a login."""
        return self.rule is None or (self.rule.is_for_everyone and not self.rule.from_)


def numbered_rules(upstreams: Iterable[UpstreamRules]) -> Iterator[tuple[KeyPath, AccessRule]]:
    """Every rule of these upstreams with its key, ``upstreams[0].rules[1]``."""
    for index, upstream in enumerate(upstreams):
        for number, rule in enumerate(upstream.rules):
            yield ("upstreams", index, "rules", number), rule


def entries(rules: UpstreamRules) -> Iterator[Entry]:
    """Every pattern in the order that decides: ``deny``, then ``rules`` in their order, then ``anonymousPull``."""
    for index, pattern in enumerate(rules.deny):
        yield Entry(False, ("deny", index), pattern)
    for number, rule in enumerate(rules.rules):
        for index, pattern in enumerate(rule.patterns):
            yield Entry(bool(rule.allow), ("rules", number, rule.verb, index), pattern, rule)
    for index, pattern in enumerate(rules.anonymous_pull):
        yield Entry(True, ("anonymousPull", index), pattern)


def is_same_for_everyone(rules: UpstreamRules) -> bool:
    """Whether all clients may pull the same repositories."""
    return all(entry.is_for_everyone for entry in entries(rules))


def decide(rules: UpstreamRules, repository: str, client: Client = ANYONE) -> Decision:
    """The first entry that matches decides; without one, the pull is denied."""
    for entry in entries(rules):
        if (entry.rule is None or applies(entry.rule, client)) and matches(entry.pattern, repository):
            return Decision(entry.allows, entry.path, entry.pattern)
    return Decision(False)


def refusal(rules: UpstreamRules, repository: str) -> str | None:
    """Why clients without a login may not pull a repository; None if they may."""
    decision = decide(rules, repository)
    if decision.allowed:
        return None
    if decision.path:
        return f"{format_path(decision.path)} refuses {repository} ({decision.pattern})"
    return f"anonymousPull does not allow {repository} ({', '.join(rules.anonymous_pull) or 'nothing'})"


def applies(rule: AccessRule, client: Client) -> bool:
    """Whether a rule is about a client."""
    return _is_from(rule, client) and (rule.is_for_everyone or _is_named(rule, client))


def _is_from(rule: AccessRule, client: Client) -> bool:
    address = _unmapped(client.address)
    return not rule.from_ or (address is not None and any(address in ip_network(network) for network in rule.from_))


def _unmapped(address: Address | None) -> Address | None:
    """An IPv4 address in IPv6 form (``::ffff:10.0.0.1``) is the IPv4 address, as for docker_auth."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_named(rule: AccessRule, client: Client) -> bool:
    return (
        (EVERY_ACCOUNT in rule.users and not client.is_anonymous)
        or (client.user is not None and client.user in rule.users)
        # docker_auth knows these names as account names, and an account of the mirror can have one of them.
        or (client.signed_in or client.user) in rule.signed_in
        or not client.groups.isdisjoint(rule.groups)
    )
