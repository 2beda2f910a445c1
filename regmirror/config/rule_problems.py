"""Entries of an upstream that another entry makes useless, and clients that a rule names twice."""

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import islice

from regmirror.config.access import EVERY_ACCOUNT, AccessRule
from regmirror.config.access_decision import Client, Entry, decide
from regmirror.config.key_paths import KeyPath, format_path
from regmirror.config.patterns import covers, shared_name
from regmirror.config.upstream import Upstream


def problem_of_order(position: int, entries: list[Entry], upstream: Upstream) -> str | None:
    """Why the entry at a position has no effect, or less than it seems to have; ``entries`` are all of the upstream."""
    entry, earlier, later = entries[position], entries[:position], entries[position + 1 :]
    return (
        _decided_before(entry, earlier)
        or (_allowed_after(entry, later) if entry.allows else _denies_nothing(entry, later))
        or (None if entry.allows else _avoidable(entry, later, upstream))
    )


def _decided_before(entry: Entry, earlier: list[Entry]) -> str | None:
    wider = next((other for other in earlier if _includes(other, entry)), None)
    if wider is None:
        return None
    if wider.allows != entry.allows:
        return f'"{entry.pattern}" has no effect: {_list_of(wider)} {_does(wider)} all of it with "{wider.pattern}"'
    where = "" if wider.path[:-1] == entry.path[:-1] else f" in {_list_of(wider)}"
    return f'"{entry.pattern}" has no effect: the earlier pattern "{wider.pattern}"{where} matches the same'


def _allowed_after(entry: Entry, later: list[Entry]) -> str | None:
    """Whether a list that follows allows the same, and nothing in between denies a part of it."""
    for other in later:
        if not other.allows and _overlaps(other, entry):
            return None
        if other.allows and other.path[:-1] != entry.path[:-1] and _includes(other, entry):
            whom = "everyone" if other.rule is None else "the same clients"
            return f'"{entry.pattern}" has no effect: {_list_of(other)} allows it to {whom} with "{other.pattern}"'
    return None


def _denies_nothing(entry: Entry, later: list[Entry]) -> str | None:
    if any(other.allows and _overlaps(other, entry) for other in later):
        return None
    rules = any(other.rule for other in later if other.allows)
    return f'"{entry.pattern}" has no effect: {"nothing that follows" if rules else "anonymousPull"} allows ' + (
        "any of it" if rules else "none of it"
    )


def _avoidable(entry: Entry, later: list[Entry], upstream: Upstream) -> str | None:
    """Whether the clients of a rule that denies can pull without a login instead."""
    if entry.rule is None or entry.rule.is_for_everyone:
        return None
    anyone = Client(address=next((ip_network(network)[0] for network in entry.rule.from_), None))
    for other in later:
        name = shared_name(entry.pattern, other.pattern) if other.allows else None
        if name and decide(upstream, name, anyone).allowed:
            return f'"{entry.pattern}" protects nothing: everyone may pull {name} without a login'
    return None


def _list_of(entry: Entry) -> str:
    return format_path(entry.path[:-1])


def _does(entry: Entry) -> str:
    return "allows" if entry.allows else "refuses"


def _includes(wider: Entry, narrower: Entry) -> bool:
    return _has_clients_of(wider.rule, narrower.rule) and covers(wider.pattern, narrower.pattern)


def _overlaps(first: Entry, second: Entry) -> bool:
    """Whether both are about a repository, for a client; any two named clients may be the same one."""
    return _shares_network(first.rule, second.rule) and shared_name(first.pattern, second.pattern) is not None


def _has_clients_of(wider: AccessRule | None, narrower: AccessRule | None) -> bool:
    if wider is None:
        return True
    return _has_networks_of(wider, narrower) and (
        wider.is_for_everyone or (narrower is not None and not narrower.is_for_everyone and _has_names(wider, narrower))
    )


def _has_names(wider: AccessRule, narrower: AccessRule) -> bool:
    return EVERY_ACCOUNT in wider.users or (
        set(narrower.users) <= set(wider.users)
        and set(narrower.groups) <= set(wider.groups)
        and set(narrower.signed_in) <= set(wider.signed_in)
    )


def _has_networks_of(wider: AccessRule, narrower: AccessRule | None) -> bool:
    if not wider.from_:
        return True
    inner = narrower.from_ if narrower else []
    return bool(inner) and all(any(_is_within(network, outer) for outer in wider.from_) for network in inner)


def _is_within(inner: str, outer: str) -> bool:
    first, second = ip_network(inner), ip_network(outer)
    if isinstance(first, IPv4Network) and isinstance(second, IPv4Network):
        return first.subnet_of(second)
    return isinstance(first, IPv6Network) and isinstance(second, IPv6Network) and first.subnet_of(second)


def _shares_network(first: AccessRule | None, second: AccessRule | None) -> bool:
    networks = [rule.from_ for rule in (first, second) if rule and rule.from_]
    return len(networks) < 2 or any(
        ip_network(one).overlaps(ip_network(other)) for one in networks[0] for other in networks[1]
    )


def client_problems(rule: AccessRule) -> Iterator[tuple[KeyPath, str]]:
    """The names and networks of a rule that another one of the same rule includes."""
    for key, values in {"users": rule.users, "groups": rule.groups, "signedIn": rule.signed_in}.items():
        for index, value in enumerate(values):
            if value in values[:index]:
                yield (key, index), f'"{value}" is listed twice'
            elif EVERY_ACCOUNT in rule.users and (key, value) != ("users", EVERY_ACCOUNT):
                yield (key, index), f'"{value}" has no effect: "*" in users is everyone who logs in'
    for index, network in enumerate(rule.from_):
        others = [other for other in islice(rule.from_, index) if _is_within(network, other)]
        others += [other for other in rule.from_[index + 1 :] if other != network and _is_within(network, other)]
        if others:
            yield ("from", index), f"{network} has no effect: {others[0]} includes it"
